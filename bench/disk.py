"""Files: put in place whole or not at all, and read only if they are files.

What is half-written has a hidden name with its writer in it, so that the next command can tell what a dead
one has left. All is written to the disk before it is renamed: neither a kill nor a loss of power leaves half
a file under a name that is believed.
"""

from __future__ import annotations

import os
import platform
import re
import stat
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from bench.errors import UserError
from bench.stopping import put_off

SIGNED = re.compile(r".+\.(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)")
"""The name of what belongs to a process: `<name>.<machine>-<process>`; half a file's begins with a dot."""


def put(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it, so that its name never stands for half of it.

    Raises:
        OSError: it cannot be written; what was in its place is still there.
    """
    half = path.with_name(f".{signed(path.name)}")
    with put_off():
        try:
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)


def read(path: Path, most: int, what: str = "") -> bytes:
    """Read what a user names.

    Args:
        path: the file.
        most: bytes that it may have.
        what: what it should be, for whoever named something else.

    Raises:
        UserError: it is no file, cannot be read, or is too large.
    """
    told = f" (give {what})" if what else ""
    try:
        # Not to wait for whoever might write to a pipe, and to look at what was opened, not at its name.
        with open(path, "rb", opener=_opened) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UserError(f"{path} is {_kind(found.st_mode)}, no file{told}")
            if found.st_size > most:
                raise UserError(f"{path} has {found.st_size:,} bytes; {most:,} at most are read{told}")
            return file.read(found.st_size)
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, no file{told}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}{told}") from None


def sweep(*folders: Path) -> None:
    """Remove what commands on this machine that are no more have left half-written."""
    for folder in folders:
        with suppress(OSError):  # what cannot be listed or removed is in nobody's way: it is never read
            for path in folder.iterdir():
                if path.name.startswith(".") and abandoned(path.name):
                    path.unlink(missing_ok=True)


def signed(name: str) -> str:
    """Give a name that tells whose it is: this process's."""
    return f"{name}.{_machine()}-{os.getpid()}"


def abandoned(name: str) -> bool:
    """Tell whether a name is one that a process of this machine has signed which is no more."""
    found = SIGNED.fullmatch(name)
    return found is not None and found["machine"] == _machine() and not _alive(int(found["pid"]))


@cache
def _machine() -> str:
    """Tell machines apart that share a folder, and containers that count processes by themselves; unnamed."""
    counting = ""
    with suppress(OSError):
        counting = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it is no path
    return sha256(f"{platform.node()} {counting}".encode()).hexdigest()[:8]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((words for is_one, words in kinds.items() if is_one(mode)), "a device")


def settle(folder: Path) -> None:
    """Have the renames in a folder last as well, before what is renamed after them."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
