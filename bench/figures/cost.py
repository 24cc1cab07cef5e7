"""What each estimator costs, and what that buys."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import headline, lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Cost"
CAPTION = (
    "Left: quality at the end against wall-clock seconds per session (mean and 95% interval over "
    "sessions). Right: where the seconds go; variance is measuring only, which training does not "
    "need. Sessions run stacked, so a session's seconds are its share of its stack's; they depend "
    "on the machine, unlike every other number here."
)


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables."""
    shown = [(key, found) for key, part in stats.slices(tables) if not (found := phases(part)).empty]
    if not shown:
        return None
    rows = max(len(lineup.ordered(found)) for _, found in shown)
    figure, axes = parts.grid(len(shown), 2, 5.2, max(2.4, 0.8 + 0.22 * rows))
    for row, (key, found) in zip(axes, shown, strict=True):
        part = dict(stats.slices(tables))[key]
        draw_value(row[0], quality(part), seconds(found))
        row[0].set(ylabel=f"{headline.of(part).axis} at the end", title=parts.heading(key))
        draw_phases(row[1], found)
    parts.legend(figure, lineup.ordered(pd.concat([found for _, found in shown])), 3, lines=False)
    return figure


def phases(tables: Tables) -> pd.DataFrame:
    """Seconds of each session at its end, by phase."""
    return parts.plain(stats.last(stats.rows(tables, schema.SECONDS)))


def quality(tables: Tables) -> pd.DataFrame:
    """Final quality of each condition, with its interval."""
    return stats.mean_interval(stats.last(headline.rows(tables)), stats.COMPARED)


def seconds(found: pd.DataFrame) -> pd.DataFrame:
    """Seconds per session over all phases."""
    total = found.groupby([*stats.COMPARED, "session"], observed=True)["value"].sum().reset_index()
    return stats.mean_interval(total, stats.COMPARED)


def draw_value(axes: Axes, found: pd.DataFrame, cost: pd.DataFrame) -> None:
    """Quality against seconds, a point for each condition."""
    both = found.merge(cost, on=stats.COMPARED, suffixes=("", "_cost"))
    for condition, part in parts.one_by_one(both):
        look = style.look(*condition)
        axes.errorbar(part["mean_cost"], part["mean"], yerr=parts.arms(part), **parts.point(look))
    axes.set_xlabel("seconds per session")
    axes.margins(x=0.15)
    axes.set_xlim(left=0)


def draw_phases(axes: Axes, found: pd.DataFrame) -> None:
    """A bar for each condition, stacked from its phases."""
    conditions = lineup.ordered(found)
    means = found.groupby([*stats.COMPARED, "parameter"], observed=True)["value"].mean().unstack()
    means = means.reindex(columns=[p for p in style.PHASES if p in means]).reindex(conditions).fillna(0)
    left = pd.Series(0.0, index=means.index)
    for phase in means:
        colour, hatch = style.PHASES[phase]
        axes.barh(
            range(len(means)),
            means[phase],
            left=left,
            height=0.7,
            color=colour,
            hatch=hatch,
            edgecolor=style.INK,
            linewidth=0.6,
            label=phase,
        )
        left += means[phase]
    parts.condition_axis(axes, conditions)
    axes.set(xlabel="seconds per session")
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=len(means.columns),
        columnspacing=1,
        handlelength=1.4,
    )
