"""Panels in which a number is swept: a curve for each condition, and where training starts from."""

from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics.headline import Headline

Place = Callable[[pd.Series], pd.Series]


def draw(
    ends: dict[str, pd.DataFrame], begin: pd.DataFrame, head: Headline, name: str, words: str, place: Place
) -> Figure:
    """Means against the number in the column `name`, at its place along x; a column of panels for each table.

    Args:
        ends: the headline's rows, as `lineup.points` gives them, by what a column is called.
        begin: the same before the first update, which no condition changes.
        head: what is swept.
        name: the column of the number.
        words: the same for readers.
        place: where a number lies.
    """
    tables = [rows.assign(setting=rows["variant"], column=title) for title, rows in ends.items()]
    found = parts.by_group(pd.concat([parts.intervals(rows, name, "column") for rows in tables]))
    found = found.assign(place=place(found[name]))
    plot = parts.curves(found, "place").label(x=words)
    figure, panels = parts.grid(plot, found, 3.4, 2.8, x=True, y=True)
    start = begin.groupby(name)["value"].mean()
    ticks = place(start.index.to_series())
    for axes in panels.to_numpy().flat:
        axes.set_xticks(ticks, [f"{number:g}" for number in start.index])
        axes.plot(ticks, start, color=INK, linestyle=":", linewidth=1.2)
        parts.goal(axes, head, begin["length"].iloc[0])
    for row in panels.index:
        panels.loc[row].iloc[0].set_ylabel(head.axis if row == parts.TOGETHER else f"{row}\n{head.axis}")
    return parts.keys(figure, panels, found)
