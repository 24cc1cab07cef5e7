"""Parts that several figures share: panels, curves with bands, dots with intervals, legends."""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bench.figures import _style as style
from bench.figures._style import Look
from bench.statistics import lineup, stats
from bench.statistics.lineup import DEFAULT, Condition
from bench.tables import schema

UPDATES = "generator updates"
LAMBDA = "temperature λ"
NAT = "natural log of the variance"
POINT = 6  # the size of a mean's marker
INTERVAL = 1.6  # and the width of its interval's line
SPAN = 30  # natural logs that an axis of them shows; e to the 30 is 13 orders of magnitude
OFF = (
    "A variance below the greatest by more than 13 orders of magnitude is off the axis: that of a loss "
    "which multiplies by the probabilities of whole strings is."
)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Only conditions with a look of their own: defaults, and controls beside them; no points of a sweep."""
    kept = [c for c in lineup.ordered(table) if c[1] == DEFAULT or c in style.LOOKS]
    return stats.among(table, kept if any(lineup.competes(*c) for c in kept) else [])


def temperatures(table: pd.DataFrame) -> pd.DataFrame:
    """Only settings that name a temperature, where there are several, with its number as a column."""
    number = table["setting"].astype(str).str.extract("^lambda=(.+)$", expand=False)
    found = table.assign(**{LAMBDA: pd.to_numeric(number)}).dropna(subset=LAMBDA)
    return found[found.groupby(stats.SLICE, observed=True)[LAMBDA].transform("nunique") > 1]


def grid(rows: int, columns: int, width: float, height: float, first: float = 1) -> tuple[Figure, Any]:
    """A figure of panels of about that size (inches), the first column `first` times as wide."""
    figure = Figure(figsize=(width * (columns - 1 + first), height * rows), layout="constrained")
    ratios = [first] + [1] * (columns - 1)
    return figure, figure.subplots(rows, columns, squeeze=False, width_ratios=ratios)


def label_below(rows: Iterable[Sequence[Axes]]) -> None:
    """Leave what is written along x to the last panel of each column: rows on the same axes."""
    for column in zip(*rows, strict=True):
        for axes in [axes for axes in column if axes.get_visible()][:-1]:
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")


def by_condition(table: pd.DataFrame) -> Iterator[tuple[Condition, Look, pd.DataFrame]]:
    """Each condition of a table in legend order, with its look."""
    parts = dict(iter(table.groupby(stats.COMPARED, observed=True)))
    for condition in lineup.ordered(table):
        yield condition, style.look(*condition), parts[condition]


def curves(axes: Axes, table: pd.DataFrame) -> None:
    """Mean and 95% band over sessions against generator updates, one curve per condition."""
    found = stats.mean_interval(table, [*stats.COMPARED, "step"])
    for place, (_, look, part) in enumerate(by_condition(found)):
        curve(axes, part, look, place)
    along_updates(axes)


def along_updates(axes: Axes) -> None:
    """Updates along x, which come whole."""
    axes.set_xlabel(UPDATES)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def curve(axes: Axes, part: pd.DataFrame, look: Look, place: int = 0) -> None:
    """One condition's curve; `place` staggers the markers."""
    part = part.sort_values("step")
    every = max(1, len(part) // 8)
    axes.plot(
        part["step"],
        part["mean"],
        linestyle=look.line,
        markevery=(place % every, every),
        **mark(look),
    )
    band(axes, part, look.colour)


def band(axes: Axes, part: pd.DataFrame, colour: Any) -> None:
    """The interval around a curve."""
    axes.fill_between(part["step"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)


def note(axes: Axes, height: float, text: str, side: str) -> None:
    """Write at the right end of a horizontal line; `side` of the text touches the line."""
    offset = 2 if side == "bottom" else -2
    axes.annotate(
        text,
        (1, height),
        (-2, offset),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va=side,
        fontsize=8,
        color=style.INK,
    )


def mark(look: Look, size: float = 5) -> dict[str, Any]:
    """Colour, label and marker; a white rim keeps overlapping markers apart."""
    star, shape = isinstance(look.marker, tuple), str(look.marker)
    thin, letter = shape in "x+12", shape.startswith("$")
    return {
        "color": look.colour,
        "label": look.label,
        "marker": look.marker,
        "markersize": size * (1.6 if star else 1.3 if letter else 1.35 if shape in "*PX12" else 1),
        "markeredgecolor": look.colour if thin or letter else "white",
        "markeredgewidth": 1.5 if thin else 0.2 if letter else 0.4,
    }


def dots(axes: Axes, found: pd.DataFrame, places: Iterable[float]) -> None:
    """Mean and interval along x of each row of `found`, at these heights."""
    looks = [style.look(*pair) for pair in found[stats.COMPARED].itertuples(index=False)]
    places, (down, up) = list(places), arms(found)
    ends = found["mean"] - down, found["mean"] + up
    axes.hlines(places, *ends, colors=[look.colour for look in looks], linewidth=INTERVAL, zorder=2)
    for place, mean, look in zip(places, found["mean"], looks, strict=True):
        axes.plot(mean, place, linestyle="none", **mark(look, POINT))


def one_by_one(found: pd.DataFrame) -> Iterator[tuple[Condition, pd.DataFrame]]:
    """Each row of a table of conditions, as a table."""
    for row in range(len(found)):
        part = found.iloc[[row]]
        yield (part["estimator"].item(), part["setting"].item()), part


def line_with_gaps(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    """Means with intervals at their `place` along x, on a log axis: a gap where a mean is not above 0."""
    shown = part.assign(mean=part["mean"].where(part["mean"] > 0))
    axes.errorbar(shown["place"], shown["mean"], yerr=arms(shown), **point(look) | {"linestyle": look.line})


def bounds(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    """Arrows down from the upper ends of intervals: the most that there can be."""
    high = part["high"]
    axes.errorbar(
        part["place"], high, 0.4 * high, uplims=True, linestyle="none", marker="_", color=look.colour
    )


def aside(count: int) -> np.ndarray:
    """Factors by which lines stand beside one another on a log axis, so that no interval covers another."""
    return 1.045 ** (np.arange(count) - (count - 1) / 2)


def arms(found: pd.DataFrame) -> np.ndarray:
    """The intervals as matplotlib wants them: lengths down and up; 0 where there is none."""
    return np.nan_to_num(np.array([found["mean"] - found["low"], found["high"] - found["mean"]]))


def point(look: Look) -> dict[str, Any]:
    """How `errorbar` draws a condition."""
    return mark(look, POINT) | {"linestyle": "none", "elinewidth": INTERVAL}


def condition_axis(axes: Axes, conditions: Sequence[Condition], names: bool = True) -> None:
    """Conditions down the y axis, the first on top."""
    axes.set_yticks(range(len(conditions)), [lineup.label(*c) for c in conditions] if names else [])
    axes.set_ylim(len(conditions) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def legend(figure: Figure, conditions: Sequence[Condition], columns: int, lines: bool = True) -> None:
    """One legend for the whole figure, below it, where it can cover nothing; fewer columns if too wide."""
    looks = [style.look(*condition) for condition in conditions]
    while columns > 1 and width([look.label for look in looks], columns) > figure.get_figwidth():
        columns -= 1
    handles = [Line2D([], [], linestyle=look.line if lines else "none", **mark(look)) for look in looks]
    figure.set_figheight(figure.get_figheight() + 0.2 * ceil(len(handles) / columns))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=3.2)


def width(labels: Sequence[str], columns: int) -> float:
    """About how many inches wide a legend of these labels is, filled column by column."""
    tall = ceil(len(labels) / columns)
    return sum(0.7 + 0.066 * max(map(len, labels[n : n + tall])) for n in range(0, len(labels), tall))


def cut(low: float, high: float) -> float:
    """The lower end of an axis of natural logs: what is farther below runs off, or nothing else is seen."""
    return max(low, high - SPAN)


def heading(key: tuple[str, str, str, int]) -> str:
    """The words for one slice."""
    _, task, source, length = key
    return f"{schema.with_source(task, source)}, length {length}"


def in_order(found: pd.DataFrame, conditions: Sequence[Condition]) -> pd.DataFrame:
    """One row per condition, in that order, with its place in it."""
    places = {condition: place for place, condition in enumerate(conditions)}
    pairs = zip(found["estimator"], found["setting"], strict=True)
    return found.assign(place=[places[pair] for pair in pairs]).sort_values("place")
