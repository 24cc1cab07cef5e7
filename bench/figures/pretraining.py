"""What adversarial training comes to, against the epochs of pre-training (REGAN section 5)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _swept as swept
from bench.statistics import stats
from bench.tables.store import Tables

TITLE = "Epochs of pre-training"
CAPTION = (
    "The quality of what is generated at the end of training, mean over sessions with its 95% interval, "
    "against the epochs of maximum likelihood before it, on an axis of log(1 + epochs); lines stand a little "
    "beside one another. Dotted: where training starts, the same for all; an estimator that ends "
    "below has lost what it had. Controls go on from the same starts: what a reward without information or "
    "maximum likelihood reaches as well is no estimator's doing. All have the same adversarial schedule."
)
EPOCHS = "epochs"


def draw(tables: Tables) -> Figure | None:
    """A panel for each slice of the tables."""
    shown = swept.slices(tables, EPOCHS)
    if not shown:
        return None
    figure, axes = parts.grid(1, len(shown), 4.6 if len(shown) > 1 else 6.4, 3.8)
    for axis, (key, head, found) in zip(axes[0], shown, strict=True):
        swept.panel(axis, stats.last(found), EPOCHS, place, head)
        swept.starts(axis, stats.start(found), EPOCHS, place)
        axis.set(title=parts.heading(key), xlabel="epochs of pre-training")
    parts.legend(figure, swept.conditions(pd.concat([found for _, _, found in shown])), 3)
    return figure


def place(epochs: pd.Series) -> pd.Series:
    """The place of a number of epochs, 0 among them."""
    return np.log10(1 + epochs)
