"""What undisturbed runs give, against which everything is held."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bench.tables import schema, store
from bench.tables.merge import merge
from bench.tables.sameness import same_bits, untimed
from faults import runs
from faults.tries import CHANGED, MISSING, SAME

GRAMMAR = ["run", "grammar", "--preset", "smoke", "--estimators", "reinforce_loo,rebar", "--lengths", "3"]
NAP = ["run", "nap", "--preset", "smoke", "--estimators", "rebar,reinforce_loo,exact"]
RESULTS = Path("results", "smoke")
CIRCUMSTANCES = ("seconds", "finished", "threads", "commit", "machine")
"""Columns of trials in which two runs of the same may differ."""


class Originals(NamedTuple):
    """Folders of results: of the fake experiment, of a real one, and the latter packed; and a warm cache."""

    root: Path
    nap: Path
    grammar: Path
    packed: Path
    cache: Path


def make(root: Path) -> Originals:
    """Run both undisturbed."""
    found = []
    for command in ([*runs.FAKE, *NAP], [*runs.REAL, *GRAMMAR]):
        at = runs.place(root)
        done = runs.run(at, command)
        if done.code != 0:
            raise RuntimeError(f"without any fault: {done.last}")
        found.append(at)
    nap, grammar = (at.work / RESULTS for at in found)
    merge([grammar], root / "packed")
    return Originals(root, nap, grammar, root / "packed", found[1].cache)


def compared(before: store.Tables, now: store.Tables, again: bool) -> tuple[str, str]:
    """Hold tables against others: to the last bit, of two runs but for times.

    Args:
        before: as it is right.
        now: as they are.
        again: whether these are another run's.
    """
    sides = []
    for tables in (before, now):
        metrics = untimed(tables.metrics) if again else tables.metrics
        trials = tables.trials.drop(columns=list(CIRCUMSTANCES)) if again else tables.trials
        sides.append((_ordered(metrics), _ordered(trials)))
    for what, a, b in zip(("metrics", "trials"), *sides, strict=True):
        if len(a) != len(b):
            return MISSING if len(b) < len(a) else CHANGED, f"{len(a)} rows of {what} became {len(b)}"
        for column in a:
            number = pd.api.types.is_float_dtype(a[column])
            same = same_bits(a[column], b[column]) if number else (a[column] == b[column]).to_numpy()
            if not same.all():
                return CHANGED, f"{(~same).sum()} of {column} in {what} changed"
    return SAME, ""


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    key = [name for name in (*schema.METRICS_KEY, "config_hash", "value") if name in frame]
    return frame.sort_values(key, kind="stable").reset_index(drop=True)
