"""Made-up tables of `gradient_quality` with known variances, biases and costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from synthetic_tables import tables_of

from bench.tables import schema

CONDITIONS = {  # of a draw: log10 of variance / |g|^2, squared bias / |g|^2, milliseconds, calls
    ("reinforce", "default"): (2.0, 0.0, 0.01, 1.0),
    ("reinforce_loo", "default"): (0.2, 0.0, 0.08, 8.0),
    ("rebar", "default"): (0.3, 0.0, 0.03, 3.0),
    ("straight_through", "default"): (-1.0, 0.25, 0.02, 1.0),
    ("exact", "default"): (-9.0, 0.0, 1.0, 125.0),
}


def measured(conditions=CONDITIONS, sessions=8, length=3, steps=(0, 10), seed=0):
    """Tables of `gradient_quality` with these truths; |g|^2 is 4 after pre-training and 1 later."""
    rng = np.random.default_rng(seed)
    parts = {}
    for (estimator, setting), truth in conditions.items():
        rows = []
        for session in range(sessions):
            for step in steps:
                rows += [(session, step, *row) for row in one(*truth, 4.0 if step == 0 else 1.0, rng)]
        columns = ["session", "step", "metric", "parameter", "value"]
        where = {
            "experiment": "gradient_quality",
            "task": "grammar",
            "source": "synthetic",
            "length": length,
        }
        key = tuple((where | {"estimator": estimator, "setting": setting})[name] for name in schema.CONDITION)
        parts[key] = (pd.DataFrame(rows, columns=columns), 1.0)
    return tables_of(parts, sessions)


def one(log_variance, bias, milliseconds, calls, norm, rng):
    """Rows of one session and checkpoint."""
    variance = norm * 10 ** (log_variance + 0.02 * rng.normal())
    squared = norm * (bias + 0.003 * rng.normal())
    yield schema.GRADIENT_NORM_SQUARED, "", norm
    yield schema.GRADIENT_BIAS_SQUARED, "", squared
    yield schema.ERROR_AT_BUDGET, schema.ONE_DRAW, squared + variance
    yield schema.COSINE_AT_BUDGET, schema.ONE_DRAW, 0.5
    cost = {
        schema.DISCRIMINATOR_CALLS: calls,
        schema.GENERATOR_CALLS: 2 * calls,
        schema.SECONDS: milliseconds / 1e3,
    }
    budgets = {schema.DISCRIMINATOR_CALLS: 128, schema.GENERATOR_CALLS: 256, schema.SECONDS: 1.28e-3}
    for budget, price in cost.items():
        yield schema.DRAW_COST, budget, price
        yield schema.ERROR_AT_BUDGET, budget, squared + variance * price / budgets[budget]
        yield schema.COSINE_AT_BUDGET, budget, 0.9
        yield schema.SIGNS_AT_BUDGET, budget, 0.8
