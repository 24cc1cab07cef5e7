"""Commands as processes, each in a place of its own, so that whatever it leaves behind can be found."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from bench.disk import SIGNED

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
REAL = [sys.executable, "-m", "bench"]
FAKE = [sys.executable, str(TESTS / "faults" / "program.py")]
MARKER = "FAULTS_RUN"
LIMIT = 120.0
"""Seconds after which a command hangs."""
ENDING = 8.0
"""Seconds that whatever a command started has to end after it."""
BAD = re.compile(r"Traceback|Exception ignored|leaked|Fatal Python error|stack smashing")

_numbers = count()


class Place(NamedTuple):
    """A folder for one try: work in it, its temporary files and its cache."""

    work: Path
    tmp: Path
    cache: Path
    marker: str

    def environment(self, **variables: str) -> dict[str, str]:
        """Give what a command's processes have, by which they can be found as well."""
        own = {MARKER: self.marker, "TMPDIR": str(self.tmp), "DISCGAN_BENCH_CACHE": str(self.cache)}
        path = os.pathsep.join(filter(None, [str(ROOT), str(TESTS), os.environ.get("PYTHONPATH")]))
        found = {**os.environ, "PYTHONPATH": path, **own, **variables}
        return {name: value for name, value in found.items() if name != "PYTHONSAFEPATH" or name in variables}


class Done(NamedTuple):
    """What a command did: code None is one that had to be killed."""

    code: int | None
    out: str
    err: str

    @property
    def last(self) -> str:
        """Give its last words."""
        return f"exit {self.code}: {' | '.join(self.err.strip().splitlines()[-3:])[-400:]}"


def place(root: Path, cache: Path | None = None) -> Place:
    """Make a place, with a copy of a cache if one is given."""
    number = next(_numbers)
    folder = root / f"{number:05d}"
    found = Place(folder / "work", folder / "tmp", folder / "cache", f"{os.getpid()}-{number}")
    found.work.mkdir(parents=True)
    found.tmp.mkdir()
    if cache is not None:
        shutil.copytree(cache, found.cache)
    return found


def remove(at: Place) -> None:
    """Remove a place, of which rights may have been taken."""
    shutil.rmtree(at.work.parent, ignore_errors=True)


def start(
    at: Place, command: Sequence[str], environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own."""
    files = [(at.work.parent / name).open("wb") for name in ("out", "err")]
    try:
        return subprocess.Popen(
            command,
            cwd=at.work,
            env=environment or at.environment(),
            stdin=subprocess.DEVNULL,
            stdout=files[0],
            stderr=files[1],
            start_new_session=True,
        )
    finally:
        for file in files:
            file.close()


def end(at: Place, process: subprocess.Popen[bytes], limit: float = LIMIT) -> Done:
    """Wait for a command's end, and end it if that does not come."""
    try:
        code: int | None = process.wait(limit)
    except subprocess.TimeoutExpired:
        code = None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for pid in marked(at):
            os.kill(pid, signal.SIGKILL)
        process.wait()
    out, err = (
        (at.work.parent / name).read_bytes()[-200_000:].decode(errors="replace") for name in ("out", "err")
    )
    return Done(code, out, err)


def run(
    at: Place, command: Sequence[str], environment: dict[str, str] | None = None, limit: float = LIMIT
) -> Done:
    """Run a command to its end."""
    return end(at, start(at, command, environment), limit)


def marked(at: Place) -> list[int]:
    """Find the living processes that a place's commands have started."""
    word, found = f"{MARKER}={at.marker}".encode(), []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and word in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def alive_after(at: Place, seconds: float = ENDING) -> list[int]:
    """Give what is still alive after a while; it is ended then."""
    limit = time.monotonic() + seconds
    while (found := marked(at)) and time.monotonic() < limit:
        time.sleep(0.1)
    for pid in found:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return found


def halves(*folders: Path) -> list[Path]:
    """Find half-written files."""
    return [path for folder in folders for path in folder.rglob(".*") if SIGNED.fullmatch(path.name)]


def left_over(at: Place) -> str:
    """Say what is left when all should be over."""
    found = [f"{path.name} in a folder" for path in halves(at.work, at.cache)]
    found += [f"{path.name} in TMPDIR" for path in at.tmp.iterdir()] if at.tmp.is_dir() else []
    return ", ".join(found)


def shared_memory() -> set[str]:
    """Name what is in shared memory and used by nobody."""
    folder = Path("/dev/shm")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for maps in Path("/proc").glob("[0-9]*/maps") if names else ():
        with suppress(OSError):
            text = maps.read_text(errors="replace")
            names -= {name for name in names if f"/dev/shm/{name}" in text}
    return names
