"""Tests, effect sizes and power for pairs of conditions, and rank correlation.

Sessions of one number share their seed in all conditions, so two conditions are compared by their
differences within a session. Where `bench/statistics/stats.py` assumes normal differences (Student's t), this
module resamples: permutation tests and bootstrap intervals, by scipy. Arrays hold sessions on the
last axis; tables are those of `bench/statistics/stats.py`.
"""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

from bench.statistics.aggregates import (
    MEMORY,
    Interval,
    bca,
    mean,
    mean_by_bootstrap,
    probability_of_improvement,
)
from bench.statistics.stats import COMPARED, LEVEL, RESAMPLES, TEST, holm, t_quantile

POWER = 0.8
#: More sessions than this are called infinitely many.
MOST = 10**9
#: Statistics of t beyond which scipy does not invert the noncentral distribution.
FAR = 10**5
EFFECT = ["effect", "effect_low", "effect_high"]
IMPROVEMENT = ["improvement", "improvement_low", "improvement_high"]
Pair = tuple[str, str]
"""Estimator and setting."""
COMPARISON = [*TEST, *EFFECT, *IMPROVEMENT, "sessions_needed"]


class Correlation(NamedTuple):
    """A rank correlation, the ends of its interval, and the p value of there being none."""

    value: float
    low: float
    high: float
    p: float


def compared(table: pd.DataFrame, baseline: Pair, power: float = POWER) -> pd.DataFrame:
    """Each condition against the baseline, paired by session: one metric, one step, one slice.

    Returns estimator, setting; mean, low, high (condition minus baseline, BCa interval); n (sessions that
    both have); p (permutation test) and p_holm (corrected for all rows returned); effect and improvement
    (the probability that the condition has the higher value), each with _low and _high; sessions_needed
    (for `power` to separate the two in the first step of Holm's procedure, were the effect the true one).
    """
    rows = [[*other, *comparison(*pair)] for other, pair in paired(table, baseline).items()]
    found = pd.DataFrame(rows, columns=[*COMPARED, *TEST[:-1], *EFFECT, *IMPROVEMENT])
    family = max(1, found["p"].count())
    needed = [sessions_for(effect, power, (1 - LEVEL) / family) for effect in found["effect"]]
    found = found.assign(n=found["n"].astype(int), p_holm=holm(found["p"]), sessions_needed=needed)
    return found[[*COMPARED, *COMPARISON]]


def paired(table: pd.DataFrame, baseline: Pair) -> dict[Pair, np.ndarray]:
    """Each condition's values and the baseline's, [2, sessions that both have]."""
    wide = table.pivot_table(index="session", columns=COMPARED, values="value", observed=True)
    others = [other for other in wide if other != baseline] if baseline in wide else []
    found = {other: wide[[other, baseline]].dropna().to_numpy().T for other in others}
    return {other: pair for other, pair in found.items() if pair.size}


def improvements(table: pd.DataFrame, baseline: Pair) -> pd.DataFrame:
    """How often each condition has the higher value: estimator, setting; mean, low, high (Wilson's)."""
    rows = [[*other, *probability_of_improvement(*pair)] for other, pair in paired(table, baseline).items()]
    return pd.DataFrame(rows, columns=[*COMPARED, "mean", "low", "high"]).astype(
        dict.fromkeys(["mean", "low", "high"], float)
    )


def undecided(found: pd.DataFrame, power: float = POWER) -> pd.DataFrame:
    """Those of a family of differences that are not significant, with the `sessions_needed` to tell.

    Args:
        found: as `stats.paired_differences` gives it, the whole family.
        power: of that many sessions, were the effect as measured.
    """
    deviation = (found["high"] - found["low"]) / 2 / t_quantile(found["n"], LEVEL) * np.sqrt(found["n"])
    ratios = zip(found["n"], found["mean"] / deviation.where(deviation > 0), strict=True)
    effects = [hedges(n - 1) * ratio if n > 2 else np.nan for n, ratio in ratios]
    family = max(1, found["p"].count())
    needed = [sessions_for(effect, power, (1 - LEVEL) / family) for effect in effects]
    return found.assign(sessions_needed=needed)[~(found["p_holm"] < 1 - LEVEL)]


def comparison(x: np.ndarray, y: np.ndarray) -> list[float]:
    """A row of `compared`, as far as it does not depend on the other rows."""
    difference, improvement = mean_by_bootstrap(x - y), probability_of_improvement(x, y)
    cells = [*difference, x.size, paired_permutation(x, y), *effect_size(x - y), *improvement]
    return np.array(cells, dtype=float).tolist()


def paired_permutation(x: np.ndarray, y: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Two-sided p value of equal means, by exchanging x and y within sessions; NaN for one session.

    If two conditions do the same, a session's two results could as well stand the other way round: each of
    the 2^n signs of the differences is equally likely (Fisher, "The design of experiments", 1935). All are
    taken if they are at most `resamples` (13 sessions), else so many random ones, always the same, and the
    observed one. Exact for that hypothesis, whatever the values' distribution: among five comparisons of ten
    sessions without a difference, Holm's correction lets pass a false one in 4.3% of 5,000 families.

    It is no exact test of equal means alone. If differences have a mean of 0 but are as skewed as an
    exponential, 5% becomes 10% at 10 sessions and 7.5% at 30, as with a t-test. Random signs give no p below
    2 / (resamples + 1), enough for families of up to 250.
    """
    size = x.shape[-1]
    if size < 2:
        return np.full(x.shape[:-1], np.nan)
    return stats.permutation_test(
        [x - y],
        mean,
        permutation_type="samples",
        vectorized=True,
        axis=-1,
        n_resamples=resamples,
        batch=max(1, MEMORY // x.size),
        rng=np.random.default_rng(0),
    ).pvalue


def effect_size(differences: np.ndarray, level: float = LEVEL) -> Interval:
    """Cohen's d_z, the mean difference over the deviation of differences, with Hedges' correction.

    J(n - 1) mean / deviation, J(m) = Gamma(m / 2) / (sqrt(m / 2) Gamma((m - 1) / 2)): unbiased for normal
    differences (Hedges, "Distribution theory for Glass's estimator of effect size", J. Educational
    Statistics 6, 1981). The interval has the noncentral t distributions between which t lies: exact for
    normal differences (Steiger & Fouladi 1997). NaN below three sessions, where nothing unbiased exists.
    Constant differences have an effect of 0 or infinity, and no interval.
    """
    size = differences.shape[-1]
    middle, none = differences.mean(axis=-1), np.full(differences.shape[:-1], np.nan)
    if size < 3:
        return Interval(none, none, none)
    deviation = differences.std(axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(middle == 0, 0, middle / deviation)
    shift = ratio * np.sqrt(size)
    shift = np.where((deviation > 0) & (np.abs(shift) < FAR), shift, np.nan)
    ends = [special.nctdtrinc(size - 1, tail, shift) for tail in ((1 + level) / 2, (1 - level) / 2)]
    return Interval(hedges(size - 1) * ratio, *(end / np.sqrt(size) for end in ends))


def hedges(freedom: int) -> float:
    """Hedges' J, by which an effect from few values is too large."""
    half = freedom / 2
    return float(np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half))


def sessions_needed(
    differences: np.ndarray, power: float = POWER, alpha: float = 1 - LEVEL, family: int = 1
) -> float:
    """Paired sessions with which two conditions would be told apart, if their effect is as measured.

    By the power of the paired t-test. `family` is the number of comparisons that Holm's procedure corrects
    for: its first, strictest step is taken. An effect measured in few sessions is uncertain, and this number
    more so: read it as an order of magnitude. Infinite for no difference, NaN below three sessions.
    """
    return sessions_for(float(effect_size(differences).value), power, alpha / family)


def sessions_for(effect: float, power: float = POWER, alpha: float = 1 - LEVEL) -> float:
    """The least n >= 2 for which `t_power` is at least `power`; infinite for an effect of (almost) 0."""
    if np.isnan(effect):
        return np.nan
    if t_power(effect, MOST, alpha) < power:
        return np.inf
    return float(bisect_left(range(MOST), power, lo=2, key=lambda size: t_power(effect, size, alpha)))


def t_power(effect: float, size: int, alpha: float = 1 - LEVEL) -> float:
    """Probability that a two-sided paired t-test of `size` sessions finds an effect d_z.

    P(|T| > t), T noncentral t of n - 1 degrees of freedom and noncentrality d_z sqrt(n).
    """
    if np.isinf(effect):
        return 1.0
    limit, shift = stats.t.isf(alpha / 2, size - 1), effect * np.sqrt(size)
    return float(stats.nct.sf(limit, size - 1, shift) + stats.nct.cdf(-limit, size - 1, shift))


def spearman(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    """Spearman's rank correlation, ties at their mean rank; 0 where x or y is constant.

    A resample may be constant, which says nothing of a relation.
    """
    ranks = [stats.rankdata(values, axis=axis) for values in (x, y)]
    a, b = (rank - rank.mean(axis=axis, keepdims=True) for rank in ranks)
    scale = np.sqrt((a * a).sum(axis=axis) * (b * b).sum(axis=axis))
    return (a * b).sum(axis=axis) / np.where(scale > 0, scale, 1)


def rank_correlation(
    x: np.ndarray, y: np.ndarray, level: float = LEVEL, resamples: int = RESAMPLES
) -> Correlation:
    """Spearman's correlation of two values of the same sessions, BCa interval, and permutation test.

    The test pairs x and y anew: all n! ways if there are at most `resamples` (7 sessions), else so many
    random ones. For normal values correlated by 0, 0.5 and 0.8, the 95% interval holds the true one in 94% to
    97% of 1,500 to 2,000 data sets at 10, 15 and 30 sessions. All NaN if x or y is constant; no interval if
    the order is the same or the opposite throughout, since every resample is then as perfect.
    """
    if min(np.ptp(x), np.ptp(y)) == 0:
        return Correlation(np.nan, np.nan, np.nan, np.nan)
    value, low, high = (float(part) for part in bca([x, y], spearman, level, resamples))
    if 1 - abs(value) < 1e-12:
        low = high = np.nan
    p = stats.permutation_test(
        [x],
        lambda values, axis: spearman(values, y, axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(0),
    ).pvalue
    return Correlation(value, low, high, float(p))
