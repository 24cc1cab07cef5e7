"""Tables that say something else than they did, as a slip of a hand or of a script leaves them.

Each change is made to one unit's rows; with packed tables, to those of the first unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Change = Callable[[pd.DataFrame], pd.DataFrame]

HARMLESS = {
    f"{kind}: {name}"
    for kind in ("metrics", "trials")
    for name in ("written anew", "rows in other order", "a column too many")
}
"""What must give the same numbers, if it is not refused for its broken seal."""


def first(column: str, value: Any) -> Change:
    """Put a value in the first row."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).tolist()
        return frame.assign(**{column: [value, *values[1:]]})

    return change


def every(column: str, value: Any) -> Change:
    """Put a value in all rows."""
    return lambda frame: frame.assign(**{column: pd.Series([value] * len(frame), index=frame.index)})


def _swapped_sessions(frame: pd.DataFrame) -> pd.DataFrame:
    low, high = frame["session"].min(), frame["session"].max()
    return frame.assign(session=frame["session"].map({low: high, high: low}))


def _values(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda frame: frame.assign(value=change(frame["value"].to_numpy(copy=True)))


METRICS: dict[str, Change] = {
    "written anew": lambda f: f,
    "rows in other order": lambda f: f.iloc[::-1],
    "no rows": lambda f: f.iloc[:0],
    "a session lost": lambda f: f[f["session"] != f["session"].max()],
    "every second row lost": lambda f: f.iloc[::2],
    "the last step lost": lambda f: f[f["step"] != f["step"].max()],
    "the first step lost": lambda f: f[f["step"] != f["step"].min()],
    "the last step of one session lost": lambda f: f[(f["step"] != f["step"].max()) | (f["session"] > 0)],
    "one row lost": lambda f: f.iloc[1:],
    "one metric lost": lambda f: f[f["metric"] != f["metric"].iloc[-1]],
    "one row twice": lambda f: pd.concat([f, f.iloc[:1]]),
    "all rows twice": lambda f: pd.concat([f, f]),
    "a session too many": lambda f: pd.concat([f, f[f["session"] == 0].assign(session=9)]),
    "session null": first("session", None),
    "session -1": first("session", -1),
    "session that is no whole number": lambda f: f.assign(session=f["session"] + 0.5),
    "sessions swapped": _swapped_sessions,
    "step -5": first("step", -5),
    "step null": first("step", None),
    "metric null": first("metric", None),
    "metric empty": first("metric", ""),
    "parameter null": first("parameter", None),
    "experiment null": first("experiment", None),
    "another experiment": every("experiment", "names"),
    "another task": every("task", "toy"),
    "another source": every("source", "census"),
    "another length": every("length", 15),
    "another estimator": every("estimator", "relax"),
    "another setting": every("setting", "other"),
    "a column missing": lambda f: f.drop(columns="value"),
    "a key column missing": lambda f: f.drop(columns="parameter"),
    "a column too many": lambda f: f.assign(more=1),
    "numbers as text": lambda f: f.assign(value=f["value"].astype(str)),
    "words for numbers": lambda f: f.assign(value="much"),
    "steps as text": lambda f: f.assign(step=f["step"].astype(str)),
    "metrics as numbers": lambda f: f.assign(metric=range(len(f))),
    "values rounded": _values(lambda v: v.round(3)),
    "values negated": _values(lambda v: -v),
    "values in other order": _values(lambda v: v[::-1]),
    "values infinite": _values(lambda v: np.full_like(v, np.inf)),
    "values missing": _values(lambda v: np.full_like(v, np.nan)),
    "values in single precision": lambda f: f.assign(value=f["value"].astype("float32")),
}
TRIALS: dict[str, Change] = {
    "written anew": lambda f: f,
    "rows in other order": lambda f: f.iloc[::-1],
    "no rows": lambda f: f.iloc[:0],
    "status wonderful": first("status", "wonderful"),
    "status empty": first("status", ""),
    "status null": first("status", None),
    "status failed": first("status", "failed"),
    "session null": first("session", None),
    "session -1": first("session", -1),
    "rows twice": lambda f: pd.concat([f, f]),
    "a session lost": lambda f: f.iloc[:-1],
    "a session too many": lambda f: pd.concat([f, f.iloc[-1:].assign(session=9)]),
    "sessions swapped": _swapped_sessions,
    "config no JSON": first("config", "no JSON"),
    "config a list": first("config", "[1]"),
    "config null": first("config", None),
    "config empty": first("config", ""),
    "config other": every("config", "{}"),
    "config_hash null": first("config_hash", None),
    "config_hash empty": first("config_hash", ""),
    "config_hash other": every("config_hash", "00000000"),
    "finished no date": first("finished", "yesterday"),
    "finished null": first("finished", None),
    "seconds negative": first("seconds", -1.0),
    "seconds null": first("seconds", None),
    "seconds infinite": first("seconds", np.inf),
    "another estimator": every("estimator", "relax"),
    "another estimator in one row": first("estimator", "relax"),
    "another experiment": every("experiment", "names"),
    "another source": every("source", "census"),
    "another length": every("length", 15),
    "length 0": every("length", 0),
    "preset other": every("preset", "paper"),
    "error null": first("error", None),
    "commit null": first("commit", None),
    "a column missing": lambda f: f.drop(columns="status"),
    "a column too many": lambda f: f.assign(more=1),
    "numbers as text": lambda f: f.assign(seconds=f["seconds"].astype(str)),
    "words for numbers": lambda f: f.assign(seconds="long"),
    "sessions as text": lambda f: f.assign(session=f["session"].astype(str)),
}
