"""The answers on how often to train the discriminator: at equal cost, and at equal generator updates."""

from collections.abc import Iterator

import pandas as pd

from bench.report import sweep, words
from bench.report.answers import Answer
from bench.statistics import headline, lineup, stats
from bench.tables.store import Tables

RATIO = "d_per_g"


def sentences(tables: Tables) -> list[Answer]:
    """Say what the comparison of the ends is at equal cost of, and how it looks at equal updates."""
    head = headline.of(tables)
    quality = lineup.points(headline.rows(tables), RATIO)
    if quality.empty:
        return []
    found = list(cost(quality))
    for line in sweep.lines(quality):
        rows = stats.common(sweep.of(quality, line), RATIO)
        if not rows.empty:
            text = " ".join(sweep.quality(rows, head))
            about = f"{lineup.label(*line)}, at equal generator updates"
            found.append(Answer(about, f"After {words.counted(rows['step'].iloc[0], 'update')}: {text}"))
    return found


def cost(quality: pd.DataFrame) -> Iterator[Answer]:
    """What the ends have in common."""
    spent = batches(quality).groupby(RATIO)["batches"].max().round()
    low, high = (f"{value:,.0f}" for value in (spent.min(), spent.max()))
    yield Answer(
        "Equal cost",
        f"The ends of training are compared at equal cost: {low if low == high else f'{low} to {high}'} "
        "batches in all, a generator update's being one.",
    )


def batches(quality: pd.DataFrame) -> pd.DataFrame:
    """How many batches of both players each step has taken."""
    return quality.assign(batches=quality["step"] * (1 + quality[RATIO]))
