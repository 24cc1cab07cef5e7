"""Does a better gradient train better? The end of training against the gradient's error, by estimator."""

from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import lineup, stats, transfer
from bench.tables.store import Tables

TITLE = "Does a better gradient train better?"
CAPTION = (
    "A point for each estimator: goodness at the end of training against the mean squared error of its "
    "gradient over |g|² at the discriminator calls of a REINFORCE update of 128 samples (geometric mean over "
    "checkpoints, all estimators at the same parameters); means and 95% intervals over sessions. In the "
    "title, Spearman's rank correlation over the estimators, of a smaller error with a better end, within a "
    "session: mean and 95% interval over the sessions that both experiments have."
)
WHOLE = True
"""Drawn once, from the tables of all experiments."""


def draw(tables: Tables) -> Figure | None:
    """A panel for each length."""
    found, known = transfer.both(tables), transfer.summary(tables)
    if known.empty:
        return None
    figure, axes = parts.grid(1, len(known), 5.2, 4.0)
    for axis, row in zip(axes[0], known.itertuples(), strict=True):
        part = found[found["length"] == row.length]
        error, end = (
            stats.mean_interval(part.assign(value=part[name]), stats.COMPARED)
            for name in ("error", "quality")
        )
        both = error.merge(end, on=stats.COMPARED, suffixes=("_error", ""))
        for condition, one in parts.one_by_one(both):
            across = one[["mean_error", "low_error", "high_error"]].set_axis(["mean", "low", "high"], axis=1)
            look = parts.point(style.look(*condition))
            axis.errorbar(across["mean"], one["mean"], yerr=parts.arms(one), xerr=parts.arms(across), **look)
        axis.set(
            xlabel="ln of the error / |g|² at equal discriminator calls",
            ylabel="goodness at the end",
            title=f"length {row.length}: rank correlation {row.mean:.2f} [{row.low:.2f}, {row.high:.2f}]",
        )
    parts.legend(figure, lineup.ordered(found), 4, lines=False)
    return figure
