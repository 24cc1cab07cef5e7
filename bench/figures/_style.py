"""One look per estimator, everywhere: colour, line and marker.

Colours are Okabe and Ito's (told apart by colour-blind readers), and further ones chosen to be as
far from them and from one another as can be, for colour-blind readers too. Every estimator differs
from the others in its marker as well, so that a grey print still reads. An estimator that is not
in the table (a plug-in) gets a place from its name alone, the same in every figure and on every
machine; a line in the table gives it one by hand.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np

from bench.statistics import lineup
from bench.statistics.lineup import DEFAULT, Condition


class Look(NamedTuple):
    """What a condition looks like."""

    label: str
    colour: str
    line: Any  # as matplotlib writes dashes
    marker: Any  # as matplotlib writes markers; of a star its points, 1 and the angle it is turned by


# fmt: off
LOOKS: dict[Condition, tuple[str, Any, Any]] = {
    ("maximum_likelihood", DEFAULT): ("#000000", "--", "s"),
    ("maximum_likelihood", "same_seconds"): ("#5F5F5F", (0, (5, 1)), r"$\boxplus$"),
    ("exact", DEFAULT): ("#882255", (0, (1, 1)), "*"),
    ("reinforce", DEFAULT): ("#D55E00", "-", "o"),
    ("reinforce_loo", DEFAULT): ("#0072B2", "-", "D"),
    ("reinforce_loo", "null_reward"): ("#8C8C8C", "-.", "x"),
    ("reinforce", "null_reward"): ("#B05C7A", "-.", r"$\mathbf{\times}$"),
    ("reinforce_loo", "shuffled_reward"): ("#A08F62", "-.", "1"),
    ("rebar", DEFAULT): ("#009E73", "-", "^"),
    ("rebar_sequence", DEFAULT): ("#E69F00", "--", "v"),
    ("relax", DEFAULT): ("#CC79A7", "-", "P"),
    ("relax_sequence", DEFAULT): ("#56B4E9", "--", "X"),
    ("unordered_set", DEFAULT): ("#2211FF", "-", (3, 1, 0)),
    ("double_control_variate", DEFAULT): ("#AA0000", "-", (7, 1, 0)),
    ("rollout", DEFAULT): ("#6644CC", "-", (8, 1, 0)),
    ("rollout", "lagged"): ("#6688FF", "--", (3, 1, 180)),
    ("rollout", "no_baseline"): ("#4444EE", "-.", "2"),
    ("local_expectation", DEFAULT): ("#666644", "-", r"$\mathbf{\Sigma}$"),
    ("arsm", DEFAULT): ("#662288", "-", r"$\bowtie$"),
    ("disarm", DEFAULT): ("#CC8844", "-", r"$\mathbf{\pm}$"),
    # The settings of the Gumbel-softmax paper: one hue, and the paper's letters as markers.
    ("gumbel_softmax", DEFAULT): ("#4B0092", "-", "h"),
    ("gumbel_softmax", "annealed"): ("#1C0054", "-", r"$\mathbf{A}$"),
    ("gumbel_softmax", "generated_1000"): ("#5400C4", "--", r"$\mathbf{B}$"),
    ("gumbel_softmax", "input_annealed"): ("#8C54C4", "-.", r"$\mathbf{C}$"),
    ("gumbel_softmax", "hidden_noise"): ("#D08CFF", "-", r"$\mathbf{D}$"),
    ("gumbel_softmax", "tuned"): ("#543854", (0, (5, 1)), "p"),
    ("straight_through", DEFAULT): ("#703800", "--", "<"),
    ("gumbel_rao", DEFAULT): ("#80BA5A", "-", "d"),
    ("reinmax", DEFAULT): ("#54708C", "-", ">"),
    ("gapped_straight_through", DEFAULT): ("#38381C", "-.", "+"),
    ("likelihood", DEFAULT): ("#DD2255", "-", (4, 1, 0)),
    ("likelihood", "eq5"): ("#4477FF", "--", (4, 1, 45)),
    ("self_normalised", DEFAULT): ("#553377", (0, (5, 1)), (5, 1, 36)),
    ("maligan", DEFAULT): ("#33BBCC", "-.", (6, 1, 0)),
}

# The two players, where a figure is about them.
GENERATOR = Look("generator loss", "#0072B2", "-", "o")
DISCRIMINATOR = Look("discriminator loss", "#D55E00", "--", "s")

# Places for the others: Paul Tol's muted colours and further ones, none of those above.
COLOURS = [
    "#332288", "#117733", "#999933", "#661100", "#AA4499", "#44AA99", "#CC6677", "#3969AC",
    "#7F3C8D", "#E73F74", "#C6B800", "#008695", "#6B4C2A", "#1E3A5F", "#B8860B", "#5E35B1",
]
# fmt: on
MARKERS = ["8", "H", r"$\heartsuit$", r"$\spadesuit$", r"$\clubsuit$"]
LINES: list[Any] = [(0, (5, 1)), (0, (3, 1, 1, 1)), (0, (6, 2, 1, 2, 1, 2)), (0, (2, 1))]
PLACES = list(product(LINES, MARKERS, COLOURS))
SALT = 80  # the least that gives a dozen estimators known from the literature different colours

PHASES = {  # greys and hatches: these bars are no estimator's
    "sampling": ("#252525", ""),
    "generator": ("#737373", ""),
    "discriminator": ("#bdbdbd", ""),
    "variance": ("#ffffff", "////"),
    "evaluation": ("#ffffff", ""),
}

INK = "#333333"
RC: dict[Any, Any] = {
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 9,
    "text.color": INK,
    "axes.titlesize": 10,
    "axes.titley": 1.0,  # there are no ticks on top that a title would have to avoid
    "axes.labelsize": 9,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.bottom": False,
    "ytick.left": False,
    "grid.color": "#e3e3e3",
    "axes.linewidth": 0.8,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "discgan-bench",
    "savefig.dpi": 150,
    "figure.dpi": 100,
}


@contextmanager
def theme() -> Iterator[None]:
    """Draw and save inside this: the same look whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def look(estimator: str, setting: str = DEFAULT) -> Look:
    """The look of a condition; a setting without its own wears its estimator's."""
    name = lineup.label(estimator, setting)
    if (estimator, setting) in LOOKS:
        return Look(name, *LOOKS[estimator, setting])
    if setting != DEFAULT:
        variant, point = lineup.swept(setting)
        return look(estimator, variant if point else DEFAULT)._replace(label=name)
    line, marker, colour = PLACES[zlib.crc32(estimator.encode(), SALT) % len(PLACES)]
    return Look(name, colour, line, marker)


def sequential(count: int) -> list[tuple[float, ...]]:
    """Colours for an ordered quantity (a temperature): dark to light in grey too, none too pale."""
    return [tuple(mpl.colormaps["viridis"](height)) for height in np.linspace(0, 0.92, count)]
