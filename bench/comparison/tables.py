"""The comparisons as tables in words: for the terminal, the page and the files."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from bench.comparison.differences import BETTER, CHANGED, IDENTICAL, OPEN, WORSE
from bench.comparison.places import condition, where
from bench.comparison.quantities import ALL, NAMED, QUANTITIES
from bench.report import words
from bench.report.summary import Table
from bench.statistics import lineup, stats

#: Of a ratio these are logarithms in the comparison, and never shown as such.
LOGARITHMS = ["a", "b", "mean", "low", "high"]
HEADINGS = [
    *("where", "estimator", "quantity", "B is", "A", "B", "B less A", "p after Holm"),
    *("effect", "P(B better)", "compared"),
]
VERDICTS = {
    BETTER: "B better",
    WORSE: "B worse",
    OPEN: OPEN,
    CHANGED: "changed, not tested",
    IDENTICAL: IDENTICAL,
}


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """A row for each quantity: how many comparisons, and how they went."""
    counts = found.groupby(["quantity", "verdict"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(VERDICTS), fill_value=0).rename(columns=VERDICTS)
    counts.insert(0, "compared", counts.sum(axis=1))
    counts = counts.reindex([name for name in NAMED if name in counts.index])
    counts.insert(0, "quantity", [NAMED[name].title for name in counts.index])
    return counts.reset_index(drop=True)


def in_full(found: pd.DataFrame) -> Table:
    """Every comparison as numbers, and those of more than identical numbers as words."""
    numbers = natural(found).drop(columns="falls").rename(columns={"mean": "difference"})
    rows = list(natural(found[found["verdict"] != IDENTICAL]).itertuples())
    shown = [
        {"where": where(row), "estimator": lineup.label(row.estimator, row.setting)}
        | {"quantity": row.what, "B is": row.verdict}
        | values(row)
        | {
            "effect": words.estimate(part(row, "effect"), 2, sign=True),
            "P(B better)": words.estimate(part(row, "improvement"), 2),
            "compared": sample(row),
        }
        for row in rows
    ]
    return Table(numbers, pd.DataFrame(shown, columns=HEADINGS))


def in_short(found: pd.DataFrame) -> list[list[str]]:
    """The same rows for the terminal, with a line of headings."""
    rows = [
        {"where": where(row), "condition": condition(row), "quantity": row.what, "B is": row.verdict}
        | values(row)
        for row in natural(found).itertuples()
    ]
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def values(row: Any) -> dict[str, str]:
    """Both means, their difference or ratio with its interval, and p."""
    quantity = NAMED[row.quantity]
    difference = words.estimate(row, quantity.digits, sign=not quantity.ratio)
    return {
        "A": words.number(row.a, quantity.digits),
        "B": words.number(row.b, quantity.digits),
        "B less A": f"×{difference}" if quantity.ratio else difference,
        "p after Holm": words.p_value(row.p_holm),
    }


def natural(found: pd.DataFrame) -> pd.DataFrame:
    """Logarithms as what they are the logarithms of; a column `scale` says which rows are of a ratio."""
    ratio = found["quantity"].isin([q.name for q in QUANTITIES if q.ratio])
    plain = found.assign(scale=np.where(ratio, "ratio", "difference"))
    plain[LOGARITHMS] = found[LOGARITHMS].mask(ratio, np.exp(found[LOGARITHMS].where(ratio)))
    return plain


def part(row: Any, name: str) -> SimpleNamespace:
    """A further estimate of a row, as `words` wants it."""
    ends = (getattr(row, f"{name}_{end}") for end in ("low", "high"))
    return SimpleNamespace(**dict(zip(("mean", "low", "high"), (getattr(row, name), *ends), strict=True)))


def sample(row: Any) -> str:
    """How many replicates of what kind, and whether in pairs."""
    unit = "condition" if row.estimator == ALL else NAMED[row.quantity].unit
    if row.paired:
        return words.counted(row.n_a, f"paired {unit}")
    return f"{row.n_a} and {words.counted(row.n_b, unit)}"


def pairing(found: pd.DataFrame) -> str:
    """How the sessions were compared, in words."""
    of_sessions = found[found["quantity"].isin([q.name for q in QUANTITIES if q.unit == "session"])]
    pairs = of_sessions.loc[of_sessions["paired"], "n_a"]
    unpaired = int((~of_sessions["paired"]).sum())
    said = []
    if len(pairs):
        least, most = pairs.min(), pairs.max()
        said.append(
            f"{len(pairs):,} comparisons are paired by session, with "
            + (f"{words.counted(most, 'pair')} each" if least == most else f"{least} to {most} pairs")
        )
    if unpaired:
        said.append(f"{unpaired:,} are not, since fewer than half of the sessions are in both (Welch's t)")
    return f"{'; '.join(said)}." if said else ""


def outcome(found: pd.DataFrame) -> str:
    """What is significant, in a sentence."""
    tested, count = int(found["p"].notna().sum()), found["verdict"].value_counts()
    better, worse = (int(count.get(verdict, 0)) for verdict in (BETTER, WORSE))
    if not tested:
        return ""
    if not better and not worse:
        return f"None of {words.counted(tested, 'tested difference')} is significant after Holm's correction."
    return (
        f"Significant after Holm's correction ({1 - stats.LEVEL:.0%} over all that is tested): "
        f"{better + worse:,} of {words.counted(tested, 'difference')}; "
        f"B is better in {better:,} and worse in {worse:,}."
    )
