"""A panel in which a number is swept: a line for each condition, and where training starts from."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.tables.store import Tables

ASIDE = 0.008  # of the axis, by which lines stand beside one another


def slices(tables: Tables, name: str) -> list[tuple[tuple[str, str, str, int], Headline, pd.DataFrame]]:
    """Each slice in which `name` is swept: its key, its headline, and that headline's rows."""
    found = [(key, part, lineup.points(headline.rows(part), name)) for key, part in stats.slices(tables)]
    return [(key, headline.of(part), rows) for key, part, rows in found if not rows.empty]


def conditions(rows: pd.DataFrame) -> list[lineup.Condition]:
    """A line for each: an estimator or a control, whatever the number."""
    return lineup.ordered(rows.assign(setting=rows["variant"]))


def panel(
    axes: Axes, rows: pd.DataFrame, name: str, place: Callable[[pd.Series], pd.Series], head: Headline
) -> None:
    """Means and intervals against the number in the column `name`, at its place on a linear axis."""
    found = stats.mean_interval(rows.assign(setting=rows["variant"]), [*stats.COMPARED, name])
    numbers = pd.Series(sorted(found[name].unique()))
    ticks = place(numbers)
    shown = list(parts.by_condition(found))
    step = ASIDE * max(ticks.max() - ticks.min(), 1)
    for shift, (_, look, part) in zip(np.arange(len(shown)) - (len(shown) - 1) / 2, shown, strict=True):
        part = part.sort_values(name)
        drawn = parts.point(look) | {"linestyle": look.line}
        axes.errorbar(place(part[name]) + step * shift, part["mean"], yerr=parts.arms(part), **drawn)
    axes.set_xticks(ticks, [f"{number:g}" for number in numbers])
    best = head.best(rows["length"].iloc[0])
    if best is not None:
        axes.axhline(best, color=style.INK, linestyle="--", linewidth=1)
        parts.note(axes, best, f"{head.way.end} {best}", "bottom")
    axes.margins(y=0.1)
    axes.set_ylabel(head.axis)


def starts(axes: Axes, begin: pd.DataFrame, name: str, place: Callable[[pd.Series], pd.Series]) -> None:
    """Where training starts from, which no condition changes, dotted."""
    mean = begin.groupby(name)["value"].mean().reset_index()
    axes.plot(place(mean[name]), mean["value"], color=style.INK, linestyle=":", linewidth=1.2, label="start")
