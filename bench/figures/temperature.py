"""Figure 6 of the REGAN paper: REBAR with temperatures over several orders of magnitude."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import Look
from bench.statistics import headline, lineup, stats
from bench.statistics.lineup import DEFAULT
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Temperature"
CAPTION = (
    "Above: the quality of what is generated along training for each temperature λ, mean over sessions "
    "with its 95% interval. Below: that quality and gradient log-variance (all parameters together) at "
    "the end of training against λ, on a log axis. At the end every condition is at other parameters, so "
    "the variances compare more than the temperatures."
)
PALETTE = "viridis_r"  # a sequence that reads in grey as well


def draw(tables: Tables) -> Figure | None:
    """Curves for each estimator, and the ends of all estimators together."""
    found = parts.temperatures(headline.rows(tables))
    if found.empty:
        return None
    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    above, below = parts.split(figure, 2, 1)
    draw_curves(above, tables, found)
    draw_ends(below, tables, found)
    return figure


def draw_curves(on: Any, tables: Tables, table: pd.DataFrame) -> None:
    """Learning curves of each estimator, a curve for each temperature."""
    found = stats.mean_interval(table, ["estimator", parts.LAMBDA, "step"])
    found = found.assign(label="λ = " + found[parts.LAMBDA].map("{:g}".format), role=parts.OWN, mark="o")
    values = found.sort_values(parts.LAMBDA)["label"].unique()
    colours = dict(zip(values, map(to_hex, sns.color_palette(PALETTE, len(values))), strict=True))
    found = found.assign(colour=found["label"].map(colours), row=headline.of(tables).axis)
    found = found.assign(column=found["estimator"].map(lineup.label))
    _, panels = parts.training(found, 4, 3, y=True, on=on)
    for axes in panels.to_numpy().flat:
        parts.goal(axes, headline.of(tables), table["length"].iloc[0])
    shown = [parts.handle(value, Look(colour, "o")) for value, colour in colours.items()]
    on.legend(handles=shown, loc="outside right center")


def draw_ends(on: Any, tables: Tables, table: pd.DataFrame) -> None:
    """Where training ends against temperature, a curve for each estimator."""
    spread = parts.temperatures(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, "total"))
    both = {f"{headline.of(tables).axis} at the end": table, f"{parts.NAT} at the end": spread}
    ends = [stats.last(rows).assign(setting=DEFAULT, column=name) for name, rows in both.items()]
    found = parts.by_group(pd.concat([parts.intervals(rows, parts.LAMBDA, "column") for rows in ends]))
    plot = parts.curves(found, parts.LAMBDA).label(x=parts.LAMBDA)
    _, panels = parts.grid(plot, found, 4, 3, on=on, x=True, y="col")
    for axes in panels.to_numpy().flat:
        parts.logarithmic(axes, "x")
    parts.keys(on, panels, found)
