"""A worker that is lost costs the task it was at; nothing that a task leaves outlives it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import as_completed
from pathlib import Path

import pytest

from bench.running import processes, workers
from bench.running.workers import LostError, Workers

pytestmark = pytest.mark.xdist_group("workers")  # which are started once


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    with processes.workers(2) as found:
        yield found


def ended(how: str) -> None:
    if how == "exit":
        os._exit(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    raise {"leave": SystemExit, "interrupt": KeyboardInterrupt}[how]("here")


FATES = {
    "exit": "the process ended with exit code 0",
    "kill": "the process was ended by SIGKILL, often for want of memory",
    "segfault": "the process was ended by SIGSEGV",
}


@pytest.mark.parametrize("how", FATES)
def test_a_lost_worker_costs_its_task_alone(pool: Workers, how: str) -> None:
    before = [pool.submit(time.sleep, 0.2) for _ in range(2)]
    lost = pool.submit(ended, how)
    after = [pool.submit(pow, 2, n) for n in range(6)]
    with pytest.raises(LostError) as caught:
        lost.result()
    assert str(caught.value) == FATES[how]
    assert [future.result() for future in (*before, *after)] == [None, None, 1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize(("how", "kind"), [("leave", SystemExit), ("interrupt", KeyboardInterrupt)])
def test_a_task_that_would_end_its_worker_by_an_exception_does_not(
    pool: Workers, how: str, kind: type[BaseException]
) -> None:
    known = pool.submit(os.getpid).result()
    with pytest.raises(kind, match="here"):
        pool.submit(ended, how).result()
    assert known in {pool.submit(os.getpid).result() for _ in range(9)}


def test_an_error_says_where_in_the_worker_it_was_raised(pool: Workers) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        pool.submit(divmod, 1, 0).result()
    assert "Traceback" in str(caught.value.__cause__)


def test_what_cannot_be_sent_is_told(pool: Workers) -> None:
    with pytest.raises(RuntimeError, match="cannot be sent"):
        pool.submit(threading.Lock).result()
    assert pool.submit(pow, 2, 3).result() == 8


def test_tasks_of_a_label_have_workers_of_their_own(pool: Workers) -> None:
    used: dict[str, set[int]] = {}
    for label in ("", "mine", "", "other", "mine"):
        for future in as_completed([pool.apart(label).submit(os.getpid) for _ in range(4)]):
            used.setdefault(label, set()).add(future.result())
    assert not used[""] & used["mine"]
    assert not used[""] & used["other"]
    assert not used["mine"] & used["other"]


def leave(what: str) -> int:
    if what == "thread":
        threading.Thread(target=time.sleep, args=(600,)).start()
        return os.getpid()
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        threading.Thread(target=time.sleep, args=(600,)).start()
        return os.getpid()
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("what", ["thread", "deaf", "child"])
def test_what_a_task_leaves_behind_ends_with_the_workers(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    with processes.workers(1) as found:
        pid = found.submit(leave, what).result()
        assert alive(pid)
    for _ in range(50):
        if not alive(pid):
            break
        time.sleep(0.1)
    assert not alive(pid)


def test_a_child_of_a_lost_worker_that_lives_on_keeps_nobody_waiting(pool: Workers) -> None:
    begin = time.monotonic()
    with pytest.raises(LostError):
        pool.submit(orphaned).result()
    assert time.monotonic() - begin < 10


def orphaned() -> None:
    leave("child")
    os._exit(1)
