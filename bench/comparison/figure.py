"""The differences of one quantity: a dot with its interval for each condition."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.comparison.differences import IDENTICAL, OPEN
from bench.comparison.places import where
from bench.comparison.quantities import Quantity
from bench.comparison.tables import natural
from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics import lineup, stats

COLUMNS = 2
WIDTH, ROW, AROUND = 5.6, 0.19, 1.0  # inches: of a panel; of a line in it; above and below
SHADE = "#ececec"


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
    places = figure.subfigures(len(lines), columns, squeeze=False, height_ratios=heights)
    for place, part in zip(places.flat, panels, strict=False):
        _, drawn = parts.dots(
            part.assign(column=where(next(part.itertuples()))), lineup.ordered(part), on=place
        )
        finish(next(iter(drawn.values())), part, quantity)
    return figure


def finish(axes: Axes, part: pd.DataFrame, quantity: Quantity) -> None:
    """Shade what is more than undecided, and say which way is better."""
    decided = lineup.ordered(part[part["verdict"] != OPEN])
    for place, condition in enumerate(lineup.ordered(part)):
        if condition in decided:
            axes.axhspan(place - 0.5, place + 0.5, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(1 if quantity.ratio else 0, color=INK, linewidth=1, zorder=0)
    if quantity.ratio:
        parts.logarithmic(axes, "x")
    else:
        axes.locator_params(axis="x", nbins=parts.TICKS)
    row = next(part.itertuples())
    side = "left" if row.falls else "right"
    axes.set_xlabel(f"{row.what}\nB {'over' if quantity.ratio else 'less'} A ({side}: B is better)")
