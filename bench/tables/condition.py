"""What is run, and what comes of it: the two things that an experiment gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench.tables import schema

if TYPE_CHECKING:
    import pandas as pd


class Condition(NamedTuple):
    """What a session is an instance of, in the words of `bench.tables.schema`; every field is a column."""

    task: str
    length: int
    estimator: str
    setting: str = "default"
    source: str = schema.SYNTHETIC


class Outcome(NamedTuple):
    """What running some sessions of a condition gives."""

    metrics: pd.DataFrame  # session, step, metric, parameter, value
    trials: pd.DataFrame  # session, status, error
