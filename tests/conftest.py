"""What several tests share."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

import fake_bench
import pytest

from bench import execute, experiments


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
    monkeypatch.setattr(execute, "local_workers", inline_workers)
    monkeypatch.setitem(sys.modules, "bench.report", fake_bench.report)
    monkeypatch.delitem(sys.modules, "bench.experiments.nap", raising=False)
    return experiments.load("nap")
