"""Power laws: as what power of a number a quantity grows, where settings give that number a value.

A setting such as `T=30` is a point of the axis T. The exponent is the slope of a straight line through the
logarithms, by least squares, session by session: its interval is over sessions, as everywhere. Where a part
of the costs does not grow, only the upper end of an axis tells how the rest does.
"""

from math import ceil

import numpy as np
import pandas as pd

from bench.statistics import stats
from bench.statistics.quality import exponential, logarithm
from bench.tables import schema
from bench.tables.store import Tables

UPPER = 0.5
LINE = ["estimator", "axis"]
RANGE = ["first", "last"]
#: Seconds are told in milliseconds, bytes in megabytes.
UNITS = {schema.UPDATE_SECONDS: 1e-3, schema.PEAK_MEMORY: 1e6}


def logarithms(tables: Tables, metric: str, parameter: str) -> pd.DataFrame:
    """A metric's natural logarithms at the points of all axes: name `axis`, number `at` and `value`."""
    found = stats.rows(tables, metric, parameter)
    named = found["setting"].astype(str).str.extract(r"^(?P<axis>[A-Za-z]+)=(?P<at>\d+)$")
    found = found.assign(axis=named["axis"], at=pd.to_numeric(named["at"])).dropna(subset="at")
    if metric == schema.GRADIENT_LOG_VARIANCE:
        return found
    return logarithm(found.assign(value=found["value"] / UNITS[metric]))


def shared(table: pd.DataFrame) -> pd.DataFrame:
    """What does not depend on the estimator: the mean over estimators of every session at every point."""
    found = table.groupby(["axis", "at", "session"], observed=True)["value"].mean().reset_index()
    return found.assign(estimator="")


def geometric(table: pd.DataFrame) -> pd.DataFrame:
    """Geometric mean of each estimator at each point of one axis: estimator, at, mean, low, high, n."""
    return exponential(stats.mean_interval(table, ["estimator", "at"])).sort_values("at")


def exponents(table: pd.DataFrame, upper: float = UPPER) -> pd.DataFrame:
    """Fit a power law to each estimator along each axis; no row where there is one point only.

    Args:
        table: as `logarithms` gives it.
        upper: which part of an axis's points is fitted, its upper end, of two points at least.

    Returns:
        estimator, axis, first and last (the points fitted from and to), mean, low, high, n.
    """
    fits = [fitted(part, upper) for _, part in table.groupby(LINE, observed=True)]
    found = pd.concat([fit for fit in fits if len(fit)] or [pd.DataFrame(columns=[*LINE, *RANGE, "value"])])
    return stats.mean_interval(found, [*LINE, *RANGE])


def fitted(part: pd.DataFrame, upper: float) -> pd.DataFrame:
    """The exponent of each session that has all the points, of one estimator along one axis."""
    wide = part.pivot(index="session", columns="at", values="value")
    wide = wide.iloc[:, -max(2, ceil(upper * wide.shape[1])) :].dropna()
    if wide.shape[1] < 2:
        return wide.iloc[:0]
    slopes = np.polyfit(np.log(wide.columns.to_numpy(float)), wide.to_numpy().T, 1)[0]
    ends = {"first": wide.columns[0], "last": wide.columns[-1]}
    return part[LINE].iloc[[0] * len(wide)].assign(**ends, value=slopes)
