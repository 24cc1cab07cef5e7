"""Figures 4 and 5 of the REGAN paper: goodness score and gradient log-variance along training."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.tables import schema
from bench.tables.store import Tables

TOTAL = "total"
FEW = 9  # conditions that one panel can hold

TITLE = "Learning curves"
CAPTION = (
    "Mean over sessions with its 95% interval. Left: the quality of what is generated; dashed the "
    "maximum or, where none is known, what a fresh sample of real strings comes to; dotted the start "
    "before the first update. The other panels: natural log of "
    "the variance of one gradient estimate, per generated sample, of one parameter (the paper's "
    "choice: the first of the output layer) and of all parameters together. These curves follow "
    "each estimator along its own training, so they compare estimators at different parameters; "
    "only at 0 updates are the parameters the same for all that share their networks. An estimate "
    f"without variance has no curve. {parts.OFF} Many conditions take several rows, on the same axes, "
    "with the references and controls in each."
)


class Row(NamedTuple):
    """What a row of panels shows."""

    title: str
    head: Headline
    quality: pd.DataFrame
    real: float  # what real strings come to; NaN where that was not measured
    variances: dict[str, pd.DataFrame]  # by parameter


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables, or several where the conditions are many."""
    groups = [list(rows(key, part)) for key, part in stats.slices(tables)]
    count = sum(map(len, groups))
    if not count:
        return None
    columns = 1 + max(len(row.variances) for group in groups for row in group)
    figure, axes = parts.grid(count, columns, 3.4, 2.7, first=1.3)
    below = iter(axes)
    for group in groups:
        draw_group([next(below) for _ in group], group)
    everything = pd.concat([row.quality for group in groups for row in group])
    parts.legend(figure, lineup.ordered(everything), columns)
    return figure


def rows(key: tuple[str, str, str, int], tables: Tables) -> Iterator[Row]:
    """The rows of a slice: one, or one for each family of estimators."""
    quality = parts.plain(headline.rows(tables))
    variances = {name: variance(tables, name) for name in measured(tables)}
    conditions = lineup.ordered(quality)
    real = stats.rows(tables, headline.of(tables).metric + schema.DATA_SUFFIX)["value"].mean()
    few = {"": conditions} if conditions else {}
    for family, members in (few if len(conditions) <= FEW else lineup.families(quality)).items():
        shown = [c for c in conditions if c in members or not lineup.competes(*c)]
        title = ": ".join(filter(None, [parts.heading(key), family]))
        curves = {name: stats.among(table, shown) for name, table in variances.items()}
        yield Row(title, headline.of(tables), stats.among(quality, shown), real, curves)


def variance(tables: Tables, parameter: str) -> pd.DataFrame:
    """Log-variance of one parameter's gradient."""
    return parts.plain(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, parameter))


def measured(tables: Tables) -> list[str]:
    """The first single parameter measured, and the total."""
    found = stats.rows(tables, schema.GRADIENT_LOG_VARIANCE)["parameter"].unique()
    return [name for name in found if "[" in name][:1] + [name for name in found if name == TOTAL]


def draw_group(axes: list[list[Axes]], rows: list[Row]) -> None:
    """The rows of a slice, all on the axes of the first."""
    for line, row in zip(axes, rows, strict=True):
        draw_quality(line[0], row)
        for axis, (parameter, table) in zip(line[1:], row.variances.items(), strict=False):
            draw_variance(axis, table, parameter)
        for axis in line[1 + len(row.variances) :]:
            axis.set_visible(False)
        for axis, first in zip(line, axes[0], strict=True):
            axis.sharex(first)
            axis.sharey(first)
    parts.label_below(axes)
    for axis in (axis for line in axes for axis in line[1:]):
        axis.set_ylim(bottom=parts.cut(*axis.get_ylim()))


def draw_quality(axes: Axes, row: Row) -> None:
    """Curves of quality between where all start and the best that there is."""
    parts.curves(axes, row.quality)
    begin = stats.start(row.quality)["value"].mean()
    axes.axhline(begin, color=style.INK, linestyle=":", linewidth=1)
    parts.note(axes, begin, f"start {begin:.2f}", "top")
    for height, note in goal(row):
        axes.axhline(height, color=style.INK, linestyle="--", linewidth=1)
        parts.note(axes, height, note, "bottom")
    axes.margins(y=0.1)
    axes.set(ylabel=row.head.axis, title=row.title)


def goal(row: Row) -> Iterator[tuple[float, str]]:
    """The best that there is or, where that is not known, what real strings come to."""
    best = row.head.best(row.quality["length"].iloc[0])
    if best is not None:
        yield best, f"{row.head.way.end} {best}"
    elif row.real == row.real:
        yield row.real, f"real strings {row.real:.2f}"


def draw_variance(axes: Axes, table: pd.DataFrame, parameter: str) -> None:
    """Curves of one log-variance."""
    parts.curves(axes, table)
    what = "all parameters" if parameter == TOTAL else parameter
    axes.set(ylabel=parts.NAT, title=f"gradient variance, {what}")
