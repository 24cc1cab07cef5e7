"""Bias of each estimator against the enumerated gradient, which the paper does not show."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import stats, style
from bench.figures import _parts as parts
from bench.store import Tables

TITLE = "Bias of the gradient estimates"
CAPTION = (
    "Relative bias at the end of training, ||mean estimate - exact gradient|| / ||exact "
    "gradient||, with the exact gradient found by enumerating every sequence; BCa bootstrap "
    "interval (95%) over sessions. The noise of the finite sample is subtracted, so an unbiased "
    "estimator lies at 0 within its interval."
)


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
    conditions = style.ordered(part)
    rows = parts.in_order(part, conditions)
    axes.axvline(0, color=style.INK, linewidth=1)
    parts.dots(axes, rows, rows["place"])
    parts.condition_axis(axes, conditions)
    axes.set(xlabel="relative bias", title=title)
