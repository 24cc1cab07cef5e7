"""B less A, of every quantity of every condition that both have, with interval and test.

Where the same sessions are in both, they are compared session by session: Student's t of the
differences. Where they are not, Welch's: "The generalization of 'Student's' problem when several
different population variances are involved", Biometrika 34 (1947). Not the permutation test of
`bench/statistics/inference.py`: its least p, 2 / `RESAMPLES`, would not outlast Holm's correction over the
hundreds of comparisons that two results folders make.
"""

import numpy as np
import pandas as pd
from scipy import stats as distributions

from bench.comparison.quantities import NAMED, QUANTITIES
from bench.statistics import stats
from bench.statistics.aggregates import grouped, probability_of_improvement
from bench.statistics.inference import EFFECT, IMPROVEMENT, effect_size
from bench.statistics.stats import LEVEL
from bench.tables.schema import CONDITION

KEY = [*CONDITION, "quantity", "what", "falls"]
BETTER, WORSE, CHANGED, OPEN, IDENTICAL = "better", "worse", "changed", "undecided", "identical"


def differences(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Compare the values of `quantities.measured`; what is significant comes first.

    Returns `KEY`; a and b (means over what is compared); mean, low, high (B less A); paired, n_a, n_b; p,
    p_holm (over all rows with a p); effect and improvement (the probability that B is the better, in a
    session), with _low and _high, of pairs; verdict. Of a ratio, all are of logarithms.
    """
    both = a.merge(b, on=[*KEY, "session"], how="outer", suffixes=("_a", "_b"))
    used = comparable(both.astype({"value_a": float, "value_b": float}))
    pairs, others = used[used["paired"]], used[~used["paired"]]
    differing = pairs.assign(value=pairs["value_b"] - pairs["value_a"])
    found = pd.concat([student(differing), welch(others)]).merge(described(used), on=KEY)
    counted = found["quantity"].isin([q.name for q in QUANTITIES if q.counted])
    found["p"] = found["p"].mask(found["identical"] | (counted & (found["low"] == found["high"])))
    found = found.assign(p_holm=stats.holm(found["p"])).merge(effects(differing), on=KEY, how="left")
    return in_order(found.assign(verdict=verdicts(found)))


def comparable(both: pd.DataFrame) -> pd.DataFrame:
    """The rows that are used, with a column `paired`.

    Paired is whatever has at least half of the sessions of the smaller side, and two, in both; then only the
    pairs are used.
    """
    there = both[["value_a", "value_b"]].notna()
    there["pairs"] = there.all(axis=1)
    count = there.groupby([both[column] for column in KEY], observed=True).transform("sum")
    least = count[["value_a", "value_b"]].min(axis=1)
    paired = count["pairs"] >= np.maximum(least / 2, np.minimum(least, 2))
    return both.assign(paired=paired)[(least > 0) & (there["pairs"] | ~paired)]


def student(differing: pd.DataFrame) -> pd.DataFrame:
    """Mean of the differences of pairs, with its interval and the t-test's p."""
    found = stats.mean_interval(differing, KEY)
    zero = (differing["value"] == 0).groupby([differing[column] for column in KEY], observed=True).all()
    found = found.merge(zero.rename("identical").reset_index(), on=KEY)
    return found.assign(p=stats.p_zero(found)).drop(columns="n")


def welch(used: pd.DataFrame) -> pd.DataFrame:
    """Difference of two sides' means, with Welch's interval and p."""
    groups = used.groupby(KEY, observed=True, sort=False)
    (mean_a, square_a, n_a), (mean_b, square_b, n_b) = (
        (groups[side].mean(), groups[side].var() / groups[side].count(), groups[side].count())
        for side in ("value_a", "value_b")
    )
    error = np.sqrt(square_a + square_b)
    freedom = error**4 / (square_a**2 / (n_a - 1) + square_b**2 / (n_b - 1))
    freedom = freedom.where(error > 0, n_a + n_b - 2)  # two constants
    mean = mean_b - mean_a
    half = error * distributions.t.ppf((1 + LEVEL) / 2, freedom)
    statistic = (mean.abs() / error).where((mean != 0) | error.isna(), 0.0)
    columns = {
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        "p": pd.Series(2 * distributions.t.sf(statistic, freedom), mean.index),
    }
    return pd.DataFrame(columns).reset_index().assign(identical=False)


def described(used: pd.DataFrame) -> pd.DataFrame:
    """Both sides' means and sizes."""
    groups = used.groupby(KEY, observed=True, sort=False)
    return groups.agg(
        a=("value_a", "mean"),
        b=("value_b", "mean"),
        n_a=("value_a", "count"),
        n_b=("value_b", "count"),
        paired=("paired", "first"),
    ).reset_index()


def effects(differing: pd.DataFrame) -> pd.DataFrame:
    """Effect size d_z and the probability that B is the better one, of pairs that differ at all."""
    rows = []
    for key, found in grouped(differing, KEY):
        if not found.any():
            continue
        gain = -found if key[KEY.index("falls")] else found
        rows.append([*key, *effect_size(found), *probability_of_improvement(gain, np.zeros_like(gain))])
    columns = [*EFFECT, *IMPROVEMENT]
    return pd.DataFrame(rows, columns=[*KEY, *columns]).astype(dict.fromkeys(columns, float))


def verdicts(found: pd.DataFrame) -> np.ndarray:
    """What can be said of B in each row."""
    significant = found["p_holm"] < 1 - LEVEL
    gains = (found["mean"] > 0) != found["falls"].astype(bool)
    exact = found["p"].isna() & (found["low"] == found["high"]) & (found["mean"] != 0)
    cases = [found["identical"].astype(bool), significant & gains, significant, exact]
    return np.select(cases, [IDENTICAL, BETTER, WORSE, CHANGED], OPEN)


def in_order(found: pd.DataFrame) -> pd.DataFrame:
    """Significant rows by their p, then what is changed without a test, then the undecided, then the rest."""
    ranks = {BETTER: 0, WORSE: 0, CHANGED: 1, OPEN: 2, IDENTICAL: 3}
    order = pd.DataFrame(
        {
            "rank": found["verdict"].map(ranks),
            "p": found["p"],
            "quantity": found["quantity"].map({name: place for place, name in enumerate(NAMED)}),
            "size": -(found["mean"] / (found["high"] - found["low"]).replace(0, np.nan)).abs(),
        }
    )
    return found.loc[order.sort_values(["rank", "p", "quantity", "size"], kind="stable").index].reset_index(
        drop=True
    )
