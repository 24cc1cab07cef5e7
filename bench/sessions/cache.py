"""The folder for what is kept from run to run: fetched lists of names, checkpoints.

It is a convenience. Whatever is in it can be had again, so one that cannot be used stops nothing, and it may
be emptied at any time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pooch

from bench import disk, notices

VARIABLE = "DISCGAN_BENCH_CACHE"
LIMIT = 1_000_000_000
"""Bytes of checkpoints that are kept; those that were not used for longest give way."""


_now = SimpleNamespace(kept=True)


class Kept(NamedTuple):
    """A file of the cache."""

    path: Path
    size: int
    used: float  # seconds since 1970

    @property
    def kind(self) -> str:
        """What it is: `pretrained`, `grammar`, `gradient`, `names.zip`."""
        return self.path.name.partition("-")[0]


def folder() -> Path:
    """Give the folder that DISCGAN_BENCH_CACHE names, or else the user's own cache, or one for this run."""
    named = os.environ.get(VARIABLE)
    try:
        found = Path(named or pooch.os_cache("discgan-bench")).expanduser()
    except (RuntimeError, OSError):  # there is no home folder, or none is known
        found = Path("~")
    return found if named or found.is_absolute() else _passing()


@cache
def _passing() -> Path:
    notices.say(f"there is no home folder to keep pre-training in; {VARIABLE}=DIR names another")
    return Path(tempfile.gettempdir()) / "discgan-bench-cache"


def checkpoints() -> Path:
    """Give the folder of the checkpoints."""
    return folder() / "checkpoints"


def files() -> list[Kept]:
    """List what is kept, the longest unused first."""
    return sorted(_files(), key=lambda kept: kept.used)


def _files() -> Iterator[Kept]:
    for place in (folder(), checkpoints()):
        with suppress(OSError):
            for path in place.iterdir():
                with suppress(OSError):  # removed meanwhile
                    if path.is_file():
                        yield Kept(path, path.stat().st_size, path.stat().st_mtime)


def used(path: Path) -> None:
    """Take note that a file has been of use."""
    with suppress(OSError):
        os.utime(path)


@contextmanager
def only_read(asked: bool) -> Iterator[None]:
    """Keep nothing in this block, if that is asked for: what a user's code has had a hand in is its own."""
    _now.kept = not asked
    try:
        yield
    finally:
        _now.kept = True


def written() -> bool:
    """Tell whether what is made now is kept."""
    return _now.kept


def trim() -> None:
    """Keep within the limit."""
    kept = [file for file in files() if file.path.parent == checkpoints()]  # lists of names may come by hand
    over = sum(file.size for file in kept) - LIMIT
    for file in kept:
        if over > 0:
            file.path.unlink(missing_ok=True)
            over -= file.size


def clear() -> list[Kept]:
    """Remove all that is kept, and give what that was.

    Raises:
        OSError: something cannot be removed.
    """
    found = files()
    for file in found:
        file.path.unlink(missing_ok=True)
    return found


def sweep() -> None:
    """Remove what dead commands have left half-written."""
    disk.sweep(checkpoints(), folder())
