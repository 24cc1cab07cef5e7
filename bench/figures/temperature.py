"""Figure 6 of the REGAN paper: REBAR with temperatures over several orders of magnitude."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench import schema, stats, style
from bench.figures import _parts as parts
from bench.store import Tables

TITLE = "Temperature"
CAPTION = (
    "Top: goodness score along training for each temperature λ, mean over sessions with its 95% "
    "interval. Bottom: goodness and gradient log-variance (all parameters together) at the end of "
    "training against λ, on a log axis. At the end every condition is at other parameters, so the "
    "variances compare more than the temperatures."
)
LAMBDA = "temperature λ"


def draw(tables: Tables) -> Figure | None:
    """Two rows of panels for each slice of the tables."""
    shown = [found for _, part in stats.slices(tables) if not (found := goodness(part)).empty]
    if not shown:
        return None
    width = max(2, *(found["estimator"].nunique() for found in shown))
    figure, axes = parts.grid(2 * len(shown), width, 4.2, 2.7)
    for place, (found, part) in enumerate(zip(shown, swept(tables), strict=True)):
        draw_slice(axes[2 * place : 2 * place + 2], found, variance(part))
    every = sorted(set().union(*(found[LAMBDA] for found in shown)))
    handles = [Line2D([], [], color=colour, label=f"{value:g}") for value, colour in palette(every).items()]
    figure.legend(handles=handles, title="λ", loc="outside right upper")
    names = pd.concat(shown).assign(setting=style.DEFAULT)
    parts.legend(figure, style.ordered(names), width)
    return figure


def swept(tables: Tables) -> list[Tables]:
    """The slices that vary the temperature."""
    return [part for _, part in stats.slices(tables) if not goodness(part).empty]


def goodness(tables: Tables) -> pd.DataFrame:
    """Goodness by temperature."""
    return temperatures(stats.rows(tables, schema.GOODNESS))


def variance(tables: Tables) -> pd.DataFrame:
    """Total log-variance by temperature."""
    return temperatures(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, "total"))


def temperatures(table: pd.DataFrame) -> pd.DataFrame:
    """Only settings that name a temperature, with its number as a column."""
    number = table["setting"].astype(str).str.extract("^lambda=(.+)$", expand=False)
    return table.assign(**{LAMBDA: pd.to_numeric(number)}).dropna(subset=LAMBDA)


def palette(values: list[float]) -> dict[float, Any]:
    """A colour for each temperature."""
    return dict(zip(values, style.sequential(len(values)), strict=True))


def draw_slice(axes: Any, quality: pd.DataFrame, spread: pd.DataFrame) -> None:
    """Two rows of panels: curves per estimator, and the ends of all estimators together."""
    estimators = [name for name, _ in style.ordered(quality.assign(setting=style.DEFAULT))]
    for axis in axes.flat:
        axis.set_visible(False)
    for axis, name in zip(axes[0], estimators, strict=False):
        draw_curves(axis, quality[quality["estimator"] == name], style.label(name))
    draw_ends(axes[1][0], quality, "goodness score at the end")
    if not spread.empty:
        draw_ends(axes[1][1], spread, parts.NAT)
    for axis in axes[0][1 : len(estimators)]:
        axis.sharey(axes[0][0])


def draw_curves(axes: Axes, table: pd.DataFrame, title: str) -> None:
    """One estimator's learning curves, a curve for each temperature."""
    axes.set_visible(True)
    found = stats.mean_interval(table, [LAMBDA, "step"])
    colours = palette(sorted(found[LAMBDA].unique()))
    for value, part in found.groupby(LAMBDA):
        axes.plot(part["step"], part["mean"], color=colours[value])
        parts.band(axes, part, colours[value])
    axes.axhline(stats.best_goodness(table["length"].iloc[0]), color=style.INK, linestyle="--", linewidth=1)
    axes.set(xlabel=parts.UPDATES, ylabel="goodness score", title=title)
    sns.despine(ax=axes)


def draw_ends(axes: Axes, table: pd.DataFrame, ylabel: str) -> None:
    """Where training ends against temperature, a line for each estimator."""
    axes.set_visible(True)
    found = stats.mean_interval(stats.last(table), ["estimator", LAMBDA])
    for name, part in found.groupby("estimator", observed=True):
        part, look = part.sort_values(LAMBDA), style.look(name)
        axes.errorbar(
            part[LAMBDA],
            part["mean"],
            yerr=parts.arms(part),
            **parts.point(look) | {"linestyle": look.line},
        )
    axes.set_xscale("log")
    axes.set(xlabel=LAMBDA, ylabel=ylabel)
    sns.despine(ax=axes)
