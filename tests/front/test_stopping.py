"""Asked to stop at any moment, a command says one line, ends with the signal's code and leaves nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.running import temporary

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
COMMAND = [sys.executable, str(ROOT / "tests" / "fake_bench.py"), "run-all", "--preset", "smoke"]
MARK = "DISCGAN_BENCH_TEST"


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder with a short path, as the system's own are."""
    with TemporaryDirectory(dir="/tmp") as found:
        yield Path(found)


def heed() -> None:
    """A shell's background job ignores Ctrl-C, and so would what it starts: the tests may be one."""
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)


def begun(place: Path) -> subprocess.Popen[str]:
    (place / "tmp").mkdir(exist_ok=True)
    told = {"PYTHONPATH": str(ROOT), "NAP_SECONDS": "0.2", MARK: str(place), "TMPDIR": str(place / "tmp")}
    return subprocess.Popen(
        COMMAND,
        cwd=place,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed,
    )


def alive(place: Path) -> list[str]:
    """Name the processes that a command has started and that are still there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if f"{MARK}={place}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def require_nothing_left(place: Path) -> None:
    for _ in range(50):
        if not alive(place):
            break
        time.sleep(0.1)
    assert alive(place) == []
    assert list((place / "tmp").iterdir()) == []
    assert [path for path in place.rglob(".*") if path.is_file()] == []


@pytest.mark.parametrize(("number", "times"), [*((number, 1) for number in CODES), (signal.SIGINT, 10)])
def test_it_says_one_line_and_leaves_nothing(number: signal.Signals, times: int, place: Path) -> None:
    lot = random.Random(f"{number} {times}")
    process = begun(place)
    time.sleep(lot.uniform(0.3, 4))
    for _ in range(times):
        os.killpg(process.pid, number)
        time.sleep(0.01)
    _, err = process.communicate(timeout=20)
    assert process.returncode == CODES[number], err
    assert sum(line.startswith("stopped: ") for line in err.splitlines()) == 1, err
    assert err.splitlines()[-1].startswith("stopped: ")
    assert "Traceback" not in err
    assert "leaked" not in err
    require_nothing_left(place)


@pytest.mark.slow
def test_what_a_killed_command_has_left_goes_with_the_next(place: Path) -> None:
    process = begun(place)
    (place / "results" / "smoke" / "trials").mkdir(parents=True)
    name = f".half.parquet.{temporary.disk._machine()}-{process.pid}"
    half = place / "results" / "smoke" / "trials" / name
    half.write_text("half")
    other = half.with_name(
        f".half.parquet.00000000-{process.pid}"
    )  # of another machine, which may be writing
    other.write_text("half")
    time.sleep(3)
    process.kill()
    process.communicate(timeout=20)  # returns only when nobody holds the pipes any longer
    assert list((place / "tmp").iterdir()) != []
    again = begun(place)
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert not half.exists()
    other.unlink()
    require_nothing_left(place)
