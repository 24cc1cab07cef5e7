"""Bias against variance: what a temperature buys, estimator by estimator, at the same parameters."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, stats
from bench.tables.store import Tables

TITLE = "Bias and variance against temperature"
CAPTION = (
    "Squared bias, variance and their sum (the mean squared error) of one draw of the gradient per "
    "generated sample, all parameters together, divided by the exact gradient's squared norm (its "
    "mean over the sessions, taken as known); mean over sessions with its 95% interval, all axes "
    "logarithmic. No training: in a session all estimators and temperatures λ are at the same "
    "parameters, and the exact gradient is enumerated. The noise of the finite sample is subtracted "
    "from the squared bias, which can so fall to 0 or below, where this axis has no place: an arrow "
    "down begins at the upper end of an interval that reaches 0 and means no more than that; it shows "
    "how fine the measurement is, not a bias. Elsewhere an interval that reaches 0 runs off the axis; "
    "what is not above 0 is not drawn. Dotted: an estimate that is always 0, all bias and no variance. "
    "The axis of the variance ends at a ten-thousandth of |g|², and lines run off it: a relaxation that "
    "is saturated, at a low temperature, or flat, at a high one, hardly varies with its noise any more."
)
FLOOR = 1e-4  # of the variance: below it the squared bias is all that matters
PANELS = {"bias": "squared bias", "variance": "variance", "error": "squared bias + variance"}


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables."""
    each = parts.temperatures(stats.relative_errors(tables))
    if each.empty:
        return None
    found = stats.mean_interval(each, [*stats.SLICE, "estimator", parts.LAMBDA, "part"])
    groups = list(found.groupby(stats.SLICE, observed=True))
    figure, axes = parts.grid(len(groups), len(PANELS), 3.7, 3.4)
    for row, (key, part) in zip(axes, groups, strict=True):
        for axis, (name, title) in zip(row, PANELS.items(), strict=True):
            draw_panel(axis, part[part["part"] == name])
            axis.set_title(f"{title} / |g|²")
            if name != "variance":
                axis.axhline(1, color=style.INK, linestyle=":", linewidth=1)
                parts.note(axis, 1, "always 0", "bottom")
            elif axis.get_ylim()[0] < FLOOR:
                top = part.loc[part["part"] == name, ["mean", "high"]].max().max()
                axis.set_ylim(FLOOR, max(2 * top, 1))
        row[0].set_ylabel(f"{parts.heading(key)}: relative to |g|²")
    parts.legend(figure, lineup.ordered(found.assign(setting=lineup.DEFAULT)), 4)
    return figure


def draw_panel(axes: Axes, found: pd.DataFrame) -> None:
    """A line for each estimator, a little beside the others' so that intervals do not cover one another."""
    names = [name for name, _ in lineup.ordered(found.assign(setting=lineup.DEFAULT))]
    axes.set(xscale="log", yscale="log", xlabel=parts.LAMBDA)
    for name, factor in zip(names, parts.aside(len(names)), strict=True):
        part = found[found["estimator"] == name].sort_values(parts.LAMBDA)
        part = part.assign(place=part[parts.LAMBDA] * factor)
        unclear = (part["part"] == "bias") & (part["low"] <= 0)
        parts.line_with_gaps(axes, part.assign(mean=part["mean"].mask(unclear)), style.look(name))
        parts.bounds(axes, part[unclear & (part["high"] > 0)], style.look(name))
