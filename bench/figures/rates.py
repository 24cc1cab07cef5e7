"""J against the rate: where each estimator climbs best, and where it falls."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from bench.figures import _parts as parts
from bench.statistics import climbs, lineup
from bench.statistics.climbs import NULL, Climbs
from bench.tables.store import Tables

TITLE = "J against the rate"
CAPTION = (
    "J at the end under a reward that stands still, against the rate: mean over the reported sessions "
    f"with its 95% interval (BCa bootstrap), every knob as it usually is. {parts.PALE} Dotted the exact "
    "gradient, the ceiling; dash-dotted a null reward, the floor. A session that diverged counts at the J "
    "it started from. The highest point of a curve is not what the tables tell of: there other sessions "
    "choose the rate."
)


def draw(tables: Tables) -> Figure | None:
    """A panel for each family, where there is more than one rate."""
    if not climbs.are(tables):
        return None
    found = ends(climbs.read(tables))
    if found["rate"].nunique() < 2:
        return None
    found = parts.by_group(found.assign(row="J at the end"), "column")
    figure, panels = parts.grid(parts.curves(found, "rate").label(x="rate"), found, 2.1, 2.6, x=True, y=True)
    for axes in panels.to_numpy().flat:
        parts.logarithmic(axes, "x")
        decades(axes)
        parts.within(axes, 0, 1)
    return parts.keys(figure, panels, found)


def decades(axes: Axes) -> None:
    """Number only the powers of ten, where there are several: in panels this narrow others touch."""
    low, high = axes.get_xlim()
    if high >= 10 * low:
        axes.xaxis.set_major_locator(LogLocator())


def ends(found: Climbs) -> pd.DataFrame:
    """Mean J at the end at every rate, under the reward that everyone climbs."""
    table = shown(climbs.ends(found), found.main)
    return means(table[table["estimator"] == table["bare"]], "rate")


def means(table: pd.DataFrame, along: str) -> pd.DataFrame:
    """Means of conditions with their intervals; where sessions are too few for one, it has no width."""
    found = climbs.means(table, ["estimator", "setting", along])
    return found.assign(**{end: found[end].fillna(found["mean"]) for end in ("low", "high")})


def shown(table: pd.DataFrame, reward: str) -> pd.DataFrame:
    """The reported sessions under a reward and under a null one, by everybody's optimiser, as conditions."""
    mine = table[(table["reward"] == reward) & ~table["tuning"] & table["variant"].isin(["", NULL])]
    return mine.assign(setting=mine["variant"].replace("", lineup.DEFAULT))
