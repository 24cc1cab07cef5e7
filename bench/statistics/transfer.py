"""Does a better gradient train better? Gradient quality beside final quality, by estimator and session.

`gradient_quality` measures at the parameters of `grammar`'s sessions what `grammar` trains with: a session of
the same number starts from the same parameters in both. Within a session, Spearman's rank correlation over
the estimators says whether those with the smaller error end higher.
"""

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from bench.statistics import headline, lineup, quality, stats
from bench.tables import schema
from bench.tables.store import Tables

TRAINED, MEASURED = "grammar", "gradient_quality"
BUDGET = schema.DISCRIMINATOR_CALLS
PLACE = ["task", "length", *stats.COMPARED, "session"]
PERFECT = 0.999
"""A correlation beyond which Fisher's z says nothing more."""
FEWEST = 4
"""Estimators without which there is no correlation to speak of."""


def both(tables: Tables) -> pd.DataFrame:
    """Logarithm of the relative error, and final headline, of the contenders, by `PLACE`."""
    parts: dict[str, list[pd.DataFrame]] = {TRAINED: [], MEASURED: []}
    for (experiment, *_), part in stats.slices(tables):
        if experiment == TRAINED:
            parts[TRAINED].append(stats.last(headline.rows(part)))
        if experiment == MEASURED:
            parts[MEASURED].append(quality.log_errors(part, BUDGET))
    if not all(parts.values()):
        return pd.DataFrame(columns=[*PLACE, "error", "quality"])
    ends, errors = (pd.concat(found)[[*PLACE, "value"]] for found in parts.values())
    named = {"value_x": "error", "value_y": "quality"}
    found = errors.merge(ends, on=PLACE).rename(columns=named)
    pairs = zip(found["estimator"], found["setting"], strict=True)
    return found[np.array([lineup.competes(*pair) for pair in pairs], dtype=bool)]


def correlations(found: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of smaller error and better end over estimators, for each length and session."""
    rows = []
    for (length, session), part in found.groupby(["length", "session"], observed=True):
        if len(part) >= FEWEST and part["error"].nunique() > 1 and part["quality"].nunique() > 1:
            value = scipy_stats.spearmanr(-part["error"], part["quality"]).statistic
            rows.append({"length": length, "session": session, "value": value})
    return pd.DataFrame(rows, columns=["length", "session", "value"])


def summary(tables: Tables) -> pd.DataFrame:
    """Mean rank correlation of each length with its interval over sessions: length, mean, low, high, n.

    Means and intervals are of Fisher's z = artanh(r), which has room on both sides, and turned back.
    """
    found = correlations(both(tables))
    z = found.assign(value=np.arctanh(found["value"].astype(float).clip(-PERFECT, PERFECT)))
    told = stats.mean_interval(z, ["length"])
    return told.assign(**np.tanh(told[["mean", "low", "high"]].astype(float)))
