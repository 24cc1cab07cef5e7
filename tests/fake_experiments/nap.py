"""Sleeps and calls that training.

What goes wrong is set by environment variables, which reach worker processes too.
"""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bench.tables.condition import Condition, Outcome


@dataclass(frozen=True)
class Settings:
    sessions: int = 10
    lengths: tuple[int, ...] = (3, 15)
    stack: int = 4
    rate: float = 0.1


PRESETS = {"smoke": Settings(sessions=2), "standard": Settings(), "paper": Settings(rate=0.2)}


def conditions(settings: Settings, lengths: Sequence[int], estimators: Sequence[str]) -> list[Condition]:
    pairs = [(length, name) for length in lengths for name in estimators]
    return [Condition("bed", length, name) for length, name in pairs if (length, name) != (15, "exact")]


def cost(settings: Settings, condition: Condition) -> float:
    return settings.rate * condition.length


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    if condition.estimator == os.environ.get("NAP_FAILS"):
        raise RuntimeError("fell out\nof bed")
    if condition.estimator == os.environ.get("NAP_DIES"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(float(os.environ.get("NAP_SECONDS", "0")))
    rows = [(session, step, "goodness", "", session / 7 + step) for session in sessions for step in (0, 5)]
    status = "diverged" if condition.estimator == os.environ.get("NAP_DIVERGES") else "ok"
    return Outcome(
        pd.DataFrame(rows, columns=["session", "step", "metric", "parameter", "value"]),
        pd.DataFrame({"session": list(sessions), "status": status, "error": ""}),
    )
