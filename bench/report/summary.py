"""The tables of the page: what each condition ends with, and how far apart the conditions are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench import schema, stats, style
from bench.report import words
from bench.store import Tables

BASELINES = [("reinforce_loo", style.DEFAULT), ("reinforce", style.DEFAULT)]
X = "x"
TOTAL = "total"
STATUSES = [schema.OK, schema.DIVERGED, schema.FAILED]


class Quantity(NamedTuple):
    """One column: what it is called, how many digits it has, and where it comes from."""

    name: str
    heading: str
    digits: int
    measure: Callable[[Tables], pd.DataFrame]  # estimator, setting, mean, low, high, n
    sign: bool = False


class Table(NamedTuple):
    """A table twice: as numbers for the CSV file, as words for the page and the Markdown file."""

    numbers: pd.DataFrame
    words: pd.DataFrame


def means(
    metric: str, parameter: str = "", when: Callable[[pd.DataFrame], pd.DataFrame] = stats.last
) -> Callable[[Tables], pd.DataFrame]:
    """How to measure a metric at the last step, or at another."""

    def measure(tables: Tables) -> pd.DataFrame:
        return stats.mean_interval(when(stats.rows(tables, metric, parameter)), stats.COMPARED)

    return measure


def token_excess(tables: Tables) -> pd.DataFrame:
    """Frequency of the token x, less the data's."""
    made = stats.last(stats.rows(tables, schema.UNIGRAM, X))
    real = stats.rows(tables, schema.UNIGRAM_DATA, X)
    both = made.merge(real, on=schema.SESSION, suffixes=("", "_data"))
    excess = both.assign(value=both["value"] - both["value_data"])
    return stats.mean_interval(excess, stats.COMPARED)


def seconds(tables: Tables) -> pd.DataFrame:
    """A session's share of its stack's wall-clock time."""
    ok = tables.trials[tables.trials["status"] == schema.OK]
    return stats.mean_interval(ok.rename(columns={"seconds": "value"}), stats.COMPARED)


QUANTITIES = [
    Quantity("goodness", "goodness", 3, means(schema.GOODNESS)),
    Quantity("perfect_fraction", "perfect strings", 3, means(schema.PERFECT_FRACTION)),
    Quantity("valid_fraction", "valid strings", 3, means(schema.VALID_FRACTION)),
    Quantity("x_excess", "x less the data's", 3, token_excess, sign=True),
    Quantity(
        "log_variance_start",
        "log-variance, start",
        2,
        means(schema.GRADIENT_LOG_VARIANCE, TOTAL, stats.start),
    ),
    Quantity(
        "log_variance",
        "log-variance, end",
        2,
        means(schema.GRADIENT_LOG_VARIANCE, TOTAL),
    ),
    Quantity("relative_bias", "relative bias", 3, stats.relative_bias),
    Quantity("seconds", "seconds per session", 2, seconds),
    Quantity("generator_calls", "generator calls", 0, means(schema.GENERATOR_CALLS)),
    Quantity("discriminator_calls", "discriminator calls", 0, means(schema.DISCRIMINATOR_CALLS)),
]


def table(tables: Tables) -> Table:
    """One row per condition, the best at the end first; what was not measured has no column."""
    shown = sessions(tables.trials)
    numbers = shown.copy()
    for quantity in QUANTITIES:
        found = quantity.measure(tables)
        if found.empty:
            continue
        found = shown[stats.COMPARED].merge(found, on=stats.COMPARED, how="left")
        shown[quantity.heading] = [
            words.estimate(row, quantity.digits, quantity.sign) for row in found.itertuples()
        ]
        for column, suffix in (("mean", ""), ("low", "_low"), ("high", "_high")):
            numbers[f"{quantity.name}{suffix}"] = found[column]
    shown["sessions"] = [count(row) for row in numbers.itertuples()]
    shown = shown.drop(columns=[*stats.COMPARED, *STATUSES]).rename(columns={"label": "estimator"})
    if "goodness" in numbers:
        numbers = numbers.sort_values("goodness", ascending=False, kind="stable")
    return Table(numbers, shown.loc[numbers.index])


def sessions(trials: pd.DataFrame) -> pd.DataFrame:
    """Every condition, labelled, with its number of sessions of each status."""
    conditions = style.ordered(trials)
    found = trials.groupby([*stats.COMPARED, "status"], observed=True).size().unstack(fill_value=0)
    found = found.reindex(index=conditions, columns=STATUSES, fill_value=0)
    found.index.names = stats.COMPARED
    found = found.reset_index()
    found.insert(0, "label", [style.label(*condition) for condition in conditions])
    return found


def count(row: Any) -> str:
    """30, or 27 of 30 (3 diverged)."""
    counts = {status: getattr(row, status) for status in STATUSES}
    lost = [f"{n} {status}" for status, n in counts.items() if n and status != schema.OK]
    total = sum(counts.values())
    return f"{counts[schema.OK]} of {total} ({', '.join(lost)})" if lost else str(total)


def differences(tables: Tables) -> Table | None:
    """Final goodness less each baseline's, paired by session; None without a baseline."""
    final = stats.last(stats.rows(tables, schema.GOODNESS))
    parts = [
        stats.paired_differences(final, baseline).assign(baseline=style.label(*baseline))
        for baseline in BASELINES
    ]
    found = pd.concat([part for part in parts if not part.empty] or [pd.DataFrame()])
    if found.empty:
        return None
    rows = list(found.itertuples())
    found.insert(0, "label", [style.label(row.estimator, row.setting) for row in rows])
    shown = pd.DataFrame(
        {
            "baseline": found["baseline"],
            "estimator": found["label"],
            "difference in final goodness": [words.estimate(row, 3, sign=True) for row in rows],
            "p (paired t-test)": [p_value(p) for p in found["p"]],
            "p after Holm": [p_value(p) for p in found["p_holm"]],
            "sessions": found["n"].astype(int),
        }
    )
    return Table(found, shown)


def p_value(p: float) -> str:
    """Four digits, or that it is below them."""
    return "< 0.0001" if p < 0.0001 else words.number(p, 4)


def save(found: Table, stem: Path) -> None:
    """Write `<stem>.csv` (numbers) and `<stem>.md` (words)."""
    found.numbers.to_csv(stem.with_suffix(".csv"), index=False, float_format="%.6g")
    head = [str(column) for column in found.words]
    lines = [head, ["---"] * len(head), *found.words.astype(str).to_numpy().tolist()]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
