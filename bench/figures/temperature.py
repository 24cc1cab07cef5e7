"""Figure 6 of the REGAN paper: REBAR with temperatures over several orders of magnitude."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Temperature"
CAPTION = (
    "Top: the quality of what is generated along training for each temperature λ, mean over sessions "
    "with its 95% interval. Bottom: that quality and gradient log-variance (all parameters together) at "
    "the end of training against λ, on a log axis. At the end every condition is at other parameters, "
    "so the variances compare more than the temperatures."
)


def draw(tables: Tables) -> Figure | None:
    """Two rows of panels for each slice of the tables."""
    swept = [part for _, part in stats.slices(tables) if not quality(part).empty]
    if not swept:
        return None
    shown = [quality(part) for part in swept]
    width = max(2, *(found["estimator"].nunique() for found in shown))
    figure, axes = parts.grid(2 * len(shown), width, 4.2, 2.7)
    for place, part in enumerate(swept):
        draw_slice(axes[2 * place : 2 * place + 2], part)
    every = sorted(set().union(*(found[parts.LAMBDA] for found in shown)))
    handles = [Line2D([], [], color=colour, label=f"{value:g}") for value, colour in palette(every).items()]
    figure.legend(handles=handles, title="λ", loc="outside right upper")
    names = pd.concat(shown).assign(setting=lineup.DEFAULT)
    parts.legend(figure, lineup.ordered(names), width)
    return figure


def quality(tables: Tables) -> pd.DataFrame:
    """The headline by temperature."""
    return parts.temperatures(headline.rows(tables))


def variance(tables: Tables) -> pd.DataFrame:
    """Total log-variance by temperature."""
    return parts.temperatures(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, "total"))


def palette(values: list[float]) -> dict[float, Any]:
    """A colour for each temperature."""
    return dict(zip(values, style.sequential(len(values)), strict=True))


def draw_slice(axes: Any, tables: Tables) -> None:
    """Two rows of panels: curves per estimator, and the ends of all estimators together."""
    head, found, spread = headline.of(tables), quality(tables), variance(tables)
    estimators = [name for name, _ in lineup.ordered(found.assign(setting=lineup.DEFAULT))]
    for axis in axes.flat:
        axis.set_visible(False)
    for axis, name in zip(axes[0], estimators, strict=False):
        draw_curves(axis, found[found["estimator"] == name], head)
        axis.set_title(lineup.label(name))
    draw_ends(axes[1][0], found, f"{head.axis} at the end")
    if not spread.empty:
        draw_ends(axes[1][1], spread, parts.NAT)
    for axis in axes[0][1 : len(estimators)]:
        axis.sharey(axes[0][0])


def draw_curves(axes: Axes, table: pd.DataFrame, head: Headline) -> None:
    """One estimator's learning curves, a curve for each temperature."""
    axes.set_visible(True)
    found = stats.mean_interval(table, [parts.LAMBDA, "step"])
    colours = palette(sorted(found[parts.LAMBDA].unique()))
    for value, part in found.groupby(parts.LAMBDA):
        axes.plot(part["step"], part["mean"], color=colours[value])
        parts.band(axes, part, colours[value])
    best = head.best(table["length"].iloc[0])
    if best is not None:
        axes.axhline(best, color=style.INK, linestyle="--", linewidth=1)
    axes.set_ylabel(head.axis)
    parts.along_updates(axes)


def draw_ends(axes: Axes, table: pd.DataFrame, ylabel: str) -> None:
    """Where training ends against temperature, a line for each estimator."""
    axes.set_visible(True)
    found = stats.mean_interval(stats.last(table), ["estimator", parts.LAMBDA])
    for name, part in found.groupby("estimator", observed=True):
        part, look = part.sort_values(parts.LAMBDA), style.look(name)
        axes.errorbar(
            part[parts.LAMBDA],
            part["mean"],
            yerr=parts.arms(part),
            **parts.point(look) | {"linestyle": look.line},
        )
    axes.set_xscale("log")
    axes.set(xlabel=parts.LAMBDA, ylabel=ylabel)
