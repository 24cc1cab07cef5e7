"""How long the generated strings are, beside the data's, for tasks whose lengths vary.

Of names (figure 6 of the likelihood GAN paper) a few conditions stand for all.
"""

from math import ceil
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.figures import _parts as parts
from bench.figures._style import Look
from bench.statistics import headline, lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Lengths of the strings at the end of training"
CAPTION = (
    "Fraction of strings of each length in characters, padding not counted: bars the data's, a "
    "fresh real sample; points the generated ones, mean over sessions with its 95% interval. A "
    "length that a session did not generate counts as 0 in its mean. Real names are ones held out; of "
    "names, both losses of the likelihood GAN are shown, maximum likelihood, and of the others the one "
    "that ends best."
)
COLUMNS = 4
SMALL = 8.5


def draw(tables: Tables) -> Figure | None:
    """A panel for each condition, every slice of the tables on rows of its own."""
    shown = [(key, *found) for key, part in stats.slices(tables) if (found := shares(part))]
    if not shown:
        return None
    rows = [ceil(len(lineup.ordered(generated)) / COLUMNS) for _, generated, _ in shown]
    figure, axes = parts.grid(sum(rows), COLUMNS, 2.9, 1.6)
    for count, (key, generated, data) in zip(rows, shown, strict=True):
        draw_slice(axes[:count], generated, data)
        axes[0][0].set_title(f"{parts.heading(key)}\n{axes[0][0].get_title()}", fontsize=SMALL)
        axes = axes[count:]
    return figure


def shares(tables: Tables) -> tuple[pd.DataFrame, pd.Series] | None:
    """The generated fractions with their intervals, and the data's; None where all data are as long."""
    table = parts.plain(stats.last(stats.rows(tables, schema.LENGTH)))
    if headline.of_names(tables):
        table = stats.among(table, headline.reported(tables))
    real = stats.rows(tables, schema.LENGTH + schema.DATA_SUFFIX)
    if table.empty or real["parameter"].nunique() < 2:
        return None
    generated = stats.mean_interval(every_length(table), [*stats.COMPARED, "parameter"])
    return generated, every_length(real).groupby("parameter")["value"].mean()


def every_length(table: pd.DataFrame) -> pd.DataFrame:
    """A row for every session and length: what a session did not generate has none in the tables."""
    numbers = table.assign(parameter=table["parameter"].astype(int))
    session = [*stats.COMPARED, "session"]
    wide = numbers.pivot_table(index=session, columns="parameter", values="value", fill_value=0.0)
    return wide.melt(ignore_index=False).reset_index()


def draw_slice(axes: Any, generated: pd.DataFrame, data: pd.Series) -> None:
    """The panels of a slice, on the same axes; places beyond the last condition stay empty."""
    panels = list(parts.by_condition(generated))
    top = 1.05 * min(1.0, max(data.max(), generated[["mean", "high"]].max().max()))
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, (_, look, part) in zip(axes.flat, panels, strict=False):
        draw_panel(axis, part, look, data)
        axis.set_ylim(0, top)
        axis.sharex(axes.flat[0])
    parts.label_below(axes)
    for row in axes:
        row[0].set_ylabel("fraction")
        for axis in row[1:]:
            axis.tick_params(labelleft=False)


def draw_panel(axes: Axes, part: pd.DataFrame, look: Look, data: pd.Series) -> None:
    """One condition's lengths over the data's."""
    axes.bar(data.index, data, width=0.8, color="#d0d0d0", label="data")
    axes.vlines(part["parameter"], part["low"], part["high"], colors=look.colour, linewidth=parts.INTERVAL)
    axes.plot(part["parameter"], part["mean"], linestyle="none", clip_on=False, **parts.mark(look))
    axes.set_title(look.label, fontsize=SMALL)
    axes.set_xlabel("characters")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="x")
