"""Figure 3 of the Gumbel-softmax GAN paper: both players' losses through training, setting by setting."""

from math import log

import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import DISCRIMINATOR, GENERATOR
from bench.statistics import lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Losses of generator and discriminator"
CAPTION = (
    "A column for each setting of the Gumbel-softmax generator, the letters the paper's; mean over "
    "sessions with its 95% interval. Above: the generator's loss, the mean of -log D/(1-D) over what it "
    "generates; at 0 the discriminator's odds for it are even. Below: the discriminator's cross-entropy, "
    "the mean over real and generated strings; it is ln 2 where D is at chance. The panels of a row have "
    "one scale. Each player's loss is measured against the other as it is at that update, so neither loss "
    "says by itself how good the strings are."
)
ESTIMATOR = "gumbel_softmax"
GENERATORS, DISCRIMINATORS = "generator loss (nats)", "discriminator loss (nats)"
PLAYERS = {
    GENERATORS: (schema.GENERATOR_LOSS, GENERATOR),
    DISCRIMINATORS: (schema.DISCRIMINATOR_LOSS, DISCRIMINATOR),
}


def draw(tables: Tables) -> Figure | None:
    """A row of panels for each player."""
    found = pd.concat([losses(tables, row) for row in PLAYERS], ignore_index=True)
    if found[found["row"] == GENERATORS].empty:
        return None
    figure, panels = parts.training(found, 2.1, 2, y="row")
    for row, height, words in ((GENERATORS, 0, "even\nodds"), (DISCRIMINATORS, log(2), "ln 2")):
        for axes in panels.loc[row]:
            parts.level(axes, height, words, ":")
    return figure


def losses(tables: Tables, row: str) -> pd.DataFrame:
    """One player's loss in every setting of the estimator."""
    metric, look = PLAYERS[row]
    table = parts.plain(stats.rows(tables, metric))
    found = parts.intervals(table[table["estimator"] == ESTIMATOR], "step")
    each = [stats.among(found, [c]).assign(column=short(*c)) for c in lineup.ordered(found)] or [found]
    return pd.concat(each).assign(row=row, role=parts.OWN, label=row, **look._asdict())


def short(*condition: str) -> str:
    """What sets a setting apart, without the estimator's name."""
    whole, name = lineup.label(*condition), lineup.label(ESTIMATOR)
    return whole.removeprefix(name).lstrip(" ,") or name
