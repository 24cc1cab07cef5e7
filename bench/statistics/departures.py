"""What another optimiser or knob changes: at its own best rate, against the plain estimator at its."""

import pandas as pd

from bench.statistics import climbs, tuned
from bench.statistics.climbs import NULL, WAY, Climbs
from bench.statistics.contests import COMPARED, compared
from bench.statistics.stats import holm

COLUMNS = ["variant", "estimator", "bare", *COMPARED]


def departures(found: Climbs, reward: str) -> pd.DataFrame:
    """J at equal updates less that of the plain estimator, paired by session: `COMPARED` and p_holm.

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
