"""Gradient variance by tensor: one weight, the paper's choice, need not speak for the rest."""

from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.statistics import lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "Gradient variance by parameter tensor"
CAPTION = (
    "Natural log of the variance of one gradient estimate, per generated sample and summed over each "
    "tensor, at the end of training (mean and 95% interval over sessions). Here every estimator is at the "
    "parameters it trained to, so differences mix the estimator's variance with where it went. "
    f"{parts.OFF}"
)


def draw(tables: Tables) -> Figure | None:
    """A panel for each tensor."""
    table = parts.plain(stats.last(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE)))
    if table.empty:
        return None
    found = parts.intervals(table.rename(columns={"parameter": "column"}), "column")
    figure, panels = parts.dots(found, lineup.ordered(found), columns=5, width=1.5)
    for axes in panels.values():
        axes.set_xlabel(parts.NAT)
        axes.set_xlim(left=parts.cut(*axes.get_xlim()))
    return figure
