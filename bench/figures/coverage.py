"""Importance sampling on data that hold some of the sequences only: which way the gradient then points."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.figures._style import Look
from bench.statistics import lineup, stats
from bench.statistics.lineup import Condition
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Gradients from data that cover a part of the generator's mass"
CAPTION = (
    "Left: cosine of the angle between the mean estimate and the exact gradient of E[f(s)], mean over "
    "sessions with its 95% interval; 1 is the same direction. Right: the relative bias, ||mean estimate - "
    "exact gradient|| / ||exact gradient||, with its BCa bootstrap interval, on a log axis. Both against "
    "the probability that the generator gives to the data set's sequences (mean over sessions), at the same "
    "parameters for all, without training; lines stand a little beside one another. An estimator that "
    "climbs another objective, such as log L, has another scale, which a learning rate makes good: of it "
    "the bias says little, and the cosine is what matters. The noise of a finite mean is subtracted from "
    "the bias, but draws the cosine towards 0. An arrow down begins at the upper end of an interval that "
    "reaches 0: no bias was measurable there. Dotted: a right angle, and an estimate that is always 0."
)
FLOOR = 1e-2  # of the relative bias


def draw(tables: Tables) -> Figure | None:
    """Two panels for each slice of the tables."""
    shown = [(key, found) for key, part in stats.slices(tables) if not (found := readings(part)).empty]
    if not shown:
        return None
    figure, axes = parts.grid(len(shown), 2, 4.6, 3.4)
    for row, (key, found) in zip(axes, shown, strict=True):
        draw_slice(row, found)
        row[0].set_title(parts.heading(key))
    parts.legend(figure, conditions(pd.concat([found for _, found in shown])), 2)
    return figure


def readings(tables: Tables) -> pd.DataFrame:
    """Cosine and relative bias of each condition (`what`), with the mass that is covered there."""
    mass = stats.rows(tables, schema.COVERED_MASS)
    if mass.empty:
        return mass
    mass = stats.mean_interval(mass, stats.COMPARED).rename(columns={"mean": "mass"})
    cosine = stats.mean_interval(stats.rows(tables, schema.GRADIENT_COSINE), stats.COMPARED)
    both = pd.concat([cosine.assign(what="cosine"), stats.relative_bias(tables).assign(what="bias")])
    return lineup.points(both.merge(mass[[*stats.COMPARED, "mass"]], on=stats.COMPARED), "covered")


def conditions(found: pd.DataFrame) -> list[Condition]:
    """A line for each: an estimator, and what of it is varied."""
    return lineup.ordered(found.assign(setting=found["variant"]))


def draw_slice(row: Any, found: pd.DataFrame) -> None:
    """Both panels."""
    lines = conditions(found)
    for (estimator, variant), factor in zip(lines, parts.aside(len(lines)), strict=True):
        part = found[(found["estimator"] == estimator) & (found["variant"] == variant)].sort_values("covered")
        part = part.assign(place=part["mass"] * factor)
        draw_cosine(row[0], part[part["what"] == "cosine"], style.look(estimator, variant))
        draw_bias(row[1], part[part["what"] == "bias"], style.look(estimator, variant))
    for axis, height in zip(row, (0, 1), strict=True):
        axis.set(xscale="log", xlabel="generator's mass that the data cover")
        axis.axhline(height, color=style.INK, linestyle=":", linewidth=1)
    row[0].set_ylabel("cosine with the exact gradient")
    row[1].set(yscale="log", ylabel="relative bias")
    row[1].set_ylim(bottom=max(FLOOR, row[1].get_ylim()[0]))


def draw_cosine(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    """A line with intervals."""
    axes.errorbar(
        part["place"], part["mean"], yerr=parts.arms(part), **parts.point(look) | {"linestyle": look.line}
    )


def draw_bias(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    """A line with intervals, and upper bounds where none is measurable."""
    unclear = part["low"] <= 0
    parts.line_with_gaps(axes, part.assign(mean=part["mean"].mask(unclear)), look)
    parts.bounds(axes, part[unclear & (part["high"] > 0)], look)
