"""J along updates, discriminator calls and seconds, each estimator at its own best rate."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.figures.rates import means, shown
from bench.statistics import climbs, stats, tuned
from bench.statistics.climbs import UPDATES, Climbs
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "The climb at the best rate"
CAPTION = (
    "J under a reward that stands still, along updates and what they cost, each estimator at the rate and "
    "knob that the tuning sessions choose at equal updates: mean over the reported sessions with its 95% "
    f"interval (BCa bootstrap). {parts.PALE} Dotted the exact gradient, the ceiling; dash-dotted a null "
    "reward, the floor. The vertical line is the budget at which estimators are compared, all that "
    "leave-one-out REINFORCE spends; the axis ends a little beyond it, and what costs more runs off. What "
    "asks for no calls is not in the panel of calls. Process time depends on the machine. A session that "
    "diverged counts at the J it started from."
)
AXES = {
    UPDATES: ("updates", 1.0),
    schema.DISCRIMINATOR_CALLS: ("discriminator calls", 1.0),
    schema.SECONDS: ("milliseconds", 1000.0),
}
"""Of each budget what its axis says, and how many of that there are in one."""
BEYOND = 1.2
"""How far an axis goes, in budgets."""


def draw(tables: Tables) -> Figure | None:
    """A row of panels for each family, a column for each budget."""
    if not climbs.are(tables):
        return None
    read = climbs.read(tables)
    found = curves(read)
    if found.empty:
        return None
    found = parts.by_group(found)
    figure, panels = parts.grid(parts.curves(found, "x").label(x=""), found, 2.5, 1.9, x="col", y=True)
    for budget, (name, scale) in AXES.items():
        most = scale * climbs.budgets(read, budget)[read.main]
        for axes in panels.get(name, []):
            axes.axvline(most, color=INK, linestyle=":", linewidth=1, zorder=0)
            axes.set_xlim(-0.03 * most, BEYOND * most)
            axes.xaxis.set_major_locator(MaxNLocator(parts.TICKS, integer=budget == UPDATES))
            parts.within(axes, 0, 1)
    return parts.keys(figure, panels, found)


def curves(found: Climbs) -> pd.DataFrame:
    """Mean J at every step, with what the steps cost as `x`, once for each budget."""
    reward = found.main
    chosen = tuned.picked(found, UPDATES)[[*climbs.CLIMB, "session"]]
    table = shown(climbs.long(found).merge(chosen, on=list(chosen)), reward)
    table = table.assign(estimator=table["bare"])
    cost = table.groupby(stats.COMPARED)[list(AXES)].first()
    every_mean = means(table, "step").join(cost, on=stats.COMPARED)
    columns = [
        every_mean.assign(column=name, x=scale * every_mean["step"] * every_mean[budget])
        for budget, (name, scale) in AXES.items()
    ]
    every = pd.concat(columns, ignore_index=True)
    last = every.groupby(["column", "estimator", "setting"])["x"].transform("max")
    return every[last > 0].reset_index(drop=True)
