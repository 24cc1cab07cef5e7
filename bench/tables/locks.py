"""One writer at a time in a results folder, which several commands may share."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import notices

PATIENCE = 5.0
"""Seconds after which it is said what is waited for; a unit takes milliseconds to put in place."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder; by itself, so that no file is left of it."""
    place = os.open(folder, os.O_RDONLY)
    try:
        _hold(folder, place)
        yield
    finally:
        os.close(place)


def _hold(folder: Path, place: int) -> None:
    said, begin = False, time.monotonic()
    while True:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                return  # a file system without such locks
        else:
            return
        if not said and time.monotonic() - begin > PATIENCE:
            notices.say(f"waiting for {folder}, to which another command writes that may have been stopped")
            said = True
        time.sleep(0.05)
