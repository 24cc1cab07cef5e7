"""One look per condition, the same in every figure: colour, mark and line.

A condition has the colour and the mark of its place in the line-up, counted round and round: in a family they
differ, and families have panels of their own (`_parts`), so that a handful of colours do, told apart by
colour-blind readers and, by their marks, in grey. What competes with nobody (references, ceilings, controls)
is drawn in greys, dashed, in every panel.
"""

import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple
from unittest import mock

import matplotlib as mpl
import pandas as pd
from matplotlib.text import Text
from seaborn import axes_style

from bench.printable import in_lines
from bench.statistics import lineup
from bench.statistics.lineup import DEFAULT, Condition

#: Okabe and Ito's without black and yellow, and a dark one.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288"]
MARKS = ["o", "s", "^", "D", "v", "P", "X"]
LINES = ["-", "--", "-.", ":"]


class Look(NamedTuple):
    """What a condition looks like, as matplotlib writes it."""

    colour: str
    mark: str
    line: Any = "-"


BESIDE: dict[Condition, Look] = {  # colours differ, for that is what keeps bands apart
    ("maximum_likelihood", DEFAULT): Look("#000000", "s", "--"),
    ("maximum_likelihood", "same_seconds"): Look("#666666", "s", "--"),
    ("exact", DEFAULT): Look("#444444", "*", ":"),
    ("reinforce_loo", "null_reward"): Look("#8C8C8C", "X", "-."),
    ("reinforce", "null_reward"): Look("#8A7A4A", "X", "-."),
    ("reinforce_loo", "shuffled_reward"): Look("#A08F62", "P", ":"),
}
# The two players, where a figure is about them.
GENERATOR = Look(COLOURS[0], "o")
DISCRIMINATOR = Look("#737373", "s", ":")

PHASES = {  # greys: these bars are no estimator's
    "sampling": "#252525",
    "generator": "#636363",
    "discriminator": "#969696",
    "variance": "#cccccc",
    "evaluation": "#f4f4f4",
}
INK = "#333333"
GREY = "#d4d4d4"  # what is shown for comparison only
RC: dict[Any, Any] = axes_style("ticks") | {
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],  # the first comes with matplotlib
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: small, searchable, and in any script a reader has letters of
    "svg.hashsalt": "discgan-bench",
    "text.color": INK,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}


OURS = re.compile(r"\$(\\mathdefault\{[-−\d.]*(\\times)?(10\^\{[-−\d.]+\})?\}|[nTV]\^\{[-−]?\d+\.\d\d\})\$")
"""What is meant to be read as mathematics: the numbers of a logarithmic axis, and fitted power laws."""


def plain(text: object) -> str:
    """Have matplotlib show a text as it is: a name, a value or a string may hold dollars, or anything."""
    shown = in_lines(str(text))
    if "$" not in shown:
        return shown
    ends = [0, *(end for found in OURS.finditer(shown) for end in found.span()), len(shown)]
    parts = [shown[start:end] for start, end in pairwise(ends)]  # ours is every other one
    return "".join(part if place % 2 else part.replace("$", r"\$") for place, part in enumerate(parts))


@contextmanager
def theme() -> Iterator[None]:
    """Draw and save inside this: the same look whatever the user's own settings are."""
    set_text = Text.set_text

    def as_it_is(self: Text, text: object) -> None:
        set_text(self, "" if text is None else plain(text))

    # All that a figure says goes through here, whatever draws it: labels, titles, legends, numbers of axes.
    patched = mock.patch.object(Text, "set_text", as_it_is)
    with mpl.rc_context(), warnings.catch_warnings(), patched:
        # seaborn asks pandas 3 for what it does by itself; browsers have letters that matplotlib's font lacks
        warnings.filterwarnings("ignore", "The copy keyword", DeprecationWarning)
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


@cache
def look(estimator: str, setting: str = DEFAULT) -> Look:
    """The look of a condition; a setting without its own has its estimator's colour, and a mark of its own.

    An estimator that is not known (a plug-in) has a place by its name, on any machine; so has one with
    hyperparameters of its own, among the pairs of colour and mark that no known one has.
    """
    condition = (estimator, setting)
    if condition in BESIDE:
        return BESIDE[condition]
    if condition in lineup.KNOWN:
        place = [c for c in lineup.KNOWN if lineup.competes(*c)].index(condition)
        return Look(COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)])
    if setting == DEFAULT and lineup.own(estimator):
        turn, colour = divmod(
            zlib.crc32(estimator.encode()) % ((len(MARKS) - 1) * len(COLOURS)), len(COLOURS)
        )
        return Look(COLOURS[colour], MARKS[(colour + 1 + turn) % len(MARKS)])
    if setting == DEFAULT:
        mark, colour = divmod(zlib.crc32(estimator.encode()) % (len(MARKS) * len(COLOURS)), len(COLOURS))
        return Look(COLOURS[colour], MARKS[mark])
    variant, point = lineup.swept(setting)
    base = look(estimator, variant if point else DEFAULT)
    others = [mark for mark in MARKS if mark != base.mark]
    return base._replace(mark=others[zlib.crc32(setting.encode()) % len(others)])


def looks(found: pd.DataFrame) -> pd.DataFrame:
    """A table of conditions with `label`, `colour`, `mark` and `line` of each row as columns."""
    pairs = list(zip(found["estimator"], found["setting"], strict=True))
    seen = pd.DataFrame([look(*pair) for pair in pairs], index=found.index, columns=list(Look._fields))
    return found.assign(label=[lineup.label(*pair) for pair in pairs], **seen)
