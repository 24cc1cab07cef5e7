"""SeqGAN's comparison, and what it leaves out: how good generated sequences are, and how varied."""

from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import INK
from bench.statistics import stats
from bench.tables import schema
from bench.tables.store import Tables

TITLE = "The oracle task: quality and variety"
CAPTION = (
    "At the end of training, means over sessions with their 95% intervals: along x the oracle's own NLL "
    "of generated sequences, as SeqGAN's paper compares it. Along y the generator's NLL of fresh "
    "sequences of the oracle, which rises as a generator forgets what it could write; a cross marks where "
    f"all start. {parts.PALE} Lower is better on both axes. To the left alone is no gain by itself: a "
    "generator that writes few likely sequences gets there, and so does one that is merely sampled at a "
    "lower temperature (Caccia et al., 2020)."
)


def draw(tables: Tables) -> Figure | None:
    """A plane for each family."""
    both = [parts.plain(stats.rows(tables, m)) for m in (schema.ORACLE_NLL, schema.CROSS_ENTROPY)]
    if both[0].empty:
        return None
    generated, fresh = (parts.intervals(stats.last(table)) for table in both)
    found = fresh.merge(generated, on=stats.COMPARED, suffixes=("", "_x"))
    found = parts.by_group(found.assign(row="generator's NLL of fresh sequences"), "column")
    own = stats.rows(tables, schema.ORACLE_NLL + schema.DATA_SUFFIX)["value"].mean()
    words = f"oracle NLL of generated sequences\n(the oracle's own: {own:.2f})"
    figure, panels = parts.grid(parts.points(found, "mean_x").label(x=words), found, 2.5, 2.5, x=True, y=True)
    begin = [stats.start(table)["value"].mean() for table in both]
    for axes in panels.to_numpy().flat:
        axes.plot(*begin, marker="x", color=INK, markersize=8, linestyle="none")
    return parts.keys(figure, panels, found, lines=False)
