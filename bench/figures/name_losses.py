"""Figure 5 of the likelihood GAN paper: both players' losses through training, between all sessions."""

from math import log

import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import DISCRIMINATOR, GENERATOR, Look
from bench.statistics import headline, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Losses of the likelihood GAN"
CAPTION = (
    "The likelihood GAN with its paper's loss. Line: mean over sessions; band: from minimum to maximum "
    "over all sessions, as in the paper. It is no interval, unlike in the other figures, and can only "
    "widen with more sessions. Left: the discriminator's cross-entropy, the mean over held-out real and "
    "generated names, on a log axis; it is ln 2 where D is at chance, and the paper's is twice this. "
    "Right: the generator's loss, -log of the mean of -log(1-D) times the generator's probability, over "
    "batches of real training names. It falls as well when the discriminator grows surer of real names, "
    "so neither loss says by itself how good the names are."
)
LEFT, RIGHT = "discriminator loss", "generator loss"


def draw(tables: Tables) -> Figure | None:
    """A panel for each player, where names are generated."""
    names = [schema.DISCRIMINATOR_LOSS, schema.SURROGATE]
    own, other = (stats.among(stats.rows(tables, name), [headline.PAPER]) for name in names)
    if not headline.of_names(tables) or other.empty:
        return None
    generator = other.assign(value=-other["value"])
    players = [extremes(own, LEFT, DISCRIMINATOR), extremes(generator, RIGHT, GENERATOR)]
    figure, panels = parts.training(pd.concat(players, ignore_index=True), 3.8, 2.6, y=False)
    parts.logarithmic(panels.loc["nats", LEFT], "y")
    parts.level(panels.loc["nats", LEFT], log(2), "ln 2", ":")
    return figure


def extremes(table: pd.DataFrame, column: str, look: Look) -> pd.DataFrame:
    """One player's mean, and the least and the most of all sessions."""
    ends = {"mean": ("value", "mean"), "low": ("value", "min"), "high": ("value", "max")}
    found = table.groupby("step").agg(**ends).reset_index()
    return found.assign(row="nats", column=column, role=parts.OWN, label=column, **look._asdict())
