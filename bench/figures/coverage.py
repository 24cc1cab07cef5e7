"""Importance sampling on data that hold some of the sequences only: which way the gradient then points."""

import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.statistics import lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Gradients from data that cover a part of the generator's mass"
CAPTION = (
    "Left: cosine of the angle between the mean estimate and the exact gradient of E[f(s)], mean over "
    "sessions with its 95% interval; 1 is the same direction. Right: the relative bias, ||mean estimate - "
    "exact gradient|| / ||exact gradient||, with its BCa bootstrap interval, on a log axis. Both against "
    "the probability that the generator gives to the data set's sequences (mean over sessions), at the "
    "same parameters for all, without training. An estimator that climbs another objective, such as log "
    "L, has another scale, which a learning rate makes good: of it the bias says little, and the cosine "
    "is what matters. The noise of a finite mean is subtracted from the bias, but draws the cosine "
    "towards 0. A hollow mark is the upper end of an interval that reaches 0: no bias was measurable "
    "there. Dotted: a right angle, and an estimate that is always 0."
)
FLOOR = 1e-2  # of the relative bias
COSINE, BIAS = "cosine with the exact gradient", "relative bias"


def draw(tables: Tables) -> Figure | None:
    """The cosine and the bias, side by side."""
    found = readings(tables)
    if found.empty:
        return None
    found = parts.by_group(found.assign(setting=found["variant"], row=""))
    unclear = (found["column"] == BIAS) & (found["low"] <= 0)
    found = parts.bounded(found, unclear)
    plot = parts.curves(found, "mass").label(x="generator's mass that the data cover")
    figure, panels = parts.grid(plot, found, 3.9, 2.8, x=True, y="col")
    for name, height, words in ((COSINE, 0, "right\nangle"), (BIAS, 1, "always\n0")):
        for axes in panels.get(name, []):
            parts.logarithmic(axes, "x")
            parts.level(axes, height, words, ":")
    for axes in panels.get(BIAS, []):
        parts.logarithmic(axes, "y")
        axes.set_ylim(bottom=max(FLOOR, axes.get_ylim()[0]))
    return parts.keys(figure, panels, found)


def readings(tables: Tables) -> pd.DataFrame:
    """Cosine and relative bias of each condition (`column`), by the mass that is covered there."""
    mass = stats.rows(tables, schema.COVERED_MASS)
    if mass.empty:
        return mass
    mass = parts.intervals(mass).rename(columns={"mean": "mass"})
    cosine = parts.intervals(stats.rows(tables, schema.GRADIENT_COSINE))
    both = pd.concat([cosine.assign(column=COSINE), stats.relative_bias(tables).assign(column=BIAS)])
    both = both.merge(mass[[*stats.COMPARED, "mass"]], on=stats.COMPARED)
    return lineup.points(both, "covered")
