"""Whether two results folders hold the same numbers, bit for bit: the first thing to know of them."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.comparison.places import place
from bench.tables.sameness import same_bits, untimed
from bench.tables.schema import METRICS_KEY, SESSION
from bench.tables.store import Tables


class Identity(NamedTuple):
    """What the sessions that both folders have hold, times apart.

    Attributes:
        sessions: that both have.
        numbers: that both hold.
        differing: how many of these are not equal bit for bit.
        alone: numbers of those sessions that only A, and only B, holds.
        typical: the median relative difference of the differing ones, |a - b| / max(|a|, |b|).
        largest: the number of the largest relative difference (`size`), with both values.
    """

    sessions: int
    numbers: int
    differing: int
    alone: tuple[int, int]
    typical: float = 0.0
    largest: Any = None


def identity(a: Tables, b: Tables) -> Identity:
    """Hold every number of A against the same number of B."""
    sessions = a.trials[SESSION].merge(b.trials[SESSION])
    rows = [numbers(tables, sessions) for tables in (a, b)]
    joined = rows[0].merge(rows[1], on=METRICS_KEY, how="outer", suffixes=("_a", "_b"), indicator="held")
    held = joined["held"].value_counts()
    alone = int(held["left_only"]), int(held["right_only"])
    both = joined[joined["held"] == "both"]
    differ = both[~same_bits(both["value_a"], both["value_b"])]
    if differ.empty:
        return Identity(len(sessions), len(both), 0, alone)
    sized = differ.assign(size=relative(differ["value_a"], differ["value_b"]))
    largest = next(sized.loc[[sized["size"].idxmax()]].itertuples())
    return Identity(len(sessions), len(both), len(differ), alone, float(sized["size"].median()), largest)


def numbers(tables: Tables, sessions: pd.DataFrame) -> pd.DataFrame:
    """The rows of these sessions that may not differ. A string that was drawn twice is one number."""
    return untimed(tables.metrics).merge(sessions, on=SESSION).drop_duplicates(METRICS_KEY)


def relative(a: pd.Series, b: pd.Series) -> pd.Series:
    """|a - b| over the larger of |a| and |b|: 0 to 2; infinite where only one is finite."""
    size = (a - b).abs() / np.maximum(a.abs(), b.abs())
    return size.where(np.isfinite(a) & np.isfinite(b), np.inf).fillna(0)


def sentence(found: Identity) -> str:
    """The answer in words."""
    if not found.sessions:
        return "No session is in both, so there are no two numbers that should be the same."
    where = f"in {found.sessions:,} {'session' if found.sessions == 1 else 'sessions'}, times apart"
    if not found.differing:
        return f"All {found.numbers:,} numbers that both hold are identical ({where}).{only(found)}"
    largest = found.largest
    return (
        f"{found.differing:,} of {found.numbers:,} numbers that both hold differ ({where}): relative "
        f"difference {found.typical:.2g} at the median, {largest.size:.2g} at most ({thing(largest)}: "
        f"{largest.value_a:.6g} in A, {largest.value_b:.6g} in B).{only(found)}"
    )


def thing(row: Any) -> str:
    """Name a number."""
    metric = f"{row.metric} {row.parameter}".strip()
    return f"{metric} of {place(row)}, session {row.session}, step {row.step}"


def only(found: Identity) -> str:
    """What the same sessions have in one folder alone: steps, metrics, strings that the other has not."""
    first, second = found.alone
    if not first and not second:
        return ""
    return f" Further numbers of these sessions are in one only: {first:,} in A, {second:,} in B."
