"""How often to train the discriminator: at equal cost, and at equal generator updates."""

import numpy as np
from matplotlib.figure import Figure

from bench.figures import _sweep as sweep
from bench.statistics import headline, lineup, stats
from bench.tables.store import Tables

TITLE = "Discriminator batches for each generator update"
CAPTION = (
    "The quality of what is generated, mean over sessions with its 95% interval, against how many batches "
    "the discriminator is trained on for each generator update (0.2: five updates for a batch), on a log "
    "axis. Left: at the end of training, at equal cost: all ratios have as many batches of both players "
    "together, so that with more for the discriminator there are fewer generator updates. Right: at equal "
    "generator updates, as many as every ratio has panels: a larger ratio has cost more there, and "
    "controls that ask no discriminator are all alike. Dotted: the start."
)
RATIO = "d_per_g"


def draw(tables: Tables) -> Figure | None:
    """Two panels, or two for each family."""
    found = lineup.points(headline.rows(tables), RATIO)
    if found.empty:
        return None
    ends = {"equal cost": stats.last(found)}
    equal = stats.common(found, RATIO)
    if not equal.empty:
        ends[f"{equal['step'].iloc[0]} generator updates"] = equal
    words = "discriminator batches for each update"
    return sweep.draw(ends, stats.start(found), headline.of(tables), RATIO, words, np.log10)
