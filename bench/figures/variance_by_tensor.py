"""Gradient variance by tensor: one weight, the paper's choice, need not speak for the rest."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.statistics import lineup, stats
from bench.statistics.lineup import Condition
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Gradient variance by parameter tensor"
CAPTION = (
    "Natural log of the variance of one gradient estimate, per generated sample and summed over "
    "each tensor, at the end of training (mean and 95% interval over sessions). Here every "
    "estimator is at the parameters it trained to, so differences mix the estimator's variance "
    f"with where it went. {parts.OFF}"
)


def draw(tables: Tables) -> Figure | None:
    """One panel for each slice of the tables."""
    table = parts.plain(stats.last(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE)))
    if table.empty:
        return None
    found = stats.mean_interval(table, [*stats.SLICE, *stats.COMPARED, "parameter"])
    groups = list(found.groupby(stats.SLICE, observed=True))
    names = list(found["parameter"].unique())
    conditions = lineup.ordered(found)
    height = 0.8 + 0.085 * len(names) * (len(conditions) + 2)
    figure, axes = parts.grid(1, len(groups), 8.5 / len(groups) ** 0.5, height)
    for axis, (key, part) in zip(axes[0], groups, strict=True):
        draw_panel(axis, part, names, conditions)
        axis.set(xlabel=parts.NAT, title=parts.heading(key))
    parts.legend(figure, conditions, 3, lines=False)
    return figure


def draw_panel(axes: Axes, found: pd.DataFrame, names: list[str], conditions: list[Condition]) -> None:
    """A band per tensor, in it a dot per condition, in the same order in every band."""
    for place, name in enumerate(names):
        part = parts.in_order(found[found["parameter"] == name], conditions)
        parts.dots(axes, part, place + 0.8 * ((part["place"] + 0.5) / len(conditions) - 0.5))
    for edge in range(len(names) - 1):
        axes.axhline(edge + 0.5, color="#cccccc", linewidth=0.8)
    axes.set_xlim(left=parts.cut(*axes.get_xlim()))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
