"""How often to train the discriminator: at equal cost, and at equal generator updates."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _swept as swept
from bench.statistics import stats
from bench.tables.store import Tables

TITLE = "Discriminator batches for each generator update"
CAPTION = (
    "The quality of what is generated, mean over sessions with its 95% interval, against how many batches "
    "the discriminator is trained on for each generator update (0.2: five updates for a batch), on a log "
    "axis; lines stand a little beside one another. Left: at the end of training, at equal cost: all ratios "
    "have as many batches of both players together, so that with more for the discriminator there are fewer "
    "generator updates. Right: at equal generator updates, as many as every ratio has made: a larger ratio "
    "has cost more there, and controls that ask no discriminator are all alike. Dotted: the start."
)
RATIO = "d_per_g"


def draw(tables: Tables) -> Figure | None:
    """Two panels for each slice of the tables."""
    shown = swept.slices(tables, RATIO)
    if not shown:
        return None
    figure, axes = parts.grid(len(shown), 2, 4.6, 3.6)
    for row, (key, head, found) in zip(axes, shown, strict=True):
        equal = stats.common(found, RATIO)
        titles = ["equal cost", *(f"{step} generator updates" for step in equal["step"].unique())]
        row[1].set_visible(not equal.empty)
        for axis, rows, title in zip(row, (stats.last(found), equal), titles, strict=False):
            swept.panel(axis, rows, RATIO, place, head)
            swept.starts(axis, stats.start(found), RATIO, place)
            axis.set(title=f"{parts.heading(key)}: {title}", xlabel="discriminator batches for each update")
        row[1].sharey(row[0])
    parts.legend(figure, swept.conditions(pd.concat([found for _, _, found in shown])), 3)
    return figure


def place(ratio: pd.Series) -> pd.Series:
    """The place of a ratio on a log axis."""
    return np.log10(ratio)
