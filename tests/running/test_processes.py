"""Workers are what they should be, however many there are, and end when they should."""

import os
import subprocess
import sys
import time

import pytest
import torch

from bench.errors import BenchError
from bench.running import processes, workers


@pytest.mark.parametrize("forks", {processes.FORKS, False})
def test_workers_have_one_thread_and_the_users_environment(
    forks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "FORKS", forks)
    for name in processes.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "12345")
    with processes.workers(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        assert pool.submit(os.getenv, "MALLOC_TRIM_THRESHOLD_").result() == "12345"


@pytest.mark.skipif(not processes.FORKS, reason="nothing is forked here")
def test_what_is_loaded_before_the_fork_starts_no_thread() -> None:
    text = "import os, {}; print(len(os.listdir('/proc/self/task')))".format(", ".join(processes.PRELOADED))
    environment = {**os.environ, **processes.ENVIRONMENT}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, check=True)
    assert int(done.stdout) == 1


def doubled(number: int, after: float) -> int:
    time.sleep(after)
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return 2 * number


def test_workers_map_in_order_and_an_error_in_one_ends_them_all() -> None:
    with processes.workers(2) as pool:
        assert list(processes.mapping(pool)(doubled, [3, 1, 2], [0.2, 0, 0])) == [6, 2, 4]
    begin = time.monotonic()
    with pytest.raises(ValueError, match="-1 is below 0"), processes.workers(2) as pool:
        list(processes.mapping(pool)(doubled, [-1, *range(9)], [0, *[60] * 9]))
    assert time.monotonic() - begin < 30


def test_workers_that_do_not_start_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise EOFError

    monkeypatch.setattr(workers.Worker, "__init__", lost)
    with pytest.raises(BenchError, match="worker processes do not start"), processes.workers(1):
        pass
