"""SeqGAN's comparison, and what it leaves out: how good generated sequences are, and how varied."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "The oracle task: quality and variety"
CAPTION = (
    "Mean over sessions with its 95% interval. Left: the oracle's own NLL of generated sequences, as "
    "SeqGAN's paper compares it; dashed, what the oracle's own sequences come to. Right: the same at the end "
    "of training against the generator's NLL of fresh sequences of the oracle, which rises as a generator "
    "forgets what it could write; a cross marks where all start. Lower is better on both axes. To the left "
    "alone is no gain by itself: a generator that writes few likely sequences gets there, and so does one "
    "that is merely sampled at a lower temperature (Caccia et al., 2020)."
)
GENERATED = "oracle NLL of generated sequences"
FRESH = "generator's NLL of fresh sequences"


def draw(tables: Tables) -> Figure | None:
    """Two panels for each slice of the tables that has an oracle."""
    shown = [(key, part) for key, part in stats.slices(tables) if not judged(part).empty]
    if not shown:
        return None
    figure, axes = parts.grid(len(shown), 2, 4.2, 3.2)
    for row, (key, part) in zip(axes, shown, strict=True):
        draw_curves(row[0], part)
        draw_plane(row[1], part)
        row[0].set_title(parts.heading(key))
    parts.legend(figure, lineup.ordered(pd.concat([judged(part) for _, part in shown])), 3)
    return figure


def judged(tables: Tables) -> pd.DataFrame:
    """The oracle's judgement of every condition."""
    return parts.plain(stats.rows(tables, schema.ORACLE_NLL))


def draw_curves(axes: Axes, tables: Tables) -> None:
    """Quality along training, above what real sequences come to."""
    parts.curves(axes, judged(tables))
    floor = stats.rows(tables, schema.ORACLE_NLL + schema.DATA_SUFFIX)["value"].mean()
    axes.axhline(floor, color=style.INK, linestyle="--", linewidth=1)
    parts.note(axes, floor, f"the oracle's own {floor:.2f}", "bottom")
    axes.set(ylabel=GENERATED)


def draw_plane(axes: Axes, tables: Tables) -> None:
    """Quality against variety, at the start and at the end."""
    both = [judged(tables), parts.plain(stats.rows(tables, schema.CROSS_ENTROPY))]
    ends = [stats.mean_interval(stats.last(table), stats.COMPARED) for table in both]
    found = ends[0].merge(ends[1], on=stats.COMPARED, suffixes=("", "_fresh"))
    for condition, part in parts.one_by_one(found):
        fresh = part.assign(**{name: part[f"{name}_fresh"] for name in ("mean", "low", "high")})
        across, along = parts.arms(fresh), parts.arms(part)
        axes.errorbar(part["mean"], fresh["mean"], across, along, **parts.point(style.look(*condition)))
    begin = [stats.start(table)["value"].mean() for table in both]
    axes.plot(*begin, marker="x", color=style.INK, markersize=8, linestyle="none")
    axes.set(xlabel=f"{GENERATED}, at the end", ylabel=FRESH)
