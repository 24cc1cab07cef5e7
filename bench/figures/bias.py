"""Bias of each estimator against the true gradient, which the papers do not show."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, stats
from bench.tables.store import Tables

TITLE = "Bias of the gradient estimates"
CAPTION = (
    "Relative bias, ||mean estimate - true gradient|| / ||true gradient||, after the last update; in "
    "gradient_quality at the last checkpoint, where the parameters are the same for all. The true gradient "
    "is found by enumerating every sequence or, where they are too many, from very many draws. BCa "
    "bootstrap interval (95%) over sessions. The noise of finite samples is subtracted, so an unbiased "
    "estimator lies at 0 within its interval. The axis is linear up to 1, where a bias is as long as "
    "the gradient, and logarithmic beyond."
)
BELOW = [0, 0.25, 0.5, 0.75]
BEYOND = [1, 2, 5]


def draw(tables: Tables) -> Figure | None:
    """One panel for each slice of the tables."""
    found = parts.plain(stats.relative_bias(tables))
    if found.empty:
        return None
    groups = list(found.groupby(stats.SLICE, observed=True))
    rows = max(len(part) for _, part in groups)
    figure, axes = parts.grid(1, len(groups), 6.5, 1 + 0.26 * rows)
    for axis, (key, part) in zip(axes[0], groups, strict=True):
        draw_panel(axis, part, parts.heading(key))
    return figure


def draw_panel(axes: Axes, part: pd.DataFrame, title: str) -> None:
    """A row per condition, and a line at no bias."""
    conditions = lineup.ordered(part)
    rows = parts.in_order(part, conditions)
    axes.axvline(0, color=style.INK, linewidth=1)
    parts.dots(axes, rows, rows["place"])
    parts.condition_axis(axes, conditions)
    axes.set(xlabel="relative bias", title=title)
    scale(axes, rows[["mean", "high"]].max().max())


def scale(axes: Axes, most: float) -> None:
    """Tell small biases apart beside great ones."""
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.05, 1.1 * max(1.0, most))
    ticks = [*BELOW, *(digit * 10.0**power for power in range(9) for digit in BEYOND)]
    shown = [tick for tick in ticks if tick <= axes.get_xlim()[1]]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.axvline(1, color=style.INK, linestyle=":", linewidth=1)
