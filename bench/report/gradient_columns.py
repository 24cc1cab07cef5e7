"""The columns of the table of gradients measured at the same parameters."""

from functools import partial

import pandas as pd

from bench.report.quantities import Quantity
from bench.statistics import quality, stats
from bench.tables import schema
from bench.tables.store import Tables


def at(tables: Tables, budget: str) -> pd.DataFrame:
    """Relative error at a budget, geometric mean over checkpoints."""
    return quality.exponential(stats.mean_interval(quality.log_errors(tables, budget), stats.COMPARED))


def of_draws(tables: Tables, metric: str, budget: str) -> pd.DataFrame:
    """A measure of the mean of the draws of a budget, over checkpoints."""
    return stats.mean_interval(quality.over_checkpoints(stats.rows(tables, metric, budget)), stats.COMPARED)


def cost(tables: Tables, budget: str, factor: float = 1) -> pd.DataFrame:
    """What a draw costs."""
    found = quality.costs(tables, budget)
    return found.assign(**factor * found[["mean", "low", "high"]])


ERRORS = (
    "Variance and errors are over |g|², the true gradient's squared norm, geometric means over "
    "checkpoints. Errors are mean squared errors of as many draws as the budget of a REINFORCE update of "
    "128 samples allows."
)
ANGLES = (
    "Cosine is that with the true gradient, signs the fraction of entries that have its sign; at equal "
    "seconds, of the mean of the draws that fit."
)
COLUMNS = [
    Quantity("bias", "relative bias", 3, quality.biases, "Bias is over |g|."),
    Quantity("variance", "variance, one draw", 4, quality.variances, ERRORS),
    *(
        Quantity(f"error_{budget}", f"error, equal {name}", 4, partial(at, budget=budget), ERRORS)
        for budget, name in quality.BUDGETS.items()
    ),
    Quantity(
        "cosine",
        "cosine, one draw",
        3,
        partial(of_draws, metric=schema.COSINE_AT_BUDGET, budget=schema.ONE_DRAW),
        ANGLES,
    ),
    *(
        Quantity(
            f"{metric}_seconds",
            f"{name}, equal seconds",
            3,
            partial(of_draws, metric=metric, budget=schema.SECONDS),
            ANGLES,
        )
        for metric, name in ((schema.COSINE_AT_BUDGET, "cosine"), (schema.SIGNS_AT_BUDGET, "signs"))
    ),
    *(
        Quantity(f"cost_{budget}", f"{name} per draw", 2, partial(cost, budget=budget, factor=factor), "")
        for budget, name, factor in (
            (schema.DISCRIMINATOR_CALLS, "discriminator calls", 1),
            (schema.GENERATOR_CALLS, "generator calls", 1),
            (schema.SECONDS, "milliseconds", 1000),
        )
    ),
]
"""The columns of the table."""
