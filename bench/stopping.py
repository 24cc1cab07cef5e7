"""Being asked to stop, by Ctrl-C, SIGTERM or the end of the terminal, at any moment.

Whatever is kept is put in place whole, so a command can end at once wherever it is; this is what it does
while libraries are loaded, and when it is asked a second time. Within `orderly` the first time raises `Stop`,
so that what has just been computed is kept.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, SimpleNamespace

LINE = "stopped: what is finished is kept; run the command again"
PATIENCE = 10.0
"""Seconds after which an orderly stop that was swallowed on its way is carried out nevertheless."""

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_now = SimpleNamespace(asked=0, orderly=False, put_off=0, waiting=None, timer=None, told=False)
_cleaning: list[Callable[[], object]] = []


class Stop(BaseException):
    """Raised where the command is, when it is asked to stop; no library takes it for an error of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def prepare() -> None:
    """Take the signals over, but for those that whoever started the command wants ignored, as nohup does."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _ask)


def cleaning(clean: Callable[[], object]) -> None:
    """Have something done when the command ends at once, which nothing else is then."""
    _cleaning.append(clean)


def told() -> None:
    """Take note that the user knows."""
    _now.told = True


@contextmanager
def orderly() -> Iterator[None]:
    """Raise `Stop` in this block."""
    _now.orderly = True
    try:
        yield
    finally:
        _now.orderly = False
        if _now.timer is not None:
            _now.timer.cancel()


@contextmanager
def put_off() -> Iterator[None]:
    """Let it wait until the block is done, of which no half may be left."""
    _now.put_off += 1
    try:
        yield
    finally:
        _now.put_off -= 1
        if _now.waiting is not None and not _now.put_off:
            number, _now.waiting = _now.waiting, None
            _stop(number)


def ended(code: int) -> int:
    """Give a command's exit code, or end with it: Python would wait for threads that a user's code left."""
    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if all(thread.daemon for thread in threads):
        return code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    _clean()
    os._exit(code)


def _ask(number: int, _: FrameType | None) -> None:
    _now.asked += 1
    if _now.put_off and _now.asked == 1:
        _now.waiting = number
    else:
        _stop(number)


def _stop(number: int) -> None:
    if not _now.orderly or _now.asked > 1:
        _leave(number)
    _now.timer = threading.Timer(PATIENCE, _leave, [number])
    _now.timer.daemon = True
    _now.timer.start()
    raise Stop(number)


def _leave(number: int) -> None:
    """End here and now; not by print, which whatever was interrupted may be in the midst of."""
    _clean()
    with suppress(OSError):
        if sys.stderr is not None and os.isatty(2):
            os.write(2, b"\x1b[?25h\n")  # a live display hides the cursor
        if not _now.told:
            os.write(2, f"{LINE}\n".encode())
    os._exit(128 + number)


def _clean() -> None:
    for clean in reversed(_cleaning):
        with suppress(Exception):
            clean()
