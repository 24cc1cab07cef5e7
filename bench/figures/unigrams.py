"""The paper's unigram comparison: does a generator use each token as often as the data do?"""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics import headline, lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Token frequencies at the end of training"
CAPTION = (
    "Probability of each token among the generated ones, mean over sessions with its 95% interval; the "
    "vertical line is the data's. Every panel has its own scale; within one length all are as wide in "
    "probability, but not of names, whose end is so much more frequent than any letter."
)
MOST = 6  # panels: the data's most frequent tokens


def draw(tables: Tables) -> Figure | None:
    """A panel for each token."""
    table = parts.plain(stats.last(stats.rows(tables, schema.UNIGRAM)))
    real = stats.rows(tables, schema.UNIGRAM_DATA).groupby("parameter", observed=True)["value"].mean()
    if table.empty or real.empty:
        return None
    data = real.sort_values(ascending=False, kind="stable").head(MOST)
    shares = {token: f"{token.replace(' ', 'space')}\n(data {share:.3f})" for token, share in data.items()}
    found = parts.intervals(table[table["parameter"].isin(data.index)], "parameter")
    found = found.sort_values(
        "parameter", key=lambda column: column.map(list(data.index).index), kind="stable"
    )
    figure, panels = parts.dots(
        found.assign(column=found["parameter"].map(shares)), lineup.ordered(found), width=1.4
    )
    for token, share in data.items():
        axes = panels[shares[token]]
        own = found[found["parameter"] == token] if headline.of_names(tables) else found
        half = 1.15 * reach(own, data)
        left = max(share - half, -0.05 * half)
        axes.set(xlim=(left, left + 2 * half), xlabel="probability")
        axes.axvline(share, color=INK, linewidth=1, zorder=0)
        axes.xaxis.set_major_locator(MaxNLocator(3))
    return figure


def reach(generated: pd.DataFrame, data: pd.Series) -> float:
    """The farthest that any estimate or interval lies from the data."""
    share = generated["parameter"].map(data)
    ends = [(generated[column] - share).abs().max() for column in ("mean", "low", "high")]
    return float(pd.Series([*ends, 1e-3]).max())
