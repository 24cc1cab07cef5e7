"""Figure 4 of the Gumbel-softmax GAN paper: rows of generated text, by maximum likelihood and by GANs."""

from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.statistics import lineup, stats, texts
from bench.statistics.lineup import DEFAULT, Condition
from bench.tables.store import Tables

TITLE = "Generated text"
CAPTION = (
    "Strings of the last step, a column for maximum likelihood and for each condition of a family of "
    "estimators in which a paper's settings stand side by side, letters as in the Gumbel-softmax paper; a "
    "dot is a space. A green string with a tick is valid, a grey one is not: strings of a grammar parse, "
    "names are letters with nothing behind their end, whether or not there is such a name. They are drawn "
    "by lot, not by eye, as many of every session as can be, and stand in the sessions' order. A session "
    "keeps a string that came twice once, so how often strings repeat is not seen here."
)
ROWS = 20
MARGIN = 4  # characters beside a string
REFERENCE = ("maximum_likelihood", DEFAULT)
VALID, INVALID, FAINT = "#00693E", "#777777", "#c4c4c4"


def draw(tables: Tables) -> Figure | None:
    """A column for each condition, of a slice that sets an estimator's settings side by side."""
    found = columns(tables)
    if not found:
        return None
    wide = max(MARGIN + max(table["parameter"].str.len().max() for table in found.values()), 18)
    size = (0.09 * wide * len(found), 0.7 + 0.17 * max(map(len, found.values())))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (condition, table) in zip(panels, found.items(), strict=True):
        draw_column(axes, table, fill(lineup.label(*condition), wide))
    return figure


def columns(tables: Tables) -> dict[Condition, pd.DataFrame]:
    """What stands in each column: the reference's strings, and those of settings and what is beside them."""
    final = texts.generated(tables)
    settings = lineup.set_apart(final)
    conditions = [c for c in lineup.ordered(final) if settings and c in [REFERENCE, *settings]]
    return {c: texts.drawn(stats.among(final, [c]), ROWS) for c in conditions}


def draw_column(axes: Axes, table: pd.DataFrame, title: str) -> None:
    """Strings one below the other; what marks the valid ones reads in grey too."""
    for place, row in enumerate(table.itertuples()):
        tick = "\N{CHECK MARK} " if row.valid else "  "
        dots = "".join(texts.PAD if character == " " else " " for character in row.parameter)
        write(axes, place, tick + row.parameter, VALID if row.valid else INVALID)
        write(axes, place, "  " + dots, FAINT)
    axes.set(xlim=(0, 1), ylim=(len(table) - 0.5, -0.5), xticks=[], yticks=[])
    axes.set_xlabel(f"{table['valid'].sum()} of {len(table)} valid")
    axes.set_title(title, fontsize=9, loc="left")
    axes.spines[["left", "bottom"]].set_visible(False)


def write(axes: Axes, place: int, text: str, colour: str) -> None:
    """One line in letters of one width."""
    axes.text(0, place, text, color=colour, family="monospace", fontsize=9, va="center")
