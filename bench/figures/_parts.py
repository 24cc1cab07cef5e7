"""What figures are made of: a grid of panels, in them curves, points or dots with their intervals.

A table that is drawn has a row for each mark: `mean`, `low` and `high` (intervals are made in `statistics`),
the condition, and the names of its panel's `row` and `column`. Where conditions are too many for one panel,
each family has its own: it in colour, references and controls in greys, the other families pale behind it.
"""

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from bench.figures._style import GREY, INK, LINES, MARKS, RC, Look, look, looks
from bench.statistics import lineup, stats
from bench.statistics.headline import Headline
from bench.statistics.lineup import BESIDE, DEFAULT, Condition

LAMBDA = "temperature λ"
NAT = "ln of the variance"
OWN, OTHER, BOUND = "own", "other", "bound"  # what a condition is in a panel; or beside
TOGETHER = ""  # the only group
TICKS = 5  # at most, so that long numbers do not touch
SPAN = 30  # natural logs that an axis of them shows; e to the 30 is 13 orders of magnitude
EVEN = 5  # the factor between the ends of a log axis up to which it is marked evenly
NARROW = 200  # and up to which it is marked at 1, 2 and 5
OFF = (
    "A variance below the greatest by more than 13 orders of magnitude is off the axis: that of a loss "
    "which multiplies by the probabilities of whole strings is."
)
PALE = "Each family of estimators has panels of its own, in which the others are pale, for comparison."


def grid(
    plot: so.Plot, found: pd.DataFrame, width: float, height: float, on: Any = None, **share: Any
) -> tuple[Figure, pd.DataFrame]:
    """Draw a plot in panels of that size (inches), by the columns `row` and `column` of its table.

    Panels share the axes that are told; `on` is the part of a figure to draw on, if it is not all of one.
    Gives the figure, and its panels as a table, by the names of their row and column.
    """
    rows, columns = (list(found[name].unique()) for name in ("row", "column"))
    size = (0.8 + width * len(columns), 0.8 + height * len(rows))
    figure = on or Figure(figsize=size, layout="constrained")
    order = {"row": rows, "col": columns}
    plot.facet(row="row", col="column", order=order).share(**share).on(figure).plot()
    axes = np.array(figure.axes, dtype=object).reshape(len(rows), len(columns))
    panels = pd.DataFrame(axes, rows, columns)
    for panel in axes.flat:
        panel.set(title="", ylabel="")
    for panel, column in zip(axes[0], columns, strict=True):
        panel.set_title(wrapped(column, 11 * width))
    for panel, row in zip(axes[:, 0], rows, strict=True):
        panel.set_ylabel(wrapped(row, 12 * height))
    return figure, panels


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Only conditions with a name of their own: defaults, and controls beside them; no points of a sweep."""
    kept = [c for c in lineup.ordered(table) if c[1] == DEFAULT or c in lineup.KNOWN]
    return stats.among(table, kept if any(lineup.competes(*c) for c in kept) else [])


def temperatures(table: pd.DataFrame) -> pd.DataFrame:
    """Only settings that name a temperature, where there are several, with its number as a column."""
    number = table["setting"].astype(str).str.extract("^lambda=(.+)$", expand=False)
    found = table.assign(**{LAMBDA: pd.to_numeric(number)}).dropna(subset=LAMBDA)
    return found[found.groupby(stats.SLICE, observed=True)[LAMBDA].transform("nunique") > 1]


def groups(found: pd.DataFrame) -> dict[str, list[Condition]]:
    """The contenders that share a panel: all, if each has a colour of its own, or else those of a family."""
    contenders = [c for c in lineup.ordered(found) if lineup.competes(*c)]
    if len({look(*c).colour for c in contenders}) == len(contenders):
        return {TOGETHER: contenders}
    names = dict.fromkeys(lineup.family(*c) for c in contenders)
    return {name: [c for c in contenders if lineup.family(*c) == name] for name in names}


def by_group(found: pd.DataFrame, along: str = "row") -> pd.DataFrame:
    """The table once for every group, named `along`, with the `role` that each condition has there."""
    known = looks(found)
    pairs = list(zip(found["estimator"], found["setting"], strict=True))
    beside = [not lineup.competes(*pair) for pair in pairs]
    parts = []
    for name, members in groups(found).items():
        own = [pair in members for pair in pairs]
        parts.append(known.assign(**{along: name}, role=np.select([own, beside], [OWN, BESIDE], OTHER)))
    return pd.concat(parts, ignore_index=True)


def bounded(found: pd.DataFrame, unclear: pd.Series) -> pd.DataFrame:
    """What is not told apart from 0 as the most that it can be: the upper end of its interval."""
    most = found[unclear & (found["role"] != OTHER) & (found["high"] > 0)]
    most = most.assign(role=BOUND, mean=most["high"], low=most["high"] / 2)
    return pd.concat([found[~unclear], most])


def curves(found: pd.DataFrame, x: str) -> so.Plot:
    """Means along x with bands, of a table made by `by_group`."""
    gaps = found[found["role"] == OTHER].drop_duplicates(["row", "column", "label"]).assign(**{x: np.nan})
    found = pd.concat([found, gaps], ignore_index=True).sort_values(["label", x], kind="stable")
    role = found["role"]
    plot = looking(found, x=x, y="mean", ymin="low", ymax="high")
    plot = layer(plot, found[role == OTHER], so.Path(color=GREY, linewidth=0.8))  # one path, with gaps
    beside, own, both = found[role == BESIDE], found[role == OWN], found[role.isin([BESIDE, OWN])]
    plot = layer(plot, both, so.Band(alpha=0.15), color="colour", **apart(both, "colour"))
    plot = layer(plot, beside, so.Path(linewidth=1.2), color="colour", linestyle="line")
    line = so.Path(linewidth=1.5, pointsize=5, edgecolor="white", edgewidth=0.4)
    plot = layer(plot, own, line, color="colour", marker="mark", **apart(own, "colour", "mark"))
    return hollow(plot, found)


def apart(found: pd.DataFrame, *look: str) -> dict[str, str]:
    """What keeps curves of one look in a panel apart, where there are such: seaborn takes long over it."""
    names = found.groupby(["row", "column", *look])["label"].nunique()
    return {"group": "label"} if (names > 1).any() else {}


def points(found: pd.DataFrame, x: str) -> so.Plot:
    """Means with intervals, along x too if the table has them, of a table made by `by_group`."""
    role = found["role"]
    ends = {f"x{end}": f"{side}_x" for end, side in (("min", "low"), ("max", "high")) if f"{side}_x" in found}
    plot = looking(found, x=x, y="mean", ymin="low", ymax="high", **ends)
    plot = layer(plot, found[role == OTHER], so.Dot(color=GREY, pointsize=3.5))
    for part, size in ((BESIDE, 5), (OWN, 6.5)):
        rows = found[role == part]
        for orient in ("x", "y") if ends else ("x",):
            bar = so.Range(linewidth=1.4)
            plot = layer(plot, rows, bar, orient=orient, color="colour")
        dot = so.Dot(pointsize=size, edgecolor="white", edgewidth=0.5)
        plot = layer(plot, rows, dot, color="colour", marker="mark")
    return hollow(plot, found)


def hollow(plot: so.Plot, found: pd.DataFrame) -> so.Plot:
    """Hollow marks with tails for what `bounded` made bounds."""
    rows = found[found["role"] == BOUND]
    plot = layer(plot, rows, so.Range(linewidth=1), color="colour")
    dot = so.Dot(fill=False, pointsize=5, edgewidth=1.1)
    return layer(plot, rows, dot, color="colour", marker="mark")


def looking(found: pd.DataFrame, **mapped: str) -> so.Plot:
    """A plot with our look, in which colours, marks and lines are taken from columns as they are."""
    marks, lines = ({name: name for name in names} for names in ([*MARKS, "*"], LINES))
    return so.Plot(found, **mapped).theme(RC).scale(color=None, marker=marks, linestyle=lines)


def layer(plot: so.Plot, data: pd.DataFrame, mark: so.Mark, **mapped: str) -> so.Plot:
    """Add a mark for some rows of the plot's table, with the values of columns as its colour and the like.

    seaborn takes these from `data`, and all else from the plot's own table, by the index.
    """
    return plot if data.empty else plot.add(mark, data=data, legend=False, **mapped)


def dots(
    found: pd.DataFrame, conditions: Sequence[Condition], columns: int = 0, width: float = 2.2, on: Any = None
) -> tuple[Figure, dict[str, Axes]]:
    """A line for each condition, the first on top; in a panel for each `column` its mean and interval.

    Panels are so many side by side, or all, and so wide (inches).
    """
    names, order = [lineup.label(*c) for c in conditions], list(found["column"].unique())
    wide = min(columns or len(order), len(order))
    size = (3 + width * wide, -(-len(order) // wide) * (0.9 + 0.19 * len(names)))
    figure = on or Figure(figsize=size, layout="constrained")
    known = looks(found.reset_index(drop=True))
    plot = looking(known, x="mean", xmin="low", xmax="high", y="label", color="colour")
    plot = plot.scale(y=so.Nominal(order=names)).add(so.Range(linewidth=1.6), legend=False)
    plot = plot.add(so.Dot(pointsize=6, edgecolor="white", edgewidth=0.5), legend=False)
    plot.facet(col="column", order=order, wrap=wide).share(x=False, y=True).on(figure).plot()
    for name, axes in zip(order, figure.axes, strict=True):
        axes.set(title=name, ylabel="")
        axes.grid(visible=False, axis="y")
    return figure, dict(zip(order, figure.axes, strict=True))


def keys(figure: Figure, panels: pd.DataFrame, found: pd.DataFrame, lines: bool = True) -> Figure:
    """A legend for each group, beside its row or below its column, and one for what is in all the panels."""
    each = groups(found)
    everywhere = handles([c for c in lineup.ordered(found) if not lineup.competes(*c)], lines)
    if list(each) == [TOGETHER]:
        everywhere = handles(each[TOGETHER], lines) + everywhere
    else:
        everywhere.append(pale(lines))
        beside = list(panels.index) == list(each)
        room(figure, 2.2 * beside, 0.3 * max(map(len, each.values())) * (not beside))
        under = -0.75 * len(panels) * figure.dpi / figure.bbox.height
        anchor, place = ((1.05, 1.0), "upper left") if beside else ((0.5, under), "upper center")
        for name, members in each.items():
            last = (panels.loc[name] if beside else panels[name]).iloc[-1]
            shown = handles(members, lines)
            last.legend(handles=shown, bbox_to_anchor=anchor, loc=place, labelspacing=0.35)
    columns = max(1, int(figure.bbox.width / figure.dpi / 2.8))
    room(figure, 0, 0.25 * -(-len(everywhere) // columns))
    figure.legend(handles=everywhere, loc="outside lower center", ncols=columns, handlelength=3)
    return figure


def split(figure: Figure, rows: int, columns: int, **ratios: Any) -> list[Any]:
    """Parts of a figure, to draw several plots on."""
    return list(np.ravel(np.array(figure.subfigures(rows, columns, **ratios), dtype=object)))


def room(figure: Figure, width: float, height: float) -> None:
    """Make a figure wider and higher, if it is a whole one."""
    if isinstance(figure, Figure):
        figure.set_size_inches(figure.get_figwidth() + width, figure.get_figheight() + height)


def handles(conditions: Iterable[Condition], lines: bool) -> list[Line2D]:
    """What stands for conditions in a legend."""
    seen = ((c, look(*c)) for c in conditions)
    bare = ((c, s._replace(mark="") if lines and not lineup.competes(*c) else s) for c, s in seen)
    return [handle(wrapped(lineup.label(*c), 30), s, lines) for c, s in bare]


def wrapped(words: str, width: float) -> str:
    """Words in lines of about that many letters."""
    return fill(words, max(8, round(width)), break_on_hyphens=False)


def handle(label: str, seen: Look, lines: bool = True) -> Line2D:
    """What stands for one look in a legend."""
    line: Any = seen.line if lines else "none"
    return Line2D([], [], color=seen.colour, marker=seen.mark, linestyle=line, markersize=5, label=label)


def pale(lines: bool) -> Line2D:
    """What stands for the other families."""
    return handle("other families", Look(GREY, "" if lines else "o"), lines)


def training(
    found: pd.DataFrame, width: float, height: float, y: Any, on: Any = None
) -> tuple[Figure, pd.DataFrame]:
    """Curves along training, in panels as of `grid`, which share `y`: updates come whole."""
    plot = curves(found, "step").label(x="generator updates")
    figure, panels = grid(plot, found, width, height, on, x=True, y=y)
    for axes in panels.to_numpy().flat:
        axes.xaxis.set_major_locator(MaxNLocator(TICKS, integer=True))
    return figure, panels


def logarithmic(axes: Axes, *names: str) -> None:
    """Make these axes, x or y, logarithmic, with numbers that read well over a part of a decade too."""
    for name in names:
        axis = getattr(axes, f"{name}axis")
        if not np.isfinite(axis.get_minpos()):
            continue  # nothing in it is above 0
        axes.set(**{f"{name}scale": "log"})
        low, high = axis.get_view_interval()
        if high < NARROW * low:
            even = high < EVEN * low
            axis.set_major_locator(MaxNLocator(TICKS) if even else LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def level(axes: Axes, height: float, text: str, dashes: str = "--") -> None:
    """A horizontal line, named outside its right end, where nothing can cross the words."""
    axes.axhline(height, color=INK, linestyle=dashes, linewidth=1, zorder=1)
    side = axes.get_yaxis_transform()
    axes.text(1.01, height, text, transform=side, fontsize=7, color=INK, ha="left", va="center")


def goal(axes: Axes, head: Headline, length: int) -> None:
    """The best that a headline can be, if that is known, at the end of the axis."""
    best = head.best(length)
    if best is not None:
        level(axes, best, f"{head.way.end}\n{best}")
        within(axes, **{"low" if head.way.falls else "high": best})


def within(axes: Axes, low: float = -np.inf, high: float = np.inf) -> None:
    """End an axis where values end: what few sessions leave of an interval beyond runs off."""
    bottom, top = axes.get_ylim()
    margin = 0.03 * (top - bottom)
    axes.set_ylim(max(bottom, low - margin), min(top, high + margin))


def cut(low: float, high: float) -> float:
    """The lower end of an axis of natural logs: what is farther below runs off, or nothing else is seen."""
    return max(low, high - SPAN)


def intervals(table: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Means over sessions with their intervals, a row for each condition and value of these columns."""
    return stats.mean_interval(table, [*stats.COMPARED, *by])
