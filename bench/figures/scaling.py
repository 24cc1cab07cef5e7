"""What an update costs against the length, the vocabulary and the number of sessions trained at once."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.figures._style import Look
from bench.statistics import exponents, lineup, stats
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
    "Beside each line's mark stands the power law fitted to the upper half of its points (of the "
    "variance, to all). Seconds depend on the machine, bytes do not. Parameters are as they were drawn "
    "and real sequences are uniform noise, so the variances are those of an untrained pair. A line ends "
    "where its next point would have taken too long."
)
DISCRIMINATOR = Look("discriminator", "#737373", ":", "s")
OTHER = "discriminator"
AXES = {"T": "length T", "V": "vocabulary V", "sessions": "sessions at once, n"}
PLAIN = 0.01  # numbers above it are written out
NEAR, FAR = 1.6, 9.0  # factors between a panel's points and its edge: without, and with, the power laws there


class Panel(NamedTuple):
    """A row of panels: a metric, which part of its points is fitted, what stands beside the estimators."""

    metric: str
    parameter: str
    label: str
    upper: float = exponents.UPPER
    beside: str = ""
    axes: Sequence[str] = tuple(AXES)


ROWS = [
    Panel(schema.UPDATE_SECONDS, "generator", "an update, ms", beside=OTHER),
    Panel(schema.UPDATE_SECONDS, "variance", "measuring the variance, ms"),
    Panel(schema.PEAK_MEMORY, "generator", "peak memory of an update, MB", beside=OTHER),
    Panel(schema.GRADIENT_LOG_VARIANCE, "total", "variance of the gradient", 1.0, axes="TV"),
]


def draw(tables: Tables) -> Figure | None:
    """Four rows of panels for each slice of the tables, a column for each axis."""
    shown = [(key, part) for key, part in stats.slices(tables) if not stats.rows(part, ROWS[0].metric).empty]
    if not shown:
        return None
    figure, axes = parts.grid(len(ROWS) * len(shown), len(AXES), 3.7, 2.5)
    for place, (key, part) in enumerate(shown):
        rows = axes[len(ROWS) * place : len(ROWS) * (place + 1)]
        for row, panel in zip(rows, ROWS, strict=True):
            draw_row(row, part, panel)
        rows[0][0].set_title(parts.heading(key))
    trials = pd.concat([part.trials for _, part in shown])
    parts.legend(figure, lineup.ordered(trials.assign(setting=lineup.DEFAULT)), 3)
    return figure


def draw_row(row: list[Axes], tables: Tables, panel: Panel) -> None:
    """A panel for each axis."""
    for axes, (name, label) in zip(row, AXES.items(), strict=True):
        axes.set_visible(name in panel.axes)
        drawn = [draw_line(axes, part, look, panel) for look, part in lines(tables, panel, name)]
        bound(axes, pd.concat(drawn), falling=name == "sessions")
        axes.set_xlabel(label)
    row[0].set_ylabel(panel.label)


def lines(tables: Tables, panel: Panel, axis: str) -> Iterator[tuple[Look, pd.DataFrame]]:
    """The estimators along an axis, and the discriminator beside them."""
    found = along(tables, panel, axis)
    for name, _ in lineup.ordered(found.assign(setting=lineup.DEFAULT)):
        yield style.look(name), found[found["estimator"] == name]
    if panel.beside:
        yield DISCRIMINATOR, exponents.shared(along(tables, panel._replace(parameter=panel.beside), axis))


def along(tables: Tables, panel: Panel, axis: str) -> pd.DataFrame:
    """Logarithms of what a panel shows."""
    found = exponents.logarithms(tables, panel.metric, panel.parameter)
    return found[found["axis"] == axis]


def draw_line(axes: Axes, part: pd.DataFrame, look: Look, panel: Panel) -> pd.DataFrame:
    """Geometric means with intervals, and the exponent in the legend; gives what is drawn."""
    found = exponents.geometric(part)
    laws = [power(row) for row in exponents.exponents(part, panel.upper).itertuples()]
    label = " ".join([look.label, *laws] if look is DISCRIMINATOR else laws)
    drawn = parts.point(look) | {"linestyle": look.line, "label": label or look.label}
    axes.errorbar(found["at"], found["mean"], yerr=parts.arms(found), **drawn)
    return found


def power(row: Any) -> str:
    """A fitted power law, as matplotlib writes it."""
    name = row.axis if len(row.axis) == 1 else "n"
    return f"${name}^{{{round(row.mean, 2) + 0:.2f}}}$"


def bound(axes: Axes, found: pd.DataFrame, falling: bool) -> None:
    """Logarithmic axes with the points' own numbers, and the power laws in the corner that is left free."""
    places = sorted(found["at"].unique())
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(places, [f"{at:,}" for at in places])
    axes.xaxis.set_minor_locator(NullLocator())
    low, high = found["mean"].min(), found["mean"].max()
    axes.set_ylim(low / (NEAR if falling else FAR), high * (FAR if falling else NEAR))
    if low > PLAIN:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.legend(
        loc="upper right" if falling else "lower right",
        handlelength=1.8,
        labelspacing=0.1,
        borderaxespad=0.0,
        fontsize=8,
    )
