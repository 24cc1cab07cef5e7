"""Statistics over sessions: tidy tables in, tidy tables out.

A session (one seed) is the unit of replication, so every interval is over sessions. Means carry
Student's t interval: it is exact for normal data, keeps its coverage at 30 sessions of moderately
skewed data where the bootstrap falls short, needs no random numbers (the same table always gives
the same page) and is one vectorised formula. Only the relative bias, a ratio of means, is
bootstrapped (BCa). Estimators share seeds, so differences are taken within a session and tested
by the paired t-test, corrected by Holm's procedure within one family of comparisons.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from bench.tables import schema
from bench.tables.schema import CONDITION, SESSION
from bench.tables.store import Tables

LEVEL = 0.95
RESAMPLES = 9999
#: Only conditions of one slice are compared with one another.
SLICE = ["experiment", "task", "source", "length"]
COMPARED = ["estimator", "setting"]
TEST = ["mean", "low", "high", "n", "p", "p_holm"]


def slices(tables: Tables) -> Iterator[tuple[tuple[str, str, str, int], Tables]]:
    """The tables of each experiment, task, source and length, in that order."""
    metrics = dict(iter(tables.metrics.groupby(SLICE, observed=True)))
    for key, trials in tables.trials.groupby(SLICE, observed=True):
        yield key, tables._replace(metrics=metrics.get(key, tables.metrics.iloc[:0]), trials=trials)


def rows(tables: Tables, metric: str, parameter: str | None = None) -> pd.DataFrame:
    """The finite values of one metric, of the sessions that ended ok."""
    metrics = tables.metrics
    chosen = metrics[metrics["metric"] == metric]
    if parameter is not None:
        chosen = chosen[chosen["parameter"] == parameter]
    chosen = chosen[np.isfinite(chosen["value"])]
    lost = tables.trials.loc[tables.trials["status"] != schema.OK, SESSION]
    if lost.empty or chosen.empty:
        return chosen
    keys = pd.MultiIndex.from_frame(chosen[SESSION])
    return chosen[~keys.isin(pd.MultiIndex.from_frame(lost))]


def last(table: pd.DataFrame) -> pd.DataFrame:
    """Only the rows of each condition's last step."""
    if table.empty:
        return table
    steps = table.groupby(CONDITION, observed=True)["step"].transform("max")
    return table[table["step"] == steps]


def common(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Only the rows of the last step at which there is every value of a column; none if that is the start."""
    steps = [set(part["step"]) for _, part in table.groupby(by, observed=True)]
    shared = max(set.intersection(*steps), default=0) if steps else 0
    return table[(table["step"] == shared) & (table["step"] > 0)]


def start(table: pd.DataFrame) -> pd.DataFrame:
    """Only the rows before the first update, where all estimators hold the same parameters."""
    return table[table["step"] == 0]


def among(table: pd.DataFrame, conditions: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Only the rows of these estimators in these settings."""
    pairs = zip(table["estimator"], table["setting"], strict=True)
    return table[np.array([pair in conditions for pair in pairs], dtype=bool)]


def mean_interval(table: pd.DataFrame, by: Sequence[str], level: float = LEVEL) -> pd.DataFrame:
    """Mean of `value` per group, with its t interval if n > 1: by, mean, low, high, n."""
    groups = table.groupby(list(by), observed=True, sort=False)["value"]
    found = groups.agg(["mean", "std", "count"]).reset_index()
    half = t_quantile(found["count"], level) * found["std"] / np.sqrt(found["count"])
    found["low"], found["high"] = found["mean"] - half, found["mean"] + half
    return found.rename(columns={"count": "n"})[[*by, "mean", "low", "high", "n"]]


def t_quantile(count: pd.Series, level: float) -> np.ndarray:
    """Two-sided quantile of Student's t for a mean of `count` values; NaN for one value."""
    return stats.t.ppf((1 + level) / 2, np.where(count > 1, count - 1, np.nan))


def paired_differences(table: pd.DataFrame, baseline: tuple[str, str]) -> pd.DataFrame:
    """Each condition minus the baseline, session by session: one metric, one step, one slice.

    Returns estimator, setting, mean, low, high, n, p (paired t-test, two-sided) and p_holm
    (corrected for all rows returned).
    """
    own = (table["estimator"] == baseline[0]) & (table["setting"] == baseline[1])
    if not own.any():
        return pd.DataFrame(columns=[*COMPARED, *TEST])
    base = table[own].set_index("session")["value"]
    others = table[~own].sort_values(COMPARED, kind="stable")
    gains = others["value"] - others["session"].map(base)
    return tested(others.assign(value=gains).dropna(subset="value"))


def changes(table: pd.DataFrame) -> pd.DataFrame:
    """Last step minus step 0 of the same session; columns as of `paired_differences`."""
    return tested(gains(table))


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Last step minus step 0 of the same session, a row for each session of a condition."""
    at = {"value": last(table), "begin": start(table)}
    both = [part.set_index([*COMPARED, "session"])["value"].rename(k) for k, part in at.items()]
    joined = pd.concat(both, axis=1, join="inner").reset_index()
    return joined.assign(value=joined["value"] - joined["begin"])


def less(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Values less those that the same sessions have in another table; columns as of `paired_differences`."""
    both = table.merge(other, on=SESSION, suffixes=("", "_other"))
    return tested(both.assign(value=both["value"] - both["value_other"]))


def mean_lengths(table: pd.DataFrame) -> pd.DataFrame:
    """Mean length of each session's strings at each step, from the fractions of all that occur."""
    weighted = table.assign(value=table["value"] * table["parameter"].astype(int))
    return weighted.groupby([*SESSION, "step"], observed=True)["value"].sum().reset_index()


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """How far apart sessions end, relative to how far they came: one metric.

    Returns estimator, setting, begin and end (means), deviation (standard deviation over sessions at the
    end), mean (that deviation over the size of the mean change), low, high, n. The interval is that of a
    normal sample's deviation; the change is taken as known.
    """
    at = {"end": last(table), "begin": start(table)}
    both = [part.set_index([*COMPARED, "session"])["value"].rename(name) for name, part in at.items()]
    groups = pd.concat(both, axis=1, join="inner").groupby(COMPARED, observed=True)
    found = groups.mean().assign(deviation=groups["end"].std(), n=groups.size()).reset_index()
    more = np.where(found["n"] > 1, found["n"] - 1, np.nan)
    came = (found["end"] - found["begin"]).abs()
    found["mean"] = found["deviation"] / came.where(came > 0)
    for name, tail in (("low", (1 + LEVEL) / 2), ("high", (1 - LEVEL) / 2)):
        found[name] = found["mean"] * np.sqrt(more / stats.chi2.ppf(tail, more))
    return found


def tested(differences: pd.DataFrame) -> pd.DataFrame:
    """Means of differences per condition, with the t-test of a zero mean and Holm's correction."""
    found = mean_interval(differences, COMPARED)
    found["p"] = p_zero(found)
    return found.assign(p_holm=holm(found["p"]))


def p_zero(found: pd.DataFrame) -> np.ndarray:
    """Two-sided p of a zero mean, from the interval, so that both agree; constants included."""
    half = (found["high"] - found["low"]) / 2
    error = half / t_quantile(found["n"], LEVEL)
    statistic = (found["mean"].abs() / error).where(found["mean"] != 0, 0.0)
    p = 2 * stats.t.sf(statistic, np.maximum(found["n"] - 1, 1))
    return np.where(found["n"] > 1, p, np.nan)


def holm(p: pd.Series) -> pd.Series:
    """Holm's step-down correction; missing p values stay missing and do not count."""
    ordered = p.dropna().sort_values()
    factors = np.arange(len(ordered), 0, -1)
    return (ordered * factors).cummax().clip(upper=1.0).reindex(p.index)


def relative_bias(tables: Tables) -> pd.DataFrame:
    """Bias of each condition: sqrt(max(0, mean ||bias||^2) / mean ||exact gradient||^2).

    The squared bias is estimated without bias, so it can fall below 0; it is cut off only after
    averaging. `p` tests whether its mean exceeds 0 (one-sided t-test); `p_holm` is corrected for
    all conditions of a slice.
    """
    names = {schema.GRADIENT_BIAS_SQUARED: "bias", schema.GRADIENT_NORM_SQUARED: "norm"}
    parts = [last(rows(tables, name, "")).assign(metric=short) for name, short in names.items()]
    table = pd.concat(parts)
    wide = table.pivot_table(index=SESSION, columns="metric", values="value", observed=True)
    wide = wide.reindex(columns=["bias", "norm"]).dropna()
    if wide.empty:
        return pd.DataFrame(columns=[*CONDITION, *TEST])
    found = wide.groupby(CONDITION, observed=True).apply(bias_of_condition).reset_index()
    return found.assign(p_holm=found.groupby(SLICE, observed=True)["p"].transform(holm))


def relative_errors(tables: Tables) -> pd.DataFrame:
    """Squared bias, variance and their sum before training, over the mean squared exact gradient.

    That mean is over all sessions of a slice: one scale for all its conditions, taken as known. One
    row per session of a condition and `part`, which is bias, variance or error (their sum).
    """
    names = [schema.GRADIENT_BIAS_SQUARED, schema.GRADIENT_VARIANCE, schema.GRADIENT_NORM_SQUARED]
    table = pd.concat([start(rows(tables, name, "")) for name in names])
    wide = table.pivot_table(index=SESSION, columns="metric", values="value", observed=True)
    wide = wide.reindex(columns=names).dropna()
    wide.columns = ["bias", "variance", "norm"]
    wide["norm"] = wide["norm"].groupby(SLICE, observed=True).transform("mean")
    wide["error"] = wide["bias"] + wide["variance"]
    parts = wide[["bias", "variance", "error"]].div(wide["norm"], axis=0)
    return parts.melt(ignore_index=False, var_name="part").reset_index()


def bias_of_condition(sessions: pd.DataFrame) -> pd.Series:
    """The relative bias of one condition from its sessions."""
    bias, norm = sessions["bias"].to_numpy(), sessions["norm"].to_numpy()
    low, high = bootstrapped(bias, norm)
    ratio = np.array([squared_ratio(bias, norm), low, high])
    mean, low, high = np.sqrt(np.where(np.isnan(ratio), ratio, np.maximum(ratio, 0)))
    return pd.Series({"mean": mean, "low": low, "high": high, "n": len(bias), "p": p_above_zero(bias)})


def squared_ratio(bias: np.ndarray, norm: np.ndarray, axis: int = -1) -> np.ndarray:
    """What is bootstrapped."""
    return bias.mean(axis=axis) / norm.mean(axis=axis)


def bootstrapped(bias: np.ndarray, norm: np.ndarray) -> tuple[float, float]:
    """BCa interval of the squared ratio; it commutes with the cutting-off and root to come."""
    if len(bias) < 2:
        return np.nan, np.nan
    if np.allclose(bias * norm.mean(), norm * bias.mean(), atol=0):
        return (float(squared_ratio(bias, norm)),) * 2
    generator = np.random.default_rng(0)
    found = stats.bootstrap(
        (bias, norm),
        squared_ratio,
        paired=True,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        rng=generator,
    )
    return found.confidence_interval


def p_above_zero(values: np.ndarray) -> float:
    """One-sided t-test of a mean above 0."""
    if len(values) < 2:
        return np.nan
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return 0.0 if values[0] > 0 else 1.0
    return float(stats.t.sf(values.mean() / error, len(values) - 1))
