"""What adversarial training comes to, against the epochs of pre-training (REGAN section 5)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.figures import _sweep as sweep
from bench.statistics import headline, lineup, stats
from bench.tables.store import Tables

TITLE = "Epochs of pre-training"
CAPTION = (
    "The quality of what is generated at the end of training, mean over sessions with its 95% interval, "
    "against the epochs of maximum likelihood before it, on an axis of log(1 + epochs). Dotted: where "
    "training starts, the same for all; an estimator that ends below has lost what it had. Controls go on "
    "from the same starts: what a reward without information or maximum likelihood reaches as well is no "
    "estimator's doing. All have the same adversarial schedule."
)
EPOCHS = "epochs"


def draw(tables: Tables) -> Figure | None:
    """One panel, or one for each family."""
    found = lineup.points(headline.rows(tables), EPOCHS)
    if found.empty:
        return None
    ends = {"": stats.last(found)}
    return sweep.draw(ends, stats.start(found), headline.of(tables), EPOCHS, "epochs of pre-training", place)


def place(epochs: pd.Series) -> pd.Series:
    """The place of a number of epochs, 0 among them."""
    return np.log10(1 + epochs)
