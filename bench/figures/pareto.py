"""Bias and variance against cost: what a better gradient costs, all estimators at the same parameters."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics import lineup, quality, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Bias and variance against cost"
CAPTION = (
    "One point per estimator, all at the same parameters: the mean over checkpoints and sessions with its "
    f"95% interval over sessions. {parts.PALE} Cost is the process time of one draw, its share of a "
    "stack's update; it depends on the machine. Above: variance of one draw over the true gradient's "
    "squared norm |g|²; along a dotted line variance times seconds is the same, and so is the error after "
    "equal time where there is no bias; estimates of it at or below 0 have no logarithm and are left out, "
    "which raises the smallest. Below: relative bias, |E[draw] - g| / |g|; a hollow mark means that none "
    "can be shown, and is the most there may be, in its family's panel alone. The black line is the "
    "Pareto front: for each estimator on it none is both cheaper and better. Below, an estimator without "
    "a measurable bias ends it. The true gradient is exact."
)
VARIANCE, BIAS = "variance of one draw / |g|²", "relative bias"


def draw(tables: Tables) -> Figure | None:
    """A row of panels for the variance, and one for the bias."""
    if not quality.measured(tables):
        return None
    spread, bias = (with_cost(found, tables) for found in (quality.variances(tables), quality.biases(tables)))
    clear = (bias["p_holm"] < 1 - stats.LEVEL) & (bias["mean"] > 0)
    both = pd.concat([spread.assign(row=VARIANCE, clear=True), bias.assign(row=BIAS, clear=clear)])
    found = parts.by_group(both, "column")
    found = parts.bounded(found, ~found["clear"])
    plot = parts.points(found, "cost").label(x="ms per draw")
    figure, panels = parts.grid(plot, found, 2.1, 2.6, x=True, y="row")
    least = bias[~clear].assign(mean=bias["high"]).nsmallest(1, "cost")
    fronts = {VARIANCE: spread, BIAS: pd.concat([bias[clear], least])}
    for row, beaten in fronts.items():
        for axes in panels[panels.index == row].to_numpy().flat:
            parts.logarithmic(axes, "x", "y")
            staircase(axes, quality.front(beaten))
    for axes in panels.loc[VARIANCE]:
        if axes.get_yscale() == "log":
            equal_work(axes)
    return parts.keys(figure, panels, found, lines=False)


def with_cost(found: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """The contenders, with milliseconds of one draw as `cost`."""
    seconds = quality.costs(tables, schema.SECONDS)
    both = found.merge(seconds[[*stats.COMPARED, "mean"]], on=stats.COMPARED, suffixes=("", "_cost"))
    pairs = zip(both["estimator"], both["setting"], strict=True)
    contend = np.array([lineup.competes(*pair) for pair in pairs], dtype=bool)
    return both[contend].assign(cost=1000 * both["mean_cost"]).reset_index(drop=True)


def staircase(axes: Axes, front: pd.DataFrame) -> None:
    """Through the rows that nothing beats."""
    axes.step(front["cost"], front["mean"], where="post", color="black", linewidth=1, zorder=0)


def equal_work(axes: Axes) -> None:
    """Lines along which variance times seconds is the same, each a factor of ten from the next."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for work in 10.0 ** np.arange(*np.ceil(np.log10([left * bottom, right * top]))):
        axes.plot([left, right], [work / left, work / right], ":", color=INK, linewidth=0.3, zorder=0)
    axes.set(xlim=(left, right), ylim=(bottom, top))
