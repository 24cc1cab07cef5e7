"""Bias of each estimator against the true gradient, which the papers do not show."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics import lineup, stats
from bench.tables.store import Tables

TITLE = "Bias of the gradient estimates"
CAPTION = (
    "Relative bias, ||mean estimate - true gradient|| / ||true gradient||, after the last update; in "
    "gradient_quality at the last checkpoint, where the parameters are the same for all. The true "
    "gradient is exact. BCa bootstrap interval (95%) over sessions. The noise of finite samples is "
    "subtracted, so an unbiased estimator lies at 0 within its interval. The axis is linear up to 1, where a "
    "bias is as long as the gradient, and logarithmic beyond."
)
BELOW = [0, 0.25, 0.5, 0.75]
BEYOND = [1, 2, 5]


def draw(tables: Tables) -> Figure | None:
    """A line for each condition."""
    found = parts.plain(stats.relative_bias(tables))
    if found.empty:
        return None
    figure, panels = parts.dots(found.assign(column=""), lineup.ordered(found), width=5)
    axes = panels[""]
    axes.set_xlabel("relative bias")
    scale(axes, found[["mean", "high"]].max().max())
    return figure


def scale(axes: Axes, most: float) -> None:
    """Tell small biases apart beside great ones."""
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.05, 1.1 * max(1.0, most))
    ticks = [*BELOW, *(digit * 10.0**power for power in range(9) for digit in BEYOND)]
    shown = [tick for tick in ticks if tick <= axes.get_xlim()[1]]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.axvline(0, color=INK, linewidth=1, zorder=0)
    axes.axvline(1, color=INK, linestyle=":", linewidth=1, zorder=0)
