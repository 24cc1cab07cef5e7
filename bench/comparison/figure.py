"""The differences of one quantity: a dot with its interval for each condition."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

from bench.comparison.differences import IDENTICAL, OPEN
from bench.comparison.places import where
from bench.comparison.quantities import Quantity
from bench.comparison.tables import natural
from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, stats

COLUMNS = 2
WIDTH, ROW, AROUND = 6.5, 0.2, 1.0  # inches: of a panel; of a line in it; above and below
TICKS = 6  # at most, so that long numbers do not touch
SHADE = "#ececec"
NARROW = 5  # an axis of ratios is marked evenly up to this factor, by 1, 2, 5 and 10 beyond it


def draw(found: pd.DataFrame, quantity: Quantity) -> Figure | None:
    """A panel for each slice in which anything differs, those of about the same height side by side."""
    shown = natural(found[(found["quantity"] == quantity.name) & (found["verdict"] != IDENTICAL)])
    panels = sorted((part for _, part in shown.groupby(stats.SLICE, observed=True)), key=len)
    if not panels:
        return None
    columns = min(COLUMNS, len(panels))
    lines = [panels[first : first + columns] for first in range(0, len(panels), columns)]
    heights = [AROUND + ROW * max(map(len, line)) for line in lines]
    figure = Figure(figsize=(WIDTH * columns, sum(heights)), layout="constrained")
    axes = figure.subplots(len(lines), columns, squeeze=False, height_ratios=heights).ravel()
    for axis, part in zip(axes, panels, strict=False):
        draw_panel(axis, part, quantity)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    return figure


def draw_panel(axes: Axes, part: pd.DataFrame, quantity: Quantity) -> None:
    """A line for each condition; shaded what is more than undecided."""
    conditions = lineup.ordered(part)
    rows = parts.in_order(part, conditions)
    for place in rows.loc[rows["verdict"] != OPEN, "place"]:
        axes.axhspan(place - 0.5, place + 0.5, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(1 if quantity.ratio else 0, color=style.INK, linewidth=1)
    parts.dots(axes, rows, rows["place"])
    if quantity.ratio:
        ratio_axis(axes)
    else:
        axes.locator_params(axis="x", nbins=TICKS)
    parts.condition_axis(axes, conditions)
    first = next(rows.itertuples())
    axes.set(xlabel=label(first, quantity), title=where(first))


def ratio_axis(axes: Axes) -> None:
    """Equal factors as equal lengths."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(MaxNLocator(TICKS) if high / low < NARROW else LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(LogLocator(subs=()))


def label(row: Any, quantity: Quantity) -> str:
    """What is along x, and which way is better."""
    side = "left" if row.falls else "right"
    return f"{row.what}\nB {'over' if quantity.ratio else 'less'} A ({side}: B is better)"
