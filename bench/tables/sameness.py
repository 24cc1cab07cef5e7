"""What must be the same, to the last bit, wherever and however often a session is computed."""

import numpy as np
import pandas as pd

from bench.tables import schema


def untimed(metrics: pd.DataFrame) -> pd.DataFrame:
    """Leave out times and what has a time for its budget: between two identical runs these alone differ."""
    timed = metrics["metric"].str.endswith(schema.SECONDS) | (metrics["parameter"] == schema.SECONDS)
    return metrics[~timed]


def same_bits(a: pd.Series, b: pd.Series) -> np.ndarray:
    """Equal to the last bit; what is no number equals what is none."""
    bits = (column.to_numpy(np.float64, copy=True).view(np.int64) for column in (a, b))
    return np.equal(*bits) | (a.isna() & b.isna()).to_numpy()
