"""Figures 4 and 5 of the REGAN paper: goodness score and gradient log-variance along training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import schema, stats, style
from bench.figures import _parts as parts
from bench.store import Tables

TOTAL = "total"

TITLE = "Learning curves"
CAPTION = (
    "Mean over sessions with its 95% interval. Left: goodness score; dashed the maximum, dotted "
    "the start after pre-training, which all conditions share. The other panels: natural log of "
    "the variance of one gradient estimate, per generated sample, of one parameter (the paper's "
    "choice: the first of the output layer) and of all parameters together. These curves follow "
    "each estimator along its own training, so they compare estimators at different parameters; "
    "only at 0 updates are the parameters the same for all. An estimate without variance has no "
    "curve."
)


def draw(tables: Tables) -> Figure | None:
    """One row of panels for each slice of the tables."""
    parts_of = [(key, part) for key, part in stats.slices(tables) if not goodness(part).empty]
    if not parts_of:
        return None
    shown = [measured(part) for _, part in parts_of]
    columns = 1 + max(map(len, shown))
    figure, axes = parts.grid(len(parts_of), columns, 3.4, 2.7, first=1.3)
    for row, (key, part), parameters in zip(axes, parts_of, shown, strict=True):
        draw_goodness(row[0], goodness(part), parts.heading(key))
        for axis, parameter in zip(row[1:], parameters, strict=False):
            draw_variance(axis, variance(part, parameter), parameter)
        for axis in row[1 + len(parameters) :]:
            axis.set_visible(False)
    conditions = style.ordered(pd.concat([goodness(part) for _, part in parts_of]))
    parts.legend(figure, conditions, columns)
    return figure


def goodness(tables: Tables) -> pd.DataFrame:
    """Goodness of the conditions that are shown."""
    return parts.plain(stats.rows(tables, schema.GOODNESS))


def variance(tables: Tables, parameter: str) -> pd.DataFrame:
    """Log-variance of one parameter's gradient."""
    return parts.plain(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, parameter))


def measured(tables: Tables) -> list[str]:
    """The first single parameter measured, and the total."""
    found = stats.rows(tables, schema.GRADIENT_LOG_VARIANCE)["parameter"].unique()
    return [name for name in found if "[" in name][:1] + [name for name in found if name == TOTAL]


def draw_goodness(axes: Axes, table: pd.DataFrame, title: str) -> None:
    """Curves of goodness between where all start and the most that there is."""
    parts.curves(axes, table)
    best = stats.best_goodness(table["length"].iloc[0])
    begin = stats.start(table)["value"].mean()
    axes.axhline(best, color=style.INK, linestyle="--", linewidth=1)
    axes.axhline(begin, color=style.INK, linestyle=":", linewidth=1)
    note(axes, best, f"maximum {best}", "bottom")
    note(axes, begin, f"start {begin:.2f}", "top")
    axes.margins(y=0.1)
    axes.set(ylabel="goodness score", title=title)


def note(axes: Axes, height: float, text: str, side: str) -> None:
    """Write at the right end of a horizontal line; `side` of the text touches the line."""
    offset = 2 if side == "bottom" else -2
    axes.annotate(
        text,
        (1, height),
        (-2, offset),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va=side,
        fontsize=8,
        color=style.INK,
    )


def draw_variance(axes: Axes, table: pd.DataFrame, parameter: str) -> None:
    """Curves of one log-variance."""
    parts.curves(axes, table)
    what = "all parameters" if parameter == TOTAL else parameter
    axes.set(ylabel=parts.NAT, title=f"gradient variance, {what}")
