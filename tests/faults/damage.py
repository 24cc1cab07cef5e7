"""Damaged tables: refused in one line that names a file of theirs, or read as if nothing had happened.

Every kind is tried on loose tables and on packed ones, and changed rows are written in the two ways in which
a user would: with all that the file said of itself, and without.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench import cli
from bench.errors import UserError
from bench.tables import store
from faults import damaged_files, originals, runs
from faults.damaged_rows import HARMLESS, METRICS, TRIALS
from faults.originals import Originals
from faults.tries import OTHER, SAME, TOLD, TRACEBACK, Job, Try, chance

KIND = "damage"
ROWS = {"metrics": METRICS, "trials": TRIALS}
SPARED = {"trials: missing"}
"""Without its trials a loose unit is not finished, as after a kill: the next run computes it."""


class Case(NamedTuple):
    """One damage."""

    name: str
    packed: bool
    kind: str  # of table
    change: Callable[[Path], object]

    @property
    def told(self) -> str:
        """Say it in words."""
        return f"{'packed' if self.packed else 'loose'} {self.name}"


def jobs(made: Originals, seed: int) -> Iterator[Job]:
    """Give every case once, in an order that has a bit of all from the beginning."""
    right = store.read(made.grammar)
    found = sorted(cases(), key=lambda case: chance(seed, case.told).random())
    for number, case in enumerate(found):
        yield lambda case=case: tried(made, right, case)
        if number % 3 == 0:
            yield lambda case=case, number=number: commanded(made, case, number // 3)


def cases() -> Iterator[Case]:
    """List every damage of both tables, loose and packed."""
    for packed in (False, True):
        for kind, changes in ROWS.items():
            for name, change in changes.items():
                for way, rewrite in (("by pandas", _by_pandas), ("by pyarrow", _by_arrow)):
                    yield Case(f"{kind}: {name} ({way})", packed, kind, _rows(change, rewrite))
            for name, file in damaged_files.FILES.items():
                yield Case(f"{kind}: {name}", packed, kind, file)
            for name, file in {} if packed else damaged_files.LOOSE.items():
                yield Case(f"{kind}: {name}", packed, kind, file)
    for name, file in damaged_files.PAIRS.items():
        yield Case(f"pair: {name}", False, "metrics", file)


def tried(made: Originals, right: store.Tables, case: Case) -> Try:
    """Damage a copy and read it."""
    at, path = _damaged(made, case)
    results = at.work / "results"
    try:
        outcome = originals.compared(right, store.read(results), again=False)
        if case.name in SPARED and not case.packed:
            outcome = (SAME, "the unit is not finished")
        elif outcome[0] == SAME and _must_be_refused(case):
            outcome = (SAME, "though changed")
    except UserError as error:
        outcome = _named(str(error), path)
    except Exception as error:
        outcome = TRACEBACK, repr(error)
    runs.remove(at)
    return Try(KIND, case.told, *outcome)


def commanded(made: Originals, case: Case, number: int) -> Try:
    """Damage a copy and let a command read it: one line and exit code 2, or as if nothing had happened."""
    at, path = _damaged(made, case)
    results, to = str(at.work / "results"), str(at.work / "to")
    dry = number % 3 == 0 and case.kind == "trials"  # it looks at no metrics
    command = (
        [*originals.GRAMMAR, "--results", results, "--reports", to, "--dry-run"],
        ["merge", results, "--to", to],
        ["compare", str(made.grammar), results, "--reports", to],
    )[0 if dry else 1 + number % 2]
    said = io.StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(io.StringIO()):
            code = cli.main(command)
        lines = said.getvalue().strip().splitlines()
        outcome = _named(lines[0], path) if code == 2 and len(lines) == 1 else (SAME, f"exit {code}")
        if code not in (0, 2) or (code == 0 and _must_be_refused(case) and case.name not in SPARED):
            outcome = OTHER, f"exit {code}: {said.getvalue()[:200]}"
    except BaseException as error:
        outcome = TRACEBACK, repr(error)
    runs.remove(at)
    return Try(KIND, f"{command[0]}: {case.told}", *outcome)


def _must_be_refused(case: Case) -> bool:
    """Tell whether nothing but a refusal is right."""
    harmless = case.name.partition(" (")[0] in HARMLESS or case.kind == "pair" or case.name in SPARED
    return not harmless and not case.name.startswith("pair")


def _named(line: str, path: Path) -> tuple[str, str]:
    """Hold a refusal to its form: one line, with the name of the file or of the one that belongs to it."""
    if "\n" in line or not any(word in line for word in (path.stem, path.parent.name)):
        return OTHER, f"names no file: {line}"
    return TOLD, line


def _damaged(made: Originals, case: Case) -> tuple[runs.Place, Path]:
    at = runs.place(made.root)
    results = at.work / "results"
    shutil.copytree(made.packed if case.packed else made.grammar, results)
    path = results / f"{case.kind}.parquet" if case.packed else sorted((results / case.kind).iterdir())[0]
    case.change(path)
    return at, path


def _rows(
    change: Callable[[pd.DataFrame], pd.DataFrame], rewrite: Callable[[Path, pd.DataFrame], None]
) -> Callable[[Path], None]:
    """Change the rows of the first unit and write the file anew."""

    def changed(path: Path) -> None:
        frame = pq.ParquetFile(path).read().to_pandas()
        if "unit" in frame:
            unit = frame["unit"].iloc[0]
            own, others = frame[frame["unit"] == unit], frame[frame["unit"] != unit]
            frame = pd.concat([change(own), others])
        else:
            frame = change(frame)
        rewrite(path, frame.apply(_of_one_type))

    return changed


def _of_one_type(column: pd.Series) -> pd.Series:
    """Make text of numbers that stand beside text, which a file cannot hold."""
    kinds = {type(value) for value in column if isinstance(value, (str, float, int)) and value == value}
    return column.astype(str) if str in kinds and len(kinds) > 1 else column


def _by_pandas(path: Path, frame: pd.DataFrame) -> None:
    frame.to_parquet(path)


def _by_arrow(path: Path, frame: pd.DataFrame) -> None:
    before = pq.read_schema(path).metadata or {}
    told = {**before, **(pq.read_metadata(path).metadata or {})}
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(told), path)
