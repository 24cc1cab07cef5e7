"""The table of differences: how far apart conditions end, and how many sessions it takes to tell.

The sentences of the report decide by the paired t-test, which few sessions suffice for. The permutation test
beside it assumes no distribution, but has no p below 2^(1 - n): with 5 sessions it decides nothing.
"""

import pandas as pd

from bench.report import words
from bench.report.summary import BASELINES, Table
from bench.statistics import headline, inference, lineup, stats
from bench.statistics.headline import Direction
from bench.statistics.lineup import Condition
from bench.tables.store import Tables

CAPTION = (
    "Condition less baseline, paired by session, with Student's interval; p after Holm's correction over the "
    "comparisons with one baseline, by the paired t-test and by permutation within sessions. Effect: Cohen's "
    "d of the differences with Hedges' correction, above 0 where the condition is better. Better: the "
    "probability that it is the better one in a session (Wilson's interval). Sessions needed: with which a "
    f"paired t-test would tell the two apart in {inference.POWER:.0%} of studies, corrected likewise, were "
    "the effect as measured here; an order of magnitude."
)


def table(tables: Tables) -> Table | None:
    """Final quality less each baseline's, paired by session; None without a baseline."""
    head = headline.of(tables)
    final = stats.last(headline.rows(tables))
    parts = [against(final, head.way, baseline) for baseline in BASELINES]
    found = pd.concat([part for part in parts if not part.empty] or [pd.DataFrame()])
    return None if found.empty else Table(found, shown(found, head.name), CAPTION)


def against(final: pd.DataFrame, way: Direction, baseline: Condition) -> pd.DataFrame:
    """Everything that is told of the differences from one baseline; `gain`s are above 0 for the better."""
    found = stats.paired_differences(final, baseline)
    more = inference.compared(headline.gains(final, way), baseline).rename(columns=BY_RESAMPLING)
    both = found.merge(more.drop(columns="n"), on=stats.COMPARED)
    both.insert(0, "label", [lineup.label(*pair) for pair in both[stats.COMPARED].itertuples(index=False)])
    return both.assign(baseline=lineup.label(*baseline))


BY_RESAMPLING = {
    "mean": "gain",
    "low": "gain_low",
    "high": "gain_high",
    "p": "p_permutation",
    "p_holm": "p_permutation_holm",
}
"""What `inference.compared` gives that `stats.paired_differences` gives by another method."""


def shown(found: pd.DataFrame, name: str) -> pd.DataFrame:
    """The numbers as words."""
    rows = list(found.itertuples())
    return pd.DataFrame(
        {
            "baseline": found["baseline"],
            "estimator": found["label"],
            f"difference in final {name}": [words.estimate(row, 3, sign=True) for row in rows],
            "p (t-test)": [words.p_value(p) for p in found["p_holm"]],
            "p (permutation)": [words.p_value(p) for p in found["p_permutation_holm"]],
            "effect": [words.between(row.effect, row.effect_low, row.effect_high, 2) for row in rows],
            "better": [
                words.between(row.improvement, row.improvement_low, row.improvement_high, 2) for row in rows
            ],
            "sessions needed": [words.needed(n) for n in found["sessions_needed"]],
            "sessions": found["n"].astype(int),
        }
    )
