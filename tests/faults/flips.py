"""Bits that flip in what lies on the disk: noticed, or of no consequence."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from random import Random

import safetensors.torch
import torch

from bench.errors import UserError
from bench.sessions import checkpoints
from bench.tables import store
from faults import originals, runs
from faults.originals import Originals
from faults.tries import CHANGED, HANG, LEFT, OTHER, SAME, TOLD, TRACEBACK, Job, Try, chance

KIND = "flips"
PARTS = ("metrics", "trials", "cache")
PROCESSES = 2
"""Flips of each part that the whole program meets."""


def jobs(made: Originals, seed: int, each: int = 400) -> Iterator[Job]:
    """Draw flips in files of each part, and a few for the whole program."""
    right = store.read(made.grammar)
    table, kept = runs.place(made.root), runs.place(made.root, made.cache)
    shutil.copytree(made.grammar, table.work / "results")
    for number in range(each):
        if number % (each // PROCESSES) == 10:
            for part in PARTS:
                yield lambda part=part, number=number: _by_program(
                    made, right, part, chance(seed, part, "program", number)
                )
        for part in PARTS[:2]:
            yield lambda part=part, number=number: _table(
                right, table.work / "results", part, chance(seed, part, number)
            )
        yield lambda number=number: _cached(kept.cache, chance(seed, "cache", number))


def flipped(path: Path, random: Random) -> str:
    """Flip a bit, and say which."""
    content = bytearray(path.read_bytes())
    place, bit = random.randrange(len(content)), random.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"{path.name[:60]}, byte {place}, bit {bit}"


def _file(folder: Path, random: Random) -> Path:
    return random.choice(sorted(path for path in folder.iterdir() if path.suffix != ".lock"))


def _table(right: store.Tables, results: Path, part: str, random: Random) -> Try:
    """Read tables of which a bit has flipped, in this process."""
    path = _file(results / part, random)
    before = path.read_bytes()
    case = flipped(path, random)
    try:
        outcome = originals.compared(right, store.read(results), again=False)
    except UserError as error:
        outcome = (TOLD, "") if path.name in str(error) else (OTHER, f"names no file: {error}")
    except Exception as error:
        outcome = TRACEBACK, repr(error)
    path.write_bytes(before)
    return Try(KIND, f"{part}: {case}", *outcome)


def _cached(cache: Path, random: Random) -> Try:
    """Load pre-trained tensors of which a bit has flipped."""
    path = _file(cache / "checkpoints", random)
    before = path.read_bytes()
    right, calls = safetensors.torch.load(before), []
    case = flipped(path, random)

    def make() -> checkpoints.Tensors:
        calls.append(1)
        return right

    said = io.StringIO()
    try:
        with redirect_stderr(said):
            (found,) = checkpoints.kept({path: make})
        same = {*found} == {*right} and all(_same(found[name], right[name]) for name in right)
        outcome = (TOLD if calls else SAME, said.getvalue().strip()) if same else (CHANGED, "tensors differ")
    except Exception as error:
        outcome = TRACEBACK, repr(error)
    path.write_bytes(before)
    return Try(KIND, f"cache: {case}", *outcome)


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    same_form = a.dtype == b.dtype and a.shape == b.shape
    return same_form and a.numpy().tobytes() == b.numpy().tobytes()


def _by_program(made: Originals, right: store.Tables, part: str, random: Random) -> Try:
    """Let the program run on what has a flipped bit: it says so, or ends with the right numbers."""
    at = runs.place(made.root, made.cache)
    shutil.copytree(made.grammar, at.work / originals.RESULTS)
    if part == "cache":
        shutil.rmtree(at.work / originals.RESULTS)
        case = flipped(_file(at.cache / "checkpoints", random), random)
    else:
        case = flipped(_file(at.work / originals.RESULTS / part, random), random)
    done = runs.run(at, [*runs.REAL, *originals.GRAMMAR])
    outcome = judged(done, at)
    if outcome[0] == SAME:
        outcome = originals.compared(right, store.read(at.work / originals.RESULTS), again=True)
    runs.remove(at)
    return Try(KIND, f"the program, {part}: {case}", *outcome)


def judged(done: runs.Done, at: runs.Place) -> tuple[str, str]:
    """Say how a command ended: refused in one line, or done; and what it left."""
    if done.code is None:
        return HANG, done.last
    if runs.BAD.search(done.err):
        return TRACEBACK, done.last
    left = ", ".join([*(f"process {pid}" for pid in runs.alive_after(at)), runs.left_over(at)]).strip(", ")
    if left:
        return LEFT, left
    if done.code == 2 and done.err.count("\n") == 1:
        return TOLD, done.err.strip()
    return (SAME, "") if done.code == 0 else (OTHER, done.last)
