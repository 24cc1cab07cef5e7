"""Error at equal budgets: what to take when discriminator calls, generator calls or time are short."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, quality, stats
from bench.tables.store import Tables

TITLE = "Error at equal budgets"
CAPTION = (
    "Mean squared error of the mean of as many draws as a budget allows, over the true gradient's squared "
    "norm; geometric mean over checkpoints with its 95% interval over sessions, all estimators at the same "
    "parameters. Budgets are those of one REINFORCE update of 128 samples: in sequences that the "
    "discriminator judges, in sequences that the generator reads or writes, and in process time, which "
    "depends on the machine. Beyond the dotted line nothing is gained over a gradient of zero. An "
    "estimator that asks for no call of a kind is not in its panel."
)


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables."""
    shown = [(key, part) for key, part in stats.slices(tables) if quality.measured(part)]
    if not shown:
        return None
    found = {key: errors(part) for key, part in shown}
    rows = max(len(lineup.ordered(table)) for table in found.values())
    figure, axes = parts.grid(len(shown), len(quality.BUDGETS), 3.2, 1 + 0.24 * rows, first=1.9)
    for row, (key, table) in zip(axes, found.items(), strict=True):
        conditions = lineup.ordered(table)
        for axis, (budget, name) in zip(row, quality.BUDGETS.items(), strict=True):
            draw_panel(axis, table[table["budget"] == budget], conditions, names=axis is row[0])
            axis.set(title=f"equal {name}", xlabel=f"error / |g|², {parts.heading(key)}")
    return figure


def errors(tables: Tables) -> pd.DataFrame:
    """Mean errors with intervals of the conditions at every budget."""
    found = [
        quality.exponential(stats.mean_interval(quality.log_errors(tables, budget), stats.COMPARED)).assign(
            budget=budget
        )
        for budget in quality.BUDGETS
    ]
    return pd.concat(found, ignore_index=True)


def draw_panel(axes: Axes, found: pd.DataFrame, conditions: list[lineup.Condition], names: bool) -> None:
    """A row per condition."""
    rows = parts.in_order(found, conditions)
    axes.set_xscale("log")
    axes.axvline(1, color=style.INK, linestyle=":", linewidth=1)
    parts.dots(axes, rows, rows["place"])
    parts.condition_axis(axes, conditions, names)
