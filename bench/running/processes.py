"""Worker processes, forked from a server on Linux: libraries are loaded once for them all.

Nothing heavy is imported here, so that the server can load them while this process still does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import forkserver, get_context, resource_tracker
from typing import Any

from bench import stopping
from bench.errors import BenchError
from bench.running import temporary
from bench.running.workers import Workers

#: A worker has one thread: units are many and independent, so cores are better spent on units.
#: glibc gives large temporaries back to the system and asks for them again at every step; keeping
#: them makes training 25% faster (measured). Other systems ignore those three. The last keeps a random.py
#: in the current folder from hiding Python's own (not in Python 3.10, which does not know it).
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "10000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "PYTHONSAFEPATH": "1",
}
PRELOADED = ["torch", "torch._dynamo"]
"""What every unit needs, the second at its first `grad`; nothing that starts threads, which a fork loses."""
FORKS = sys.platform == "linux"
"""Elsewhere a fork may lack what the system's own libraries have begun (macOS), or there is none."""


def prepare() -> None:
    """Begin to load what units need, to be called as soon as it is known that there will be some."""
    if FORKS:
        forkserver.set_forkserver_preload(PRELOADED)
        stopping.cleaning(_end_server)
        with suppress(OSError):  # which is told when workers are needed
            _start()


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Start worker processes, and end them at once if the block is left by an exception."""
    context = get_context("forkserver" if FORKS else "spawn")
    try:
        _start()
        pool = Workers(count, context, partial(_begin, dict(os.environ)))
    except (EOFError, OSError):
        raise BenchError(
            "worker processes do not start here: name fewer --workers, or another folder to work in, "
            "if a file in this one is called as a module of Python's is, such as signal.py"
        ) from None
    stopping.cleaning(pool.kill)
    with stopping.orderly():
        try:
            yield pool
        except BaseException:
            pool.kill()
            raise
    pool.close()


def mapping(pool: Executor) -> Callable[..., Iterator[Any]]:
    """Give a `map` done by a pool's workers, of which an error leaves none waiting."""

    def each(function: Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        rows = [pool.submit(function, *row) for row in zip(*columns, strict=False)]
        return (row.result() for row in rows)

    return each


def _start() -> None:
    """Start the server, unless it runs; it and its workers inherit what is set here."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    temporary.prepare()
    if FORKS:
        with _unheard():
            forkserver.ensure_running()


@contextmanager
def _unheard() -> Iterator[None]:
    """Have what is started not hear a terminal's signals, which this process hears after."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        resource_tracker.ensure_running()  # the server's helper; to start it lets some be heard again
        signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_server() -> None:
    """Not wait until it has loaded its libraries and sees that nobody is there any more."""
    pid = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    if pid:
        os.kill(pid, signal.SIGKILL)


def _begin(environment: dict[str, str]) -> None:
    """Begin a worker: a server that already ran has the environment of then."""
    os.environ.update(environment)
