"""Figure 3 of the Gumbel-softmax GAN paper: both players' losses through training, setting by setting."""

from math import log
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.figures._style import Look
from bench.statistics import lineup, stats
from bench.statistics.lineup import Condition
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Losses of generator and discriminator"
CAPTION = (
    "A column for each setting of the Gumbel-softmax generator, the letters the paper's; mean over "
    "sessions with its 95% interval. Top: the generator's loss, the mean of -log D/(1-D) over what it "
    "generates; at 0 the discriminator's odds for it are even. Bottom: the discriminator's "
    "cross-entropy, the mean over real and generated strings; it is ln 2 where D is at chance. The "
    "panels of a row have one scale. Each player's loss is measured against the other as it is at that "
    "update, so neither loss says by itself how good the strings are."
)
ESTIMATOR = "gumbel_softmax"


class Player(NamedTuple):
    """Whose loss a row shows, and what it is while the discriminator cannot tell."""

    metric: str
    look: Look
    undecided: float
    note: str
    side: str  # of the note that touches the line: the loss is on the other


PLAYERS = [
    Player(schema.GENERATOR_LOSS, style.GENERATOR, 0, "0", "top"),
    Player(schema.DISCRIMINATOR_LOSS, style.DISCRIMINATOR, log(2), "ln 2", "bottom"),
]


def draw(tables: Tables) -> Figure | None:
    """Two rows of panels for each slice of the tables."""
    shown = [(key, part) for key, part in stats.slices(tables) if settings(part)]
    if not shown:
        return None
    columns = max(len(settings(part)) for _, part in shown)
    figure, axes = parts.grid(2 * len(shown), columns, 2.4 if columns > 1 else 4.5, 2.2)
    for place, (key, part) in enumerate(shown):
        draw_slice(axes[2 * place : 2 * place + 2], part)
        first = axes[2 * place, 0]
        first.set_title(f"{parts.heading(key)}\n{first.get_title()}")
    return figure


def settings(tables: Tables) -> list[Condition]:
    """The settings whose generator's loss was measured."""
    return lineup.ordered(losses(tables, PLAYERS[0]))


def losses(tables: Tables, player: Player) -> pd.DataFrame:
    """One player's loss in every setting of the estimator."""
    table = parts.plain(stats.rows(tables, player.metric))
    return table[table["estimator"] == ESTIMATOR]


def draw_slice(axes: Any, tables: Tables) -> None:
    """A column for each setting; the rest stays empty."""
    conditions = settings(tables)
    for axis in axes[:, len(conditions) :].flat:
        axis.set_visible(False)
    for row, player in zip(axes, PLAYERS, strict=True):
        found = stats.mean_interval(losses(tables, player), [*stats.COMPARED, "step"])
        for axis, condition in zip(row, conditions, strict=False):
            draw_panel(axis, stats.among(found, [condition]), player)
            axis.sharey(row[0])
        row[0].set_ylabel(f"{player.look.label} (nats)")
    for axis, condition in zip(axes[0], conditions, strict=False):
        axis.set_title(short(condition))


def draw_panel(axes: Axes, part: pd.DataFrame, player: Player) -> None:
    """One player's loss in one setting."""
    parts.curve(axes, part, player.look)
    axes.axhline(player.undecided, color=style.INK, linestyle=":", linewidth=1)
    parts.note(axes, player.undecided, player.note, player.side)
    parts.along_updates(axes)
    axes.margins(y=0.1)


def short(condition: Condition) -> str:
    """What sets a setting apart, without the estimator's name."""
    return lineup.label(*condition).removeprefix(lineup.label(ESTIMATOR)).lstrip(" ,") or lineup.label(
        ESTIMATOR
    )
