"""Figure 5 of the likelihood GAN paper: both players' losses through training, between all sessions."""

from math import log

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.figures._style import Look
from bench.statistics import headline, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Losses of the likelihood GAN"
CAPTION = (
    "The likelihood GAN with its paper's loss. Line: mean over sessions; band: from minimum to "
    "maximum over all sessions, as in the paper. It is no interval, unlike in the other figures, and can "
    "only widen with more sessions. Left: the discriminator's cross-entropy, the mean over held-out real "
    "and generated names, on a log axis; it is ln 2 where D is at chance, and the paper's is twice this. "
    "Right: the generator's loss, -log of the mean of -log(1-D) times the generator's probability, over "
    "batches of real training names. It falls as well when the discriminator grows surer of real names, "
    "so neither loss says by itself how good the names are."
)


def draw(tables: Tables) -> Figure | None:
    """Two panels for each slice of the tables."""
    shown = [(key, *found) for key, part in stats.slices(tables) if (found := losses(part))]
    if not shown:
        return None
    figure, axes = parts.grid(len(shown), 2, 4.2, 3)
    for row, (key, discriminator, generator) in zip(axes, shown, strict=True):
        draw_panel(row[0], discriminator, style.DISCRIMINATOR)
        draw_panel(row[1], generator, style.GENERATOR)
        logarithmic(row[0])
        row[0].set_title(parts.heading(key))
    return figure


def losses(tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Both losses of the paper's condition, where names are generated."""
    names = [schema.DISCRIMINATOR_LOSS, schema.SURROGATE]
    found = [stats.among(stats.rows(tables, name), [headline.PAPER]) for name in names]
    if not headline.of_names(tables) or found[1].empty:
        return None
    return found[0], found[1].assign(value=-found[1]["value"])


def logarithmic(axes: Axes) -> None:
    """A log axis that reads well over a part of a decade, and a line where D is at chance."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.axhline(log(2), color=style.INK, linestyle=":", linewidth=1)
    parts.note(axes, log(2), "ln 2", "top")


def draw_panel(axes: Axes, table: pd.DataFrame, look: Look) -> None:
    """One player's mean, and all sessions between their extremes."""
    ends = {"mean": ("value", "mean"), "low": ("value", "min"), "high": ("value", "max")}
    parts.curve(axes, table.groupby("step").agg(**ends).reset_index(), look)
    axes.set_ylabel(f"{look.label} (nats)")
    parts.along_updates(axes)
