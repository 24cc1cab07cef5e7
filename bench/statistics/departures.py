"""What another optimiser or another knob changes: each at its own best rate against the plain estimator at its."""

import numpy as np
import pandas as pd

from bench.statistics import climbs, tuned
from bench.statistics.aggregates import mean_by_bootstrap
from bench.statistics.climbs import NULL, WAY, Climbs
from bench.statistics.contests import signed_rank
from bench.statistics.stats import holm

COLUMNS = ["variant", "estimator", "bare", "mean", "low", "high", "n", "p"]


def departures(found: Climbs, reward: str) -> pd.DataFrame:
    """J at equal updates less that of the plain estimator, paired by session: mean, interval, n, p, p_holm.

    Wilcoxon's signed-rank test, two-sided; all optimisers are one family, all knobs another.
    """
    each = tuned.picked(found, climbs.UPDATES, WAY)
    mine = each[(each["reward"] == reward) & ~each["tuning"] & (each["variant"] != NULL)]
    wide = mine.pivot_table(index="session", columns=["variant", "estimator"], values="value", observed=True)
    plain = dict(zip(mine["estimator"], mine["bare"], strict=True))
    rows = []
    for variant, estimator in wide.columns:
        base = ("", plain[estimator])
        if (variant, estimator) != base and base in wide.columns:
            gap = (wide[variant, estimator] - wide[base]).dropna().to_numpy()
            rows += [(variant, estimator, plain[estimator], *compared(gap))] if len(gap) else []
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(p_holm=table.groupby(table["variant"] != "")["p"].transform(holm))


def compared(gap: np.ndarray) -> tuple[float, float, float, int, float]:
    """Mean difference with its interval, number of sessions, and p."""
    mean, low, high = map(float, mean_by_bootstrap(gap))
    return mean, low, high, len(gap), signed_rank(gap, "two-sided")
