"""The rate and knob at which each estimator climbs best, and the rates at which it is stable.

They are chosen in the tuning sessions and told of in the others, so that no estimator is flattered by the
luck of its choice.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.statistics import climbs
from bench.statistics.climbs import CLIMB, WAY, Climbs

ENTRY = ["reward", "variant", "bare"]
"""Who has one rate and one knob chosen."""
COLLAPSED = 0.05
"""The fraction of sessions that may end below their start at a stable rate."""
LOWEST, HIGHEST = "lowest", "highest"


def picked(found: Climbs, budget: str, entry: Sequence[str] = ENTRY) -> pd.DataFrame:
    """All sessions at the rate and knob of the highest mean J in tuning, with J at the budget as `value`.

    By `WAY` instead of `ENTRY`, every knob has its own rate. Of those equal within `climbs.RESOLUTION`, it is
    the plain knob and the lowest rate.
    """
    each = climbs.at(found, budget)
    keys = [*ENTRY, "estimator", "rate"]
    tuning = each[each["tuning"]].groupby(keys, observed=True)["value"].mean()
    if tuning.empty:
        return each.iloc[:0]
    near = tuning >= tuning.groupby(list(entry), observed=True).transform("max") - climbs.RESOLUTION
    best = tuning[near].reset_index().drop_duplicates(list(entry))
    return each.merge(best[CLIMB], on=CLIMB)


def best(found: Climbs, budget: str) -> pd.DataFrame:
    """`summary` of everybody at a budget."""
    return summary(found, picked(found, budget))


def summary(found: Climbs, each: pd.DataFrame) -> pd.DataFrame:
    """Per reward, variant and estimator: its choice, mean J of the reported sessions, and how many were lost.

    `tuned` is the mean in the sessions that chose; `edge` says if the rate is the lowest or highest tried.

    Args:
        found: all climbs.
        each: rows of `picked`.
    """
    told = climbs.means(each[~each["tuning"]], [*ENTRY, "estimator", "rate"])
    tuned = each[each["tuning"]].groupby(CLIMB, observed=True)["value"].mean().rename("tuned").reset_index()
    lost = each[~each["tuning"]].groupby(CLIMB, observed=True)["lost"].sum().reset_index()
    told = told.merge(tuned, on=CLIMB).merge(lost, on=CLIMB).merge(grids(found), on=WAY)
    edges = [told["grid"] < 2, told["rate"] == told["least"], told["rate"] == told["most"]]
    return told.assign(edge=np.select(edges, ["", LOWEST, HIGHEST], "") if len(told) else "")


def grids(found: Climbs) -> pd.DataFrame:
    """Of every estimator the lowest and highest rate, and how many there are."""
    rates = found.sessions.groupby(WAY, observed=True)["rate"]
    return rates.agg(least="min", most="max", grid="nunique").reset_index()


def collapses(found: Climbs) -> pd.DataFrame:
    """At every rate, the fraction of reported sessions that end below their own start, or diverged."""
    each = climbs.ends(found)
    each = each[~each["tuning"]]
    each = each.assign(value=(each["lost"] | (each["value"] < each["begin"])).astype(float))
    told = each.groupby(CLIMB, observed=True)["value"].mean().rename("collapsed").reset_index()
    return told.assign(stable=told["collapsed"] <= COLLAPSED)


def stable(found: Climbs) -> pd.DataFrame:
    """The stable rates on both sides of the best at equal updates, without a gap, per estimator and variant.

    Where the best is not stable, the longest stretch of rates that are. `low` and `high` are its ends,
    `factor` one over the other, NaN where no rate is stable; `whole` says that all rates tried are.
    """
    chosen = best(found, climbs.UPDATES)[[*ENTRY, "estimator", "rate", "grid"]]
    rates = collapses(found)
    rows = []
    for row in chosen.itertuples(index=False):
        own = rates[(rates[WAY] == [row.reward, row.variant, row.estimator]).all(axis=1)]
        rows.append((row.reward, row.variant, row.bare, *around(own, row.rate)))
    return pd.DataFrame(rows, columns=[*ENTRY, "low", "high", "factor", "whole"])


def around(rates: pd.DataFrame, rate: float) -> tuple[float, float, float, bool]:
    """Of the rates of one estimator, the stable ones next to this, or else the longest stretch of them."""
    ordered = rates.sort_values("rate")
    stretch = (ordered["stable"] != ordered["stable"].shift()).cumsum()
    runs = [run["rate"] for _, run in ordered[ordered["stable"]].groupby(stretch)]
    if not runs:
        return np.nan, np.nan, np.nan, False
    run = next((run for run in runs if (run == rate).any()), max(runs, key=len))
    return run.min(), run.max(), run.max() / run.min(), len(run) == len(ordered)
