"""Made-up tables of `frozen` whose sessions climb in straight lines to known ends."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from synthetic_tables import tables_of

from bench.tables import schema
from bench.tables.store import Tables

START = 0.3
STEPS = (0, 1, 2, 4)
NEEDS = {
    "local_expectation": ["PREFIXES"],
    "relax": ["DERIVATIVE"],
    "gumbel_softmax": ["DERIVATIVE", "RELAXED"],
    "likelihood": ["DATA"],
}
CALLS = {"local_expectation": 128.0, "relax": 64.0, "maximum_likelihood": 0.0}
SECONDS = {"local_expectation": 2e-3, "relax": 3e-3}
#: (estimator, reward and variant) -> rate -> mean J at the end
ENDS = {
    ("exact", "d79"): {0.1: 0.8, 1.0: 0.9},
    ("maximum_likelihood", "d79"): {0.1: 0.6, 1.0: 0.7},
    ("reinforce", "d79"): {0.1: 0.6, 1.0: 0.2},
    ("reinforce_loo", "d79"): {0.1: 0.7, 1.0: 0.6},
    ("reinforce_loo(samples=2)", "d79"): {0.1: 0.5, 1.0: 0.4},
    ("reinforce_loo", "d79 null_reward"): {0.1: 0.3, 1.0: 0.25},
    ("reinforce_loo", "d79 sgd"): {5.0: 0.5, 50.0: 0.1},
    ("local_expectation", "d79"): {0.1: 0.75, 1.0: 0.85},
    ("relax", "d79"): {0.1: 0.7, 1.0: 0.65},
    ("gumbel_softmax", "d79"): {0.1: 0.5, 1.0: 0.55},
    ("gumbel_softmax(temperature=0.3)", "d79"): {0.1: 0.7, 1.0: 0.75},
    ("likelihood", "d79"): {0.1: 0.6, 1.0: 0.6},
    ("reinforce_loo", "match"): {0.1: 0.5, 1.0: 0.6},
}


def made(
    ends=ENDS,
    sessions: int = 20,
    reported: int = 12,
    task: str = "grammar",
    length: int = 3,
    noise: float = 0.02,
    lost: dict[tuple[str, str], int] | None = None,
    seed: int = 0,
) -> Tables:
    """Tables of one length; `lost` says how many sessions of an estimator at a setting diverge."""
    rng = np.random.default_rng(seed)
    begin = START + 0.02 * rng.normal(size=sessions)
    parts = {}
    for (estimator, about), rates in ends.items():
        for rate, mean in rates.items():
            end = mean + begin - START + noise * rng.normal(size=sessions)
            setting = f"{about} rate={rate:g}"
            gone = (lost or {}).get((estimator, setting), 0)
            rows = [row for s in range(sessions) for row in one(s, begin[s], end[s], estimator, s < gone)]
            columns = ["session", "step", "metric", "parameter", "value"]
            where = "frozen", task, "synthetic", length, estimator, setting
            parts[where] = pd.DataFrame(rows, columns=columns), 1.0
    tables = tables_of(parts, sessions)
    return tables._replace(trials=told(tables.trials, reported, lost or {}))


def one(session, begin, end, estimator, gone):
    """Rows of a session; a lost one has only its start."""
    bare, last = estimator.partition("(")[0], STEPS[-1]
    for step in STEPS[:1] if gone else STEPS:
        yield session, step, schema.OBJECTIVE, "", begin + (end - begin) * step / last
    if not gone:
        yield session, last, schema.DISCRIMINATOR_CALLS, "", last * CALLS.get(bare, 32.0)
        yield session, last, schema.GENERATOR_CALLS, "", last * 64.0
        yield session, last, schema.SECONDS, "update", last * SECONDS.get(bare, 1e-3)


def told(trials, reported, lost):
    """The trials with what the experiment says in `config`, and with those that diverged."""
    names = trials["estimator"].str.partition("(")[0]
    configs = [
        json.dumps({"reported": reported, **({schema.NEEDS: NEEDS[name]} if name in NEEDS else {})})
        for name in names
    ]
    counts = [lost.get(pair, 0) for pair in zip(trials["estimator"], trials["setting"], strict=True)]
    gone = trials["session"] < counts
    status = trials["status"].where(~gone, schema.DIVERGED)
    return trials.assign(config=configs, status=status)


def everything(sessions: int = 6) -> Tables:
    """Both generators at one length."""
    reported = 2 * sessions // 3
    parts = [made(sessions=sessions, reported=reported, task=task) for task in ("grammar", "chain")]
    return Tables(*(pd.concat([part[place] for part in parts], ignore_index=True) for place in (0, 1)), [])
