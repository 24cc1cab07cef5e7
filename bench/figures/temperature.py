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
    found = stats.mean_interval(table, ["estimator", parts.LAMBDA, "step"]).sort_values(["estimator", "step"])
    values = sorted(found[parts.LAMBDA].unique())
    colours = dict(zip(values, map(to_hex, sns.color_palette(PALETTE, len(values))), strict=True))
    found = found.assign(
        column=found["estimator"].map(lineup.label),
        row=headline.of(tables).axis,
        role=parts.OWN,
        label=[f"λ = {value:g}" for value in found[parts.LAMBDA]],
        colour=found[parts.LAMBDA].map(colours),
        mark="o",
    )
    _, panels = parts.grid(
        parts.curves(found, "step").label(x=parts.UPDATES), found, 4, 3, on=on, x=True, y=True
    )
    for axes in panels.to_numpy().flat:
        parts.along_updates(axes)
        parts.goal(axes, headline.of(tables), table["length"].iloc[0])
    looks = [Look(colour, "o") for colour in colours.values()]
    names = [f"λ = {value:g}" for value in values]
    on.legend(handles=list(map(parts.handle, names, looks)), loc="outside right center")


def draw_ends(on: Any, tables: Tables, table: pd.DataFrame) -> None:
    """Where training ends against temperature, a curve for each estimator."""
    spread = parts.temperatures(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, "total"))
    quality = f"{headline.of(tables).axis} at the end"
    ends = [
        stats.last(table).assign(column=quality),
        stats.last(spread).assign(column=f"{parts.NAT} at the end"),
    ]
    found = pd.concat(
        [parts.intervals(rows.assign(setting=DEFAULT), parts.LAMBDA, "column") for rows in ends]
    )
    found = parts.by_group(found).sort_values(parts.LAMBDA, kind="stable")
    found = found.sort_values("column", key=lambda column: column != quality, kind="stable")
    _, panels = parts.grid(
        parts.curves(found, parts.LAMBDA).label(x=parts.LAMBDA), found, 4, 3, on=on, x=True, y="col"
    )
    for axes in panels.to_numpy().flat:
        parts.logarithmic(axes, "x")
    parts.keys(on, panels, found)
