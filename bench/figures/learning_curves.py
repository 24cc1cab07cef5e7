"""Figures 4 and 5 of the REGAN paper: goodness score and gradient log-variance along training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.statistics import headline, stats
from bench.statistics.headline import Headline
from bench.tables import schema
from bench.tables.store import Tables

TOTAL = "total"
SINGLE = 3  # parameters at most that have panels of their own

TITLE = "Learning curves"
CAPTION = (
    f"Mean over sessions with its 95% interval. {parts.PALE} Left: the quality of what is generated; "
    "dashed the maximum or, where none is known, what a fresh sample of real strings comes to; dotted the "
    "start before the first update. The other panels: natural log of the variance of one gradient "
    "estimate, per generated sample, of single parameters (the paper's choice, the first of the output "
    "layer, unless others were asked for) and of all parameters together. These curves follow each estimator "
    "along its own training, so they compare estimators at different parameters; only at 0 updates are the "
    "parameters the same for all that share their networks. An estimate without variance has no curve. "
    f"{parts.OFF}"
)


def draw(tables: Tables) -> Figure | None:
    """A row of panels for each family of estimators: quality, and the variances."""
    head, quality = headline.of(tables), parts.plain(headline.rows(tables))
    if quality.empty:
        return None
    tables_shown = {head.axis: quality} | variances(tables)
    found = parts.by_group(
        pd.concat([parts.intervals(t, "step").assign(column=name) for name, t in tables_shown.items()])
    )
    figure, panels = parts.training(found, 2.9, 1.9, y="col")
    for axes in panels[head.axis]:
        levels(axes, tables, quality, head)
    for name in list(tables_shown)[1:]:
        for axes in panels[name]:
            axes.set_ylim(bottom=parts.cut(*axes.get_ylim()))
    return parts.keys(figure, panels, found)


def variances(tables: Tables) -> dict[str, pd.DataFrame]:
    """The log-variance of the first single parameters measured, and the total, by what a panel calls it."""
    table = parts.plain(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE))
    single = [name for name in table["parameter"].unique() if "[" in name][:SINGLE]
    names = {name: f"{parts.NAT}, {name}" for name in single} | {TOTAL: f"{parts.NAT}, all parameters"}
    found = {title: table[table["parameter"] == name] for name, title in names.items()}
    return {title: rows for title, rows in found.items() if not rows.empty}


def levels(axes: Axes, tables: Tables, quality: pd.DataFrame, head: Headline) -> None:
    """Where all start, and the best that there is or, where that is not known, what real strings come to."""
    begin = stats.start(quality)["value"].mean()
    parts.level(axes, begin, f"start\n{begin:.2f}", ":")
    parts.goal(axes, head, quality["length"].iloc[0])
    real = stats.rows(tables, head.metric + schema.DATA_SUFFIX)["value"].mean()
    if head.best(quality["length"].iloc[0]) is None and real == real:
        parts.level(axes, real, f"real\n{real:.2f}")
