"""What each estimator costs, and what that buys."""

import pandas as pd
import seaborn.objects as so
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.figures import _parts as parts
from bench.figures._style import INK, PHASES, RC
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Cost"
CAPTION = (
    "Above: quality at the end (mean and 95% interval over sessions) against wall-clock seconds per "
    f"session, on a log axis. {parts.PALE} Below: where the seconds go; variance is measuring only, which "
    "training does not need. Sessions run stacked, so a session's seconds are its share of its stack's; "
    "they depend on the machine, unlike every other number here."
)
SECONDS = "seconds per session"


def draw(tables: Tables) -> Figure | None:
    """Quality by family, and a bar for each condition."""
    spent = parts.plain(stats.last(stats.rows(tables, schema.SECONDS)))
    if spent.empty:
        return None
    conditions, quality = lineup.ordered(spent), parts.intervals(stats.last(headline.rows(tables)))
    height = 1 + 0.19 * len(conditions)
    if quality.empty:
        figure = Figure(figsize=(11, height), layout="constrained")
        draw_phases(figure, spent, conditions)
        return figure
    figure = Figure(figsize=(11, 4.4 + height), layout="constrained")
    above, below = parts.split(figure, 2, 1, height_ratios=(4.4, height))
    draw_value(above, quality, spent, headline.of(tables))
    draw_phases(below, spent, conditions)
    return figure


def draw_value(on: Figure, quality: pd.DataFrame, spent: pd.DataFrame, head: Headline) -> None:
    """Quality against seconds over all phases, a point for each condition."""
    total = spent.groupby([*stats.COMPARED, "session"], observed=True)["value"].sum().reset_index()
    seconds = parts.intervals(total)[[*stats.COMPARED, "mean"]]
    found = quality.merge(seconds, on=stats.COMPARED, suffixes=("", "_cost"))
    found = parts.by_group(found.assign(row=f"{head.axis} at the end"), "column")
    plot = parts.points(found, "mean_cost").label(x=SECONDS)
    _, panels = parts.grid(plot, found, 2.1, 2.6, on=on, x=True, y=True)
    for axes in panels.to_numpy().flat:
        parts.logarithmic(axes, "x")
        parts.goal(axes, head, spent["length"].iloc[0])
    parts.keys(on, panels, found, lines=False)


def draw_phases(on: Figure, spent: pd.DataFrame, conditions: list[lineup.Condition]) -> None:
    """Bars stacked from the mean seconds of the phases."""
    means = spent.groupby([*stats.COMPARED, "parameter"], observed=True)["value"].mean().reset_index()
    means = means.sort_values(
        "parameter", key=lambda column: column.map(list(PHASES).index), ignore_index=True
    )
    names = [lineup.label(*c) for c in means[stats.COMPARED].itertuples(index=False)]
    phases = [phase for phase in PHASES if phase in set(means["parameter"])]
    plot = so.Plot(means.assign(label=names), x="value", y="label", color="parameter").theme(RC)
    plot = plot.add(so.Bar(edgecolor=INK, edgewidth=0.5, alpha=1), so.Stack(), legend=False)
    order = so.Nominal(order=[lineup.label(*c) for c in conditions])
    plot = plot.scale(y=order, color=so.Nominal(PHASES, order=phases))
    plot.label(x=SECONDS, y="").on(on).plot()
    on.axes[0].grid(visible=False, axis="y")
    shown = [Patch(facecolor=PHASES[phase], edgecolor=INK, linewidth=0.5, label=phase) for phase in phases]
    on.legend(handles=shown, loc="outside upper center", ncols=len(shown))
