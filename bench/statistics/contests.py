"""Who may climb best: a leader found in the tuning sessions, and who is told from it in the reported ones.

Of 200 made-up families of 6 equally good estimators, and of 12, one is not among those that may be best in
3.5% and 2.5%; in 7.5% of families of 6 of which some collapse in 10 and 20% of sessions, with the same mean.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize
from scipy import stats as scipy_stats

from bench.statistics import climbs, inference, lineup, tuned
from bench.statistics.aggregates import mean, mean_by_bootstrap
from bench.statistics.climbs import Climbs
from bench.statistics.stats import LEVEL, RESAMPLES, holm
from bench.tables.store import Tables

ALPHA = 1 - LEVEL
BLACK_BOX, DIFFERENTIABLE = "black box", "differentiable"
"""Kinds of rewards: one that only gives values of whole sequences, and one that gives whatever is asked."""
INSIDE = frozenset({"DERIVATIVE", "RELAXED", "PREFIXES"})
"""What a black box does not give."""
DATA = "DATA"
PLANNED = [("reinforce_loo", "reinforce"), ("local_expectation", "reinforce_loo")]
"""Pairs that were to be compared before anything was measured."""
COMPARED = ["mean", "low", "high", "n", "above", "way", "p"]
FEWEST = 6
"""Sessions without which no detectable difference is told."""


class Contest(NamedTuple):
    """The contenders for one kind of reward at one budget.

    Attributes:
        leader: the row of `tuned.summary` with the highest J in tuning; of equals the first by name.
        others: the rows of the rest, the nearest first, with `behind` (mean of the leader's J less theirs),
            `p` (one-sided, of being below the leader) and `p_holm`.
        detectable: the median and the largest difference that so many sessions detect.
    """

    leader: Any
    others: pd.DataFrame
    detectable: tuple[float, float]

    def may_be_best(self) -> list[str]:
        """Those not shown to be below the leader, the leader first."""
        near = self.others[~(self.others["p_holm"] < ALPHA)]
        return [self.leader.bare, *near["bare"]]


def contenders(tables: Tables, kind: str) -> list[str]:
    """Estimators that compete under that kind of reward; what learns from data stands beside."""
    asked = climbs.needs(tables)
    return [
        name
        for name, needs in asked.items()
        if lineup.competes(name) and DATA not in needs and (kind == DIFFERENTIABLE or not needs & INSIDE)
    ]


def contest(found: Climbs, budget: str, names: Sequence[str], reward: str) -> Contest | None:
    """Find the leader of these and test the others against it."""
    each = plain(tuned.picked(found, budget), names, reward)
    told = tuned.summary(found, each)
    if told.empty:
        return None
    near = told["tuned"] >= told["tuned"].max() - climbs.RESOLUTION
    leader = next(told[near].itertuples(index=False))
    others = against(each[~each["tuning"]], told[told["bare"] != leader.bare], leader.bare)
    return Contest(leader, others, detectable(others))


def plain(table: pd.DataFrame, names: Sequence[str], reward: str) -> pd.DataFrame:
    """The rows of these estimators under that reward, by everybody's optimiser."""
    return table[(table["reward"] == reward) & (table["variant"] == "") & table["bare"].isin(names)]


def against(reported: pd.DataFrame, others: pd.DataFrame, leader: str) -> pd.DataFrame:
    """Each of the others against the leader, paired by session, Holm-corrected over all of them."""
    wide = reported.pivot_table(index="session", columns="bare", values="value", observed=True)
    gaps = {name: (wide[leader] - wide[name]).dropna().to_numpy() for name in others["bare"]}
    values = list(gaps.values())
    found = others.assign(
        behind=[gap.mean() for gap in values],
        deviation=[gap.std(ddof=1) if len(gap) > 1 else np.nan for gap in values],
        paired=[len(gap) for gap in values],
        p=np.array([of_the_mean(gap) for gap in values], dtype=float),
    )
    return found.assign(p_holm=holm(found["p"])).sort_values("behind", kind="stable")


def counted(differences: np.ndarray) -> np.ndarray:
    """What is below `climbs.RESOLUTION` is no difference: at the top J differs by rounding alone."""
    return np.where(np.abs(differences) < climbs.RESOLUTION, 0.0, differences)


def of_the_mean(differences: np.ndarray) -> float:
    """One-sided p of a mean above 0, by random signs of the differences; 1 where nothing differs.

    It tests what leaders are chosen by: a few sessions that collapse count by how far they fall.
    """
    told = counted(differences)
    if not np.any(told):
        return 1.0
    found = scipy_stats.permutation_test(
        [told],
        mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def signed_rank(differences: np.ndarray, alternative: str) -> float:
    """Wilcoxon's p, zeros ranked but not counted (Pratt 1959); 1 where nothing differs."""
    told = counted(differences)
    if not np.any(told):
        return 1.0
    return float(scipy_stats.wilcoxon(told, zero_method="pratt", alternative=alternative).pvalue)


def detectable(others: pd.DataFrame) -> tuple[float, float]:
    """The median and the largest J difference from the leader that is detected in `POWER` of studies.

    By the power of the paired t-test at the first step of Holm's procedure, from each one's own deviation of
    the differences; the one-sided level is the two-sided one of twice the size.
    """
    told = others[others["paired"] >= FEWEST]
    if told.empty:
        return np.nan, np.nan
    effects = {n: effect_for(n, 2 * ALPHA / len(others)) for n in told["paired"].unique()}
    sizes = told["deviation"] * told["paired"].map(effects)
    return float(sizes.median()), float(sizes.max())


def effect_for(size: int, alpha: float, power: float = inference.POWER) -> float:
    """The effect d_z that `inference.t_power` says so many sessions find."""
    high = 0.25
    while inference.t_power(high, size, alpha) < power:
        high *= 2  # far beyond what is needed scipy's noncentral t is not a number
    return float(optimize.brentq(lambda effect: inference.t_power(effect, size, alpha) - power, 0, high))


def planned(found: Climbs, budget: str, reward: str) -> pd.DataFrame:
    """The planned pairs at a budget, first less second: `COMPARED` of each.

    No correction is made here: they are one family with those of the other lengths and budgets.
    """
    each = tuned.picked(found, budget)
    rows = []
    for pair in PLANNED:
        mine = plain(each[~each["tuning"]], pair, reward)
        wide = mine.pivot_table(index="session", columns="bare", values="value", observed=True)
        gap = (wide[pair[0]] - wide[pair[1]]).dropna().to_numpy() if len(wide.columns) == 2 else np.empty(0)
        if len(gap):
            rows.append((*pair, *compared(gap)))
    return pd.DataFrame(rows, columns=["first", "second", *COMPARED])


def compared(gap: np.ndarray) -> tuple[float, ...]:
    """`COMPARED` of paired differences: mean with its interval, and what the signed-rank test says.

    `way` is the sign of the sum of signed ranks, where a session typically differs; the mean may have the
    other where a few sessions differ by very much. `above` counts the sessions that differ upwards.
    """
    told = counted(gap)
    way = np.sign((np.sign(told) * scipy_stats.rankdata(np.abs(told))).sum())
    found = (*mean_by_bootstrap(gap), len(gap), (told > 0).sum(), way, signed_rank(gap, "two-sided"))
    return tuple(map(float, found))
