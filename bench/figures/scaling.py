"""What an update costs against the length, the vocabulary and the number of sessions trained at once."""

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bench.figures import _parts as parts
from bench.figures._style import DISCRIMINATOR, Look, look, looks
from bench.statistics import exponents, lineup, stats
from bench.statistics.lineup import BESIDE, DEFAULT
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Seconds, memory and variance against length, vocabulary and sessions at once"
CAPTION = (
    "A session's share of what it takes, each number varied by itself from one base point. Milliseconds "
    "of a generator update, which is sampling, the forward pass, back-propagation through time and Adam's "
    "step, and of a discriminator update (grey), which samples as many sequences; milliseconds of "
    "measuring the variance of the gradient of all parameters from as many sequences, one draw at a time; "
    "megabytes of tensors, noise among them, that an update holds at most beside the parameters: REBAR's "
    "noise is V numbers for every token, the others' one. Last that variance itself, of one draw per "
    "generated sample, summed over all parameters. All axes are logarithmic; points are geometric means "
    "over repetitions with 95% intervals, and one far wider than all that is drawn runs off its axis. "
    "Beside each panel stand the power laws fitted to the upper half of its points (of the variance, to "
    "all). Seconds depend on the machine, bytes do not. Parameters are as they were drawn and real "
    "sequences are uniform noise, so the variances are those of an untrained pair. A line ends where its "
    "next point would have taken too long."
)
OTHER = "discriminator"
BARE = DISCRIMINATOR._replace(mark="")  # as a curve beside the estimators'
AXES = {"T": "length T", "V": "vocabulary V", "sessions": "sessions at once, n"}
PLAIN = 0.01  # numbers above it are written out
NEAR = 1.6  # the factor between a panel's points and its edge


class Panel(NamedTuple):
    """A row of panels: a metric, which part of its points is fitted, what stands beside the estimators."""

    metric: str
    parameter: str
    upper: float = exponents.UPPER
    beside: str = ""
    axes: str = "T V sessions"


ROWS = {
    "an update, ms": Panel(schema.UPDATE_SECONDS, "generator", beside=OTHER),
    "measuring the variance, ms": Panel(schema.UPDATE_SECONDS, "variance"),
    "peak memory of an update, MB": Panel(schema.PEAK_MEMORY, "generator", beside=OTHER),
    "variance of the gradient": Panel(schema.GRADIENT_LOG_VARIANCE, "total", 1.0, axes="T V"),
}


def draw(tables: Tables) -> Figure | None:
    """A row of panels for each quantity, a column for each number that is varied."""
    if stats.rows(tables, schema.UPDATE_SECONDS).empty:
        return None
    each = {(row, axis): lines(tables, panel, axis) for row, panel in ROWS.items() for axis in AXES}
    means = [exponents.geometric(p).assign(row=row, column=AXES[a]) for (row, a), p in each.items()]
    found = looks(pd.concat(means, ignore_index=True).assign(setting=DEFAULT, role=parts.OWN))
    beside = found["estimator"] == OTHER
    found.loc[beside, ["role", "colour", "mark", "line"]] = [BESIDE, *BARE]
    figure, panels = parts.grid(parts.curves(found, "at").label(x=""), found, 3.4, 2.2, x="col", y=False)
    for (row, axis), part in each.items():
        axes = panels.loc[row, AXES[axis]]
        if part.empty:
            axes.set_visible(False)
            panels[AXES[axis]].iloc[-2].tick_params(labelbottom=True)
            continue
        bound(axes, found[(found["row"] == row) & (found["column"] == AXES[axis])])
        laws = exponents.exponents(part, ROWS[row].upper).itertuples()
        shown = [parts.handle(power(law.axis, law.mean), own_look(law.estimator)) for law in laws]
        axes.legend(handles=shown, loc="upper left", bbox_to_anchor=(1, 1), handlelength=1.6)
    shown = [*parts.handles(lineup.ordered(found[~beside]), True), parts.handle(OTHER, BARE)]
    figure.legend(handles=shown, loc="outside lower center", ncols=len(shown))
    return figure


def lines(tables: Tables, panel: Panel, axis: str) -> pd.DataFrame:
    """Logarithms of what a panel shows, the discriminator's among them as if it were an estimator."""
    found = exponents.logarithms(tables, panel.metric, panel.parameter)
    if panel.beside:
        other = exponents.shared(exponents.logarithms(tables, panel.metric, panel.beside))
        found = pd.concat([found, other.assign(estimator=OTHER)])
    return found[(found["axis"] == axis) & (axis in panel.axes.split())]


def own_look(name: str) -> Look:
    """What an estimator, or the discriminator, looks like."""
    return BARE if name == OTHER else look(name)


def power(axis: str, exponent: float) -> str:
    """A fitted power law, as matplotlib writes it."""
    return f"${axis if len(axis) == 1 else 'n'}^{{{round(exponent, 2) + 0:.2f}}}$"


def bound(axes: Axes, found: pd.DataFrame) -> None:
    """Logarithmic axes with the points' own numbers."""
    places = sorted(found["at"].unique())
    low, high = found["mean"].min(), found["mean"].max()
    axes.set_ylim(low / NEAR, high * NEAR)
    parts.logarithmic(axes, "x", "y")
    axes.set_xticks(places, [f"{at:,}" for at in places])
    axes.xaxis.set_minor_locator(NullLocator())
    if low > PLAIN:
        axes.yaxis.set_major_formatter("{x:g}")
