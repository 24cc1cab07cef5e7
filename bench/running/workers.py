"""Worker processes: so many tasks at a time, each in one of them.

Python's own pool cannot say which task a lost worker was at, breaks with it, and shares locks that a killed
worker may hold. Here every worker has a pipe to itself: one that is lost costs the task it was at, and is
replaced. It leads a process group, so that what its tasks have started ends with it.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import connection, parent_process
from multiprocessing.context import BaseContext
from threading import RLock, Thread
from typing import Any, NamedTuple

PATIENCE = 3.0
"""Seconds in which a worker that is no longer needed can end by itself."""


class LostError(BrokenExecutor):
    """A worker process ended within a task: how."""


class RemoteTraceback(Exception):
    """Where in the worker an error was raised, shown as its cause."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Task(NamedTuple):
    """What a worker is asked."""

    function: Callable[..., Any]
    positional: tuple[Any, ...]
    named: dict[str, Any]

    def __call__(self) -> Any:
        """Do it."""
        return self.function(*self.positional, **self.named)


class Worker:
    """One process, which does one task after another."""

    def __init__(self, context: BaseContext, begin: Callable[..., None], label: str) -> None:
        """Start it; `begin` is called in it first. Tasks of one label only are given to it."""
        self.label, self._joining = label, RLock()
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, begin))  # type: ignore[attr-defined]
        self._process.start()
        far.close()  # or its end would not be noticed

    def do(self, task: Task) -> Any:
        """Have a task done.

        Raises:
            LostError: the process ended.
            BaseException: whatever the task raised.
        """
        try:
            with suppress(BrokenPipeError):  # what it has said before it ended can still be read
                self._pipe.send(task)
            # Not the pipe alone: a process that a task left behind may hold its other end.
            connection.wait([self._pipe, self._process.sentinel])
            if not self._pipe.poll():
                raise EOFError
            result, error, trace = self._pipe.recv()
        except (EOFError, OSError):
            raise LostError(self._fate()) from None
        if error is not None:
            raise error from RemoteTraceback(trace)
        return result

    def dismiss(self, patience: float) -> None:
        """Let one that has nothing to do end by itself, for so many seconds."""
        with suppress(OSError):
            self._pipe.send(None)
        self._join(patience)
        self.kill()

    def kill(self) -> None:
        """End it here and now, and all that it has started."""
        with suppress(OSError):  # there is none of its group any more
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        with suppress(OSError):
            self._process.kill()  # as long as it leads no group yet
        self._join(PATIENCE)

    def _join(self, patience: float) -> None:
        with self._joining:  # of two threads that wait for a process one would be told nonsense
            self._process.join(patience)

    def _fate(self) -> str:
        self._join(PATIENCE)
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"the process ended with exit code {code}"
        name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
        memory = ", often for want of memory" if -code == getattr(signal, "SIGKILL", 0) else ""
        return f"the process was ended by {name}{memory}"


class Workers(Executor):
    """An executor whose tasks are done by at most so many workers."""

    def __init__(self, count: int, context: BaseContext, begin: Callable[..., None]) -> None:
        """Start the first worker; the others come when there are tasks for them.

        Raises:
            OSError, EOFError: worker processes do not start here.
        """
        self._count, self._context, self._begin = count, context, begin
        self._lock, self._closed = RLock(), False
        self._all: list[Worker] = []
        self._idle: list[Worker] = []
        self._idle.append(self._start(""))
        self._threads = ThreadPoolExecutor(count)  # each waits for one worker

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called in a worker that has not been another's."""
        return self.apart("").submit(function, *args, **kwargs)

    def apart(self, label: str) -> Apart:
        """Give the executor whose tasks are done by workers that have done none but of this label."""
        return Apart(self, label)

    def do(self, label: str, task: Task) -> Any:
        """Have a task done by a worker of that label, and wait for it."""
        try:
            worker = self._take(label)
        except (EOFError, OSError) as error:
            raise LostError(f"no worker process starts ({type(error).__name__}: {error})") from None
        try:
            return worker.do(task)
        except LostError:
            with self._lock, suppress(ValueError):
                self._all.remove(worker)
            worker.kill()
            raise
        finally:
            with self._lock:
                if worker in self._all:
                    self._idle.append(worker)

    def queue(self, label: str, task: Task) -> Future[Any]:
        """Have a task done as soon as there is a worker for it."""
        return self._threads.submit(self.do, label, task)

    def close(self) -> None:
        """Let the workers end, when all tasks are done."""
        self._threads.shutdown()
        until = time.monotonic() + PATIENCE
        for worker in self._end():
            worker.dismiss(max(0.0, until - time.monotonic()))

    def kill(self) -> None:
        """End all workers here and now, and drop the tasks that are not done."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._end():
            worker.kill()

    def _end(self) -> list[Worker]:
        with self._lock:
            self._closed = True
            ending, self._all, self._idle = self._all, [], []
        return ending

    def _take(self, label: str) -> Worker:
        with self._lock:
            known = [worker for worker in self._idle if worker.label == label]
            if known:
                self._idle.remove(known[0])
                return known[0]
            if len(self._all) >= self._count:  # one of another label then has nothing to do
                other = self._idle.pop()
                self._all.remove(other)
                other.dismiss(PATIENCE)
            return self._start(label)

    def _start(self, label: str) -> Worker:
        if self._closed:
            raise LostError("the command is ending")
        worker = Worker(self._context, self._begin, label)
        self._all.append(worker)
        return worker


class Apart(Executor):
    """The tasks of one label: a user's own code has workers of its own, where it changes nobody's numbers."""

    def __init__(self, workers: Workers, label: str) -> None:
        """Stand for these workers."""
        self._workers, self._label = workers, label

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called."""
        return self._workers.queue(self._label, Task(function, args, kwargs))


def _serve(pipe: connection.Connection, begin: Callable[..., None]) -> None:
    """Do what is asked until nothing more is."""
    os.setpgid(0, 0)  # out of the terminal's reach, and with all that is started here in one hand
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [*signal.Signals])  # as what is started here expects it
    Thread(target=_die_with_parent, daemon=True).start()
    begin()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        if task is None:
            return
        answer: tuple[Any, BaseException | None, str]
        try:
            answer = (task(), None, "")
        except BaseException as error:  # SystemExit too: a task does not end a worker
            answer = (None, error, traceback.format_exc())
        _answer(pipe, answer)


def _answer(pipe: connection.Connection, answer: tuple[Any, BaseException | None, str]) -> None:
    try:
        pipe.send(answer)
    except OSError:  # nobody is there any more, or a task has closed the pipe
        os._exit(1)
    except Exception as error:  # what cannot be sent has to be told in words
        told = RuntimeError(f"what came of a task cannot be sent: {type(error).__name__}: {error}"[:1000])
        pipe.send((None, told, answer[2]))


def _die_with_parent() -> None:
    """Wait for the parent's end: one that was killed cannot end its workers."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)
