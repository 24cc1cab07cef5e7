"""Bias and variance against cost: what a better gradient costs, all estimators at the same parameters."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, quality, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Bias and variance against cost"
CAPTION = (
    "One point per estimator, all at the same parameters: the mean over checkpoints and sessions with its "
    "95% interval over sessions. Cost is the process time of one draw, its share of a stack's update; it "
    "depends on the machine. Left: variance of one draw over the true gradient's squared norm |g|²; along a "
    "dotted line variance times seconds is the same, and so is the error after equal time where there is no "
    "bias. Right: relative bias, |E[draw] - g| / |g|; an arrow means that none can be shown, and begins at "
    "the most there may be. The black line is the Pareto front: for each estimator on it none is both "
    "cheaper and better. On the right an estimator without a measurable bias ends it. The true gradient is "
    "enumerated, or where sequences are too many the mean of very many draws whose own error is subtracted."
)


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables."""
    shown = [(key, part) for key, part in stats.slices(tables) if quality.measured(part)]
    if not shown:
        return None
    figure, axes = parts.grid(len(shown), 2, 5.6, 4.4)
    for row, (key, part) in zip(axes, shown, strict=True):
        draw_variance(row[0], with_cost(quality.variances(part), part))
        draw_bias(row[1], with_cost(quality.biases(part), part))
        row[0].set_title(parts.heading(key))
    conditions = [c for _, part in shown for c in lineup.ordered(with_cost(quality.variances(part), part))]
    parts.legend(figure, list(dict.fromkeys(conditions)), 4, lines=False)
    return figure


def with_cost(found: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """The contenders, with milliseconds of one draw as `cost`."""
    seconds = quality.costs(tables, schema.SECONDS)
    both = found.merge(seconds[[*stats.COMPARED, "mean"]], on=stats.COMPARED, suffixes=("", "_cost"))
    pairs = zip(both["estimator"], both["setting"], strict=True)
    contend = np.array([lineup.competes(*pair) for pair in pairs], dtype=bool)
    return both[contend].assign(cost=1000 * both["mean_cost"]).reset_index(drop=True)


def prepare(axes: Axes, found: pd.DataFrame, name: str) -> None:
    """Logarithmic axes with room for all costs."""
    axes.set(xscale="log", yscale="log", xlabel="milliseconds per draw", ylabel=name)
    axes.set_xlim(found["cost"].min() / 1.5, found["cost"].max() * 1.5)


def draw_points(axes: Axes, found: pd.DataFrame) -> None:
    """A point with its interval for each condition."""
    for condition, part in parts.one_by_one(found):
        look = parts.point(style.look(*condition))
        axes.errorbar(part["cost"], part["mean"], yerr=parts.arms(part), **look)


def draw_variance(axes: Axes, found: pd.DataFrame) -> None:
    """Variance against cost."""
    prepare(axes, found, "variance of one draw / |g|²")
    draw_points(axes, found)
    draw_front(axes, quality.front(found))
    equal_work(axes)


def draw_bias(axes: Axes, found: pd.DataFrame) -> None:
    """Bias against cost, an arrow where none can be shown."""
    prepare(axes, found, "relative bias")
    clear = (found["p_holm"] < 1 - stats.LEVEL) & (found["mean"] > 0)
    draw_points(axes, found[clear])
    for condition, part in parts.one_by_one(found[~clear & (found["high"] > 0)]):
        parts.bounds(axes, part.assign(place=part["cost"]), style.look(*condition))
    unbiased = found[~clear].assign(mean=found["high"])
    draw_front(axes, quality.front(pd.concat([found[clear], unbiased.nsmallest(1, "cost")])))


def draw_front(axes: Axes, front: pd.DataFrame) -> None:
    """A staircase through the rows that nothing beats."""
    axes.step(front["cost"], front["mean"], where="post", color="black", linewidth=1, zorder=0)


def equal_work(axes: Axes) -> None:
    """Lines along which variance times seconds is the same, each a factor of ten from the next."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for decade in range(-12, 13):
        work = 10.0**decade
        axes.plot([left, right], [work / left, work / right], ":", color=style.INK, linewidth=0.5, zorder=0)
    axes.set_ylim(bottom, top)
