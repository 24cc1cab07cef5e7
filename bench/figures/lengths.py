"""How long the generated strings are, beside the data's, for tasks whose lengths vary.

Of names (figure 6 of the likelihood GAN paper) a few conditions stand for all.
"""

import pandas as pd
import seaborn.objects as so
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.figures import _parts as parts
from bench.figures._style import GREY, looks
from bench.statistics import headline, lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Lengths of the strings at the end of training"
CAPTION = (
    "Fraction of strings of each length in characters, padding not counted: bars the data's, a fresh real "
    "sample; points the generated ones, mean over sessions with its 95% interval. A length that a session "
    "did not generate counts as 0 in its mean. Real names are ones held out; of names, both losses of the "
    "likelihood GAN are shown, maximum likelihood, and of the others the one that ends best."
)
COLUMNS = 4


def draw(tables: Tables) -> Figure | None:
    """A panel for each condition; nothing where all data are as long."""
    table = parts.plain(stats.last(stats.rows(tables, schema.LENGTH)))
    if headline.of_names(tables):
        table = stats.among(table, headline.reported(tables))
    real = stats.rows(tables, schema.LENGTH + schema.DATA_SUFFIX)
    if table.empty or real["parameter"].nunique() < 2:
        return None
    data = every_length(real).groupby("parameter")["value"].mean()
    found = looks(parts.intervals(every_length(table), "parameter"))
    found = found.assign(real=found["parameter"].map(data).fillna(0))
    names = [lineup.label(*c) for c in lineup.ordered(found)]
    figure = Figure(figsize=(11, 0.6 + 1.5 * -(-len(names) // COLUMNS)), layout="constrained")
    plot = parts.looking(found, x="parameter", y="mean", ymin="low", ymax="high", color="colour")
    plot = plot.add(so.Bars(color=GREY, edgewidth=0, alpha=1), y="real", color=None, legend=False)
    plot = plot.add(so.Range(linewidth=1.6), legend=False)
    plot = plot.add(so.Dot(pointsize=5, edgecolor="white", edgewidth=0.4), marker="mark", legend=False)
    plot = plot.facet(col="label", order=names, wrap=COLUMNS)
    plot.label(x="characters", y="fraction").on(figure).plot()
    for axes, name in zip(figure.axes, names, strict=True):
        axes.set_title(name, fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    parts.within(figure.axes[0], 0, 1)
    return figure


def every_length(table: pd.DataFrame) -> pd.DataFrame:
    """A row for every session and length: what a session did not generate has none in the tables."""
    numbers = table.assign(parameter=table["parameter"].astype(int))
    session = [*stats.COMPARED, "session"]
    wide = numbers.pivot_table(index=session, columns="parameter", values="value", fill_value=0.0)
    return wide.melt(ignore_index=False).reset_index()
