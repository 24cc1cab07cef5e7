"""The paper's unigram comparison: does a generator use each token as often as the data do?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import headline, lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Token frequencies at the end of training"
CAPTION = (
    "Probability of each token among the generated ones, mean over sessions with its 95% "
    "interval; the vertical line is the data's. Every panel has its own scale; within one length all "
    "are as wide in probability, but not of names, whose end is so much more frequent than any letter."
)
MOST = 6  # panels in a row: the data's most frequent tokens


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables."""
    shown = [(key, *found) for key, part in stats.slices(tables) if (found := frequencies(part))]
    if not shown:
        return None
    columns = max(len(data) for _, _, data in shown)
    height = 0.7 + 0.2 * max(len(lineup.ordered(generated)) for _, generated, _ in shown)
    figure, axes = parts.grid(len(shown), columns, 1.8, height)
    figure.set_figwidth(3 + 1.6 * columns)
    for row, (key, generated, data) in zip(axes, shown, strict=True):
        own = headline.of_names(dict(stats.slices(tables))[key])
        draw_row(row, parts.heading(key), generated, data, own)
    return figure


def frequencies(tables: Tables) -> tuple[pd.DataFrame, pd.Series] | None:
    """Generated probabilities with intervals, and the data's most frequent tokens with theirs."""
    table = parts.plain(stats.last(stats.rows(tables, schema.UNIGRAM)))
    real = stats.rows(tables, schema.UNIGRAM_DATA).groupby("parameter", observed=True)["value"].mean()
    if table.empty or real.empty:
        return None
    generated = stats.mean_interval(table, [*stats.COMPARED, "parameter"])
    return generated, real.sort_values(ascending=False, kind="stable").head(MOST)


def draw_row(row: list[Axes], title: str, generated: pd.DataFrame, data: pd.Series, own: bool) -> None:
    """A panel for each token, with the data's frequency as a vertical line; each may have its own scale."""
    conditions = lineup.ordered(generated)
    for place, (token, share) in enumerate(data.items()):
        axes = row[place]
        found = parts.in_order(generated[generated["parameter"] == token], conditions)
        half = 1.15 * reach(found if own else generated, data)
        axes.axvline(share, color=style.INK, linewidth=1)
        parts.dots(axes, found, found["place"])
        parts.condition_axis(axes, conditions, names=place == 0)
        left = max(share - half, -0.05 * half)
        axes.set_xlim(left, left + 2 * half)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.set(title=f"{token.replace(' ', 'space')}   (data {share:.3f})", xlabel="probability")
    row[0].set_title(f"{title}\n{row[0].get_title()}", loc="center")
    for axes in row[len(data) :]:
        axes.set_visible(False)


def reach(generated: pd.DataFrame, data: pd.Series) -> float:
    """The farthest that any estimate or interval lies from the data."""
    share = generated["parameter"].map(data)
    ends = [(generated[column] - share).abs().max() for column in ("mean", "low", "high")]
    return float(pd.Series([*ends, 1e-3]).max())
