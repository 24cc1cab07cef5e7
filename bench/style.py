"""One look per estimator, everywhere: colour, line, marker and label.

Colours are Okabe and Ito's (told apart by colour-blind readers), and further ones chosen to be as
far from them and from one another as can be, for colour-blind readers too. Every estimator differs
from the others in its marker as well, so that a grey print still reads. An estimator that is not
in the table (a plug-in) gets a place from its name alone, the same in every figure and on every
machine; a line in the table gives it one by hand.
"""

import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd

Condition = tuple[str, str]  # estimator, setting

DEFAULT = "default"
BESIDE = "beside"  # references, ceilings and controls: no contenders
SCORE = "score function"
RELAXED = "relaxed or straight-through"
IMPORTANCE = "importance sampling on data"
OTHERS = "others"


class Look(NamedTuple):
    """What a condition looks like, and which others it is shown with where one panel is too small."""

    label: str
    colour: str
    line: Any  # as matplotlib writes dashes
    marker: Any  # as matplotlib writes markers; of a star its points, 1 and the angle it is turned by
    family: str = OTHERS

    @property
    def contender(self) -> bool:
        """Whether it competes."""
        return self.family != BESIDE


# fmt: off
LOOKS: dict[Condition, Look] = {
    ("maximum_likelihood", DEFAULT): Look("maximum likelihood (reference)", "#000000", "--", "s", BESIDE),
    ("maximum_likelihood", "same_seconds"):
        Look("maximum likelihood, same seconds (control)", "#5F5F5F", (0, (5, 1)), r"$\boxplus$", BESIDE),
    ("exact", DEFAULT): Look("exact gradient (ceiling)", "#882255", (0, (1, 1)), "*", BESIDE),
    ("reinforce", DEFAULT): Look("REINFORCE", "#D55E00", "-", "o", SCORE),
    ("reinforce_loo", DEFAULT): Look("REINFORCE, leave-one-out", "#0072B2", "-", "D", SCORE),
    ("reinforce_loo", "null_reward"): Look("null reward (control)", "#8C8C8C", "-.", "x", BESIDE),
    ("reinforce", "null_reward"):
        Look("null reward, no baseline (control)", "#B05C7A", "-.", r"$\mathbf{\times}$", BESIDE),
    ("reinforce_loo", "shuffled_reward"): Look("shuffled reward (control)", "#A08F62", "-.", "1", BESIDE),
    ("rebar", DEFAULT): Look("REBAR (per step)", "#009E73", "-", "^", SCORE),
    ("rebar_sequence", DEFAULT): Look("REBAR (whole sequence, as the paper)", "#E69F00", "--", "v", SCORE),
    ("relax", DEFAULT): Look("RELAX (per step)", "#CC79A7", "-", "P", SCORE),
    ("relax_sequence", DEFAULT): Look("RELAX (whole sequence, as the paper)", "#56B4E9", "--", "X", SCORE),
    ("unordered_set", DEFAULT): Look("unordered set", "#2211FF", "-", (3, 1, 0), SCORE),
    ("double_control_variate", DEFAULT): Look("double control variate", "#AA0000", "-", (7, 1, 0), SCORE),
    ("rollout", DEFAULT): Look("rollouts (SeqGAN)", "#6644CC", "-", (8, 1, 0), SCORE),
    ("rollout", "lagged"): Look("rollouts, lagged policy", "#6688FF", "--", (3, 1, 180), SCORE),
    ("rollout", "no_baseline"): Look("rollouts, no baseline", "#4444EE", "-.", "2", SCORE),
    ("local_expectation", DEFAULT): Look("local expectation", "#666644", "-", r"$\mathbf{\Sigma}$", SCORE),
    ("arsm", DEFAULT): Look("ARSM", "#662288", "-", r"$\bowtie$", SCORE),
    ("disarm", DEFAULT): Look("DisARM", "#CC8844", "-", r"$\mathbf{\pm}$", SCORE),
    # The settings of the Gumbel-softmax paper: one hue, and the paper's letters as markers.
    ("gumbel_softmax", DEFAULT): Look("Gumbel-softmax", "#4B0092", "-", "h", RELAXED),
    ("gumbel_softmax", "annealed"):
        Look("Gumbel-softmax (a) annealed", "#1C0054", "-", r"$\mathbf{A}$", RELAXED),
    ("gumbel_softmax", "generated_1000"):
        Look("Gumbel-softmax (b) 1,000 generated", "#5400C4", "--", r"$\mathbf{B}$", RELAXED),
    ("gumbel_softmax", "input_annealed"):
        Look("Gumbel-softmax (c) input annealed", "#8C54C4", "-.", r"$\mathbf{C}$", RELAXED),
    ("gumbel_softmax", "hidden_noise"):
        Look("Gumbel-softmax (d) noise in h only", "#D08CFF", "-", r"$\mathbf{D}$", RELAXED),
    ("gumbel_softmax", "tuned"): Look("Gumbel-softmax, tuned", "#543854", (0, (5, 1)), "p", RELAXED),
    ("straight_through", DEFAULT): Look("straight-through Gumbel-softmax", "#703800", "--", "<", RELAXED),
    ("gumbel_rao", DEFAULT): Look("Gumbel-Rao", "#80BA5A", "-", "d", RELAXED),
    ("reinmax", DEFAULT): Look("ReinMax", "#54708C", "-", ">", RELAXED),
    ("gapped_straight_through", DEFAULT): Look("gapped straight-through", "#38381C", "-.", "+", RELAXED),
    ("likelihood", DEFAULT): Look("likelihood, log L", "#DD2255", "-", (4, 1, 0), IMPORTANCE),
    ("likelihood", "eq5"): Look("likelihood, eq. 5", "#4477FF", "--", (4, 1, 45), IMPORTANCE),
    ("self_normalised", DEFAULT):
        Look("self-normalised importance sampling", "#553377", (0, (5, 1)), (5, 1, 36), IMPORTANCE),
    ("maligan", DEFAULT): Look("MaliGAN", "#33BBCC", "-.", (6, 1, 0), IMPORTANCE),
}

# What must be exceeded before a gain is one.
UNINFORMED: list[Condition] = [
    ("reinforce_loo", "null_reward"),
    ("reinforce_loo", "shuffled_reward"),
    ("reinforce", "null_reward"),
]
CONTROLS = [*UNINFORMED, ("maximum_likelihood", DEFAULT), ("maximum_likelihood", "same_seconds")]

# The two players, where a figure is about them.
GENERATOR = Look("generator loss", "#0072B2", "-", "o")
DISCRIMINATOR = Look("discriminator loss", "#D55E00", "--", "s")

# What a sweep varies, in words.
NUMBERS = {
    "lambda": "λ",
    "d_per_g": "discriminator batches per update",
    "epochs": "epochs",
    "sessions": "sessions at once",
}

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
    """The look of a condition; a setting without its own wears its estimator's, and its name."""
    if (estimator, setting) in LOOKS:
        return LOOKS[estimator, setting]
    if setting != DEFAULT:
        variant, point = swept(setting)
        base = look(estimator, variant if point else DEFAULT)
        return base._replace(label=f"{base.label}, {name_setting(point or setting)}")
    line, marker, colour = PLACES[zlib.crc32(estimator.encode(), SALT) % len(PLACES)]
    return Look(estimator.replace("_", " "), colour, line, marker)


def swept(setting: str) -> tuple[str, str]:
    """What a sweep varies, and the point of it if there is one: `eq5 covered=0.1` as `eq5`, `covered=0.1`."""
    variant, _, point = setting.rpartition(" ")
    return (variant or DEFAULT, point) if "=" in point else (setting, "")


def name_setting(setting: str) -> str:
    """A setting in words: `lambda=0.1` as λ = 0.1."""
    name, equals, value = setting.partition("=")
    return f"{NUMBERS.get(name, name.replace('_', ' '))}{equals and ' = '}{value}"


def label(estimator: str, setting: str = DEFAULT) -> str:
    """The name of a condition in every legend, table and sentence."""
    return look(estimator, setting).label


def ordered(conditions: pd.DataFrame) -> list[Condition]:
    """The distinct conditions of a table in the order of every legend: as above, then by name."""
    return sorted(set(zip(conditions["estimator"], conditions["setting"], strict=True)), key=place)


def place(condition: Condition) -> tuple[int, str, str, float, str]:
    """What to sort by: an estimator's settings stay together, by what they vary, then by number if any."""
    estimator, setting = condition
    known = list(LOOKS)
    bases = condition, (estimator, swept(setting)[0]), (estimator, DEFAULT)
    listed = next((c for c in bases if c in LOOKS), None)
    axis = setting.rpartition("=")[0]
    return known.index(listed) if listed else len(known), estimator, axis, number(setting), setting


def number(setting: str) -> float:
    """The number that a setting gives, or 0."""
    text = setting.rpartition("=")[2]
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0


def variants(table: pd.DataFrame) -> list[Condition]:
    """The contenders that are an estimator in a setting set apart: no default, no point of a sweep."""
    return [c for c in ordered(table) if c in LOOKS and c[1] != DEFAULT and look(*c).contender]


def set_apart(table: pd.DataFrame) -> list[Condition]:
    """The contenders of every family with variants in it: those, and what they stand beside."""
    found = set(variants(table))
    return [c for family in families(table).values() if found & set(family) for c in family]


def families(table: pd.DataFrame) -> dict[str, list[Condition]]:
    """The contenders by family; an estimator with several variants is a family of its own."""
    own = [name for name, count in Counter(name for name, _ in variants(table)).items() if count > 1]
    found: dict[str, list[Condition]] = {}
    for condition in ordered(table):
        if (seen := look(*condition)).contender:
            family = label(condition[0]) if condition[0] in own else seen.family
            found.setdefault(family, []).append(condition)
    return found


def points(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Only settings that give a number to a name, with the number and what it varies as columns."""
    point = table["setting"].astype(str).str.extract(f"^(?:(?P<variant>.+) )?{name}=(?P<number>.+)$")
    variant, number = point["variant"].fillna(DEFAULT), pd.to_numeric(point["number"])
    return table.assign(**{"variant": variant, name: number}).dropna(subset=name)


def sequential(count: int) -> list[tuple[float, ...]]:
    """Colours for an ordered quantity (a temperature): dark to light in grey too, none too pale."""
    return [tuple(mpl.colormaps["viridis"](height)) for height in np.linspace(0, 0.92, count)]
