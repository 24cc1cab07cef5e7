"""Signals at any moment: the same command then gives what it would have given, and nothing is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench.tables import store
from faults import originals, runs
from faults.originals import Originals
from faults.tries import HANG, LEFT, OTHER, TRACEBACK, Job, Try, chance

KIND = "kills"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NAP_SECONDS = "0.05"


class Plan(NamedTuple):
    """What is sent to whom and when."""

    command: Sequence[str]
    length: float  # of an undisturbed run, in seconds
    number: int
    group: bool
    how: str  # at a random moment, at a half-written file, early, ten times
    at: float  # in seconds from the start

    @property
    def case(self) -> str:
        """Say it in words."""
        what = "nap" if self.command[1].endswith(".py") else "grammar"
        whom = "group" if self.group else "process"
        return f"{what}: {signal.Signals(self.number).name} to the {whom}, {self.how}, {self.at:.2f} s"


def jobs(made: Originals, seed: int) -> Iterator[Job]:
    """Draw kills without end, each with what it is to be held against."""
    real, fake = [*runs.REAL, *originals.GRAMMAR], [*runs.FAKE, *originals.NAP]
    lengths = [_length(made, command) for command in (fake, real)]
    right = [store.read(folder) for folder in (made.nap, made.grammar)]
    number = 0
    while True:
        which = int(number % 5 == 4)
        plan = drawn(chance(seed, KIND, number), (fake, real)[which], lengths[which], number)
        yield lambda plan=plan, which=which: tried(made, plan, right[which])
        number += 1


def drawn(random: Random, command: Sequence[str], length: float, place: int) -> Plan:
    """Draw one kill; the kinds of moments take turns."""
    how = ("at a moment", "at a moment", "at a half-written file", "ten times", "early", "at a moment")[
        place % 6
    ]
    number = signal.SIGINT if how == "ten times" else random.choice(SIGNALS)
    most = min(2.0, length) if how == "early" else length
    return Plan(command, length, number, random.random() < 0.5, how, random.uniform(0, most))


def tried(made: Originals, plan: Plan, right: store.Tables) -> Try:
    """Kill one run, run it again, and look at everything."""
    at = runs.place(made.root, made.cache)
    before = runs.shared_memory()
    environment = at.environment(NAP_SECONDS=NAP_SECONDS)
    process = runs.start(at, plan.command, environment)
    ready = killed(process, plan, at.work)
    first = runs.end(at, process, 30)
    alive = runs.alive_after(at)
    second = runs.run(at, plan.command, environment)
    alive += runs.alive_after(at)
    outcome = _judged(plan, ready, first, second)
    if outcome is None:
        left = ", ".join([*[f"process {pid}" for pid in alive], runs.left_over(at)]).strip(", ")
        left = left or ", ".join(f"/dev/shm/{name}" for name in runs.shared_memory() - before)
        outcome = (LEFT, left) if left else _numbers(right, at.work / originals.RESULTS)
    runs.remove(at)
    return Try(KIND, plan.case, *outcome)


def killed(process: subprocess.Popen[bytes], plan: Plan, work: Path) -> bool:
    """Send the signals; says whether the program, rather than Python alone, had begun before."""
    _await(process, plan, work)
    ready = _caught(process.pid)
    for _ in range(10 if plan.how == "ten times" else 1):
        with suppress(ProcessLookupError):
            (os.killpg if plan.group else os.kill)(process.pid, plan.number)
        if plan.how == "ten times":
            time.sleep(0.02)
    return ready


def _await(process: subprocess.Popen[bytes], plan: Plan, work: Path) -> None:
    """Wait for the moment: that of a half-written file if there is one, else the time that was drawn."""
    limit = time.monotonic() + (plan.length if plan.how == "at a half-written file" else plan.at)
    while (left := limit - time.monotonic()) > 0 and process.poll() is None:
        if plan.how == "at a half-written file" and runs.halves(work):
            return
        time.sleep(min(left, 0.001 if plan.how == "at a half-written file" else 0.01))


def _caught(pid: int) -> bool:
    """Tell whether a process has taken SIGTERM over, which the program does before all else."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
        return bool(mask >> (signal.SIGTERM - 1) & 1)
    return False


def _judged(plan: Plan, ready: bool, first: runs.Done, second: runs.Done) -> tuple[str, str] | None:
    """Look at the exit codes and at what was said."""
    allowed = {-signal.SIGKILL, 0} if plan.number == signal.SIGKILL else {128 + plan.number, 0}
    if not ready:  # Python itself had not come to the program's first line
        allowed |= {-plan.number, 1}
    for what, done in (("killed", first), ("second", second)):
        if done.code is None:
            return HANG, f"the {what} run does not end: {done.last}"
        if runs.BAD.search(done.err) and (ready or what == "second"):
            return TRACEBACK, f"the {what} run: {done.last}"
    if first.code not in allowed:
        return OTHER, f"the killed run: {first.last}"
    if first.code == 128 + plan.number and first.err.count("stopped") != 1:
        return OTHER, f"it says not once that it was stopped: {first.last}"
    return None if second.code == 0 else (OTHER, f"the second run: {second.last}")


def _numbers(right: store.Tables, results: Path) -> tuple[str, str]:
    outcome, detail = originals.compared(right, store.read(results), again=True)
    return outcome, detail


def _length(made: Originals, command: Sequence[str]) -> float:
    """Measure how long a run takes here."""
    at = runs.place(made.root, made.cache)
    begin = time.monotonic()
    runs.run(at, command, at.environment(NAP_SECONDS=NAP_SECONDS))
    return time.monotonic() - begin
