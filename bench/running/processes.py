"""Worker processes, forked from a server on Linux: libraries are loaded once for them all.

Nothing heavy is imported here, so that the server can load them while this process still does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, connection, forkserver, get_context, parent_process
from threading import Thread
from typing import Any

from bench.errors import BenchError

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
        _start()


@contextmanager
def workers(count: int) -> Iterator[Executor]:
    """Start worker processes, and end them at once if the block is left by an exception."""
    _start()
    context = get_context("forkserver" if FORKS else "spawn")
    own = (dict(os.environ),)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=own) as pool:
        try:
            with _interrupts_ignored():  # each of these starts a process, which inherits that
                for _ in range(count):
                    pool.submit(os.getpid)
        except (EOFError, OSError):
            raise BenchError(
                "worker processes do not start here: name fewer --workers, or another folder to work in, "
                "if a file in this one is called as a module of Python's is, such as signal.py"
            ) from None
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise


def mapping(pool: Executor) -> Callable[..., Iterator[Any]]:
    """Give a `map` done by a pool's workers.

    The pool's own cancels what is left after an error, and up to Python 3.11 cannot then be ended.
    """

    def each(function: Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        rows = [pool.submit(function, *row) for row in zip(*columns, strict=False)]
        return (row.result() for row in rows)

    return each


def _start() -> None:
    """Start the server, unless it runs; it and its workers inherit what is set here."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if FORKS:
        with _interrupts_ignored():
            forkserver.ensure_running()


def _begin(environment: dict[str, str]) -> None:
    """Begin a worker: a server that already ran has the environment of then."""
    os.environ.update(environment)
    Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """Wait for the parent's end: one that was killed cannot end its workers."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Leave Ctrl-C, which reaches every process of the terminal, to the parent alone."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
