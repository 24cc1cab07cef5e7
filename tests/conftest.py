"""What several tests share."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

import fake_bench
import pytest
import torch

from bench import experiments
from bench.running import processes
from bench.sessions import cache, intact

# As the workers have it: tensors are small here, and threads that wait for one another on a busy machine
# made the suite several times slower.
torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep checkpoints apart from the user's, and none from one run of the tests to the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def own_beginning() -> Iterator[None]:
    """Take note anew of what a process has in common: what a test has patched is not a unit's doing."""
    intact.beginning.cache_clear()
    yield
    intact.beginning.cache_clear()  # before what the next test's module sets up


class Inline(Executor):
    """Computes in this process, at once: what tests need, and proof that any executor will do."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


@contextmanager
def inline_workers(count: int) -> Iterator[Executor]:
    yield Inline()


@pytest.fixture
def nap(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put the fake experiment `nap` in place of the real ones, computed in this process."""
    monkeypatch.setattr(experiments, "__path__", [str(fake_bench.FOLDER)])
    monkeypatch.setattr(processes, "workers", inline_workers)
    monkeypatch.setitem(sys.modules, "bench.report", fake_bench.report)
    monkeypatch.delitem(sys.modules, "bench.experiments.nap", raising=False)
    return experiments.load("nap")
