"""Quality of gradients, from the tables of `gradient_quality`: errors, biases and costs, over checkpoints.

All are relative to |g|^2, the true gradient's squared norm: its mean over the sessions of a checkpoint, taken
as known. Errors and variances spread over orders of magnitude, so what is averaged over checkpoints,
compared and given an interval is their natural logarithm.
"""

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from bench.statistics import stats
from bench.tables import schema
from bench.tables.store import Tables

BUDGETS = {
    schema.DISCRIMINATOR_CALLS: "discriminator calls",
    schema.GENERATOR_CALLS: "generator calls",
    schema.SECONDS: "seconds",
}
POINT = [*stats.SLICE, "step"]


def measured(tables: Tables) -> bool:
    """Whether gradients were measured at equal budgets."""
    return not stats.rows(tables, schema.ERROR_AT_BUDGET).empty


def relative(tables: Tables, metric: str, parameter: str) -> pd.DataFrame:
    """A metric over |g|^2, a row for every session and checkpoint."""
    norms = stats.rows(tables, schema.GRADIENT_NORM_SQUARED, "")
    scale = norms.groupby(POINT, observed=True)["value"].mean().rename("scale").reset_index()
    both = stats.rows(tables, metric, parameter).merge(scale, on=POINT)
    return both.assign(value=both["value"] / both["scale"])


def over_checkpoints(table: pd.DataFrame) -> pd.DataFrame:
    """The mean over its checkpoints of every session."""
    return table.groupby(schema.SESSION, observed=True)["value"].mean().reset_index()


def logarithm(table: pd.DataFrame) -> pd.DataFrame:
    """The natural logarithm of what is above 0; the rest has none."""
    return table[table["value"] > 0].assign(value=lambda rows: np.log(rows["value"]))


def log_errors(tables: Tables, budget: str) -> pd.DataFrame:
    """Logarithm of the relative mean squared error at a budget, a row for every session."""
    return over_checkpoints(logarithm(relative(tables, schema.ERROR_AT_BUDGET, budget)))


def variances(tables: Tables) -> pd.DataFrame:
    """Relative variance of one draw (not per sample): mean and interval of each condition."""
    draws = relative(tables, schema.ERROR_AT_BUDGET, schema.ONE_DRAW)
    bias = relative(tables, schema.GRADIENT_BIAS_SQUARED, "")
    both = draws.merge(bias, on=[*schema.SESSION, "step"], suffixes=("", "_bias"))
    spread = both.assign(value=both["value"] - both["value_bias"])
    return exponential(stats.mean_interval(over_checkpoints(logarithm(spread)), stats.COMPARED))


def exponential(found: pd.DataFrame) -> pd.DataFrame:
    """Means and intervals of logarithms as what they are logarithms of."""
    return found.assign(**np.exp(found[["mean", "low", "high"]].astype(float)))


def costs(tables: Tables, budget: str) -> pd.DataFrame:
    """What one draw costs: mean and interval of each condition; nothing where it costs nothing."""
    each = over_checkpoints(stats.rows(tables, schema.DRAW_COST, budget))
    return stats.mean_interval(each[each["value"] > 0], stats.COMPARED)


def biases(tables: Tables) -> pd.DataFrame:
    """Relative bias of each condition, sqrt of the mean relative squared bias, with a one-sided p above 0.

    The squared bias is estimated without bias and may come out below 0; it is cut off after averaging.
    """
    found = stats.mean_interval(
        over_checkpoints(relative(tables, schema.GRADIENT_BIAS_SQUARED, "")), stats.COMPARED
    )
    error = (found["high"] - found["mean"]) / stats.t_quantile(found["n"], stats.LEVEL)
    statistic = found["mean"] / error.where(error > 0)
    p = scipy_stats.t.sf(statistic, np.maximum(found["n"] - 1, 1))
    roots = np.sqrt(found[["mean", "low", "high"]].clip(lower=0))
    return found.assign(**roots, p=p, p_holm=stats.holm(pd.Series(p, found.index)))


def front(found: pd.DataFrame) -> pd.DataFrame:
    """The rows that no other row beats in both `cost` and `mean`, cheapest first."""
    ordered = found.sort_values(["cost", "mean"])
    return ordered[ordered["mean"] < ordered["mean"].cummin().shift(fill_value=np.inf)]
