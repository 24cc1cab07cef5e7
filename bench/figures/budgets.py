"""Error at equal budgets: what to take when discriminator calls, generator calls or time are short."""

import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics import lineup, quality
from bench.tables.store import Tables

TITLE = "Error at equal budgets"
CAPTION = (
    "Mean squared error of the mean of as many draws as a budget allows, over the true gradient's squared "
    "norm; geometric mean over checkpoints with its 95% interval over sessions, all estimators at the "
    "same parameters. Budgets are those of one REINFORCE update of 128 samples: in sequences that the "
    "discriminator judges, in sequences that the generator reads or writes, and in process time, which "
    "depends on the machine. Beyond the dotted line nothing is gained over a gradient of zero. An "
    "estimator that asks for no call of a kind is not in its panel."
)


def draw(tables: Tables) -> Figure | None:
    """A panel for each budget."""
    if not quality.measured(tables):
        return None
    found = errors(tables)
    figure, panels = parts.dots(found, lineup.ordered(found))
    for axes in panels.values():
        parts.logarithmic(axes, "x")
        axes.set_xlabel("error / |g|²")
        axes.axvline(1, color=INK, linestyle=":", linewidth=1)
    return figure


def errors(tables: Tables) -> pd.DataFrame:
    """Mean errors with intervals of the conditions at every budget."""
    found = [
        quality.exponential(parts.intervals(quality.log_errors(tables, budget))).assign(
            column=f"equal {name}"
        )
        for budget, name in quality.BUDGETS.items()
    ]
    return pd.concat(found, ignore_index=True)
