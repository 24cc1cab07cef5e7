"""Does a better gradient train better? The end of training against the gradient's error, by estimator."""

from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.statistics import headline, stats, transfer
from bench.tables.store import Tables

TITLE = "Does a better gradient train better?"
CAPTION = (
    "A point for each estimator: goodness at the end of training against ln of the mean squared error of "
    "its gradient over |g|² at the discriminator calls of a REINFORCE update of 128 samples (geometric "
    "mean over checkpoints, all estimators at the same parameters); means and 95% intervals over "
    f"sessions. {parts.PALE} With a length stands Spearman's rank correlation over the estimators, of a "
    "smaller error with a better end, within a session: mean and 95% interval over the sessions that both "
    "experiments have. An interval wider than goodness can be, of few sessions, runs off the axis."
)
WHOLE = True
"""Drawn once, from the tables of all experiments."""


def draw(tables: Tables) -> Figure | None:
    """A row of panels for each length."""
    found, known = transfer.both(tables), transfer.summary(tables)
    if known.empty:
        return None
    rows = {
        row.length: f"length {row.length}: {row.mean:.2f} [{row.low:.2f}, {row.high:.2f}]"
        for row in known.itertuples()
    }
    found = found[found["length"].isin(rows)]
    error, end = (parts.intervals(found.assign(value=found[name]), "length") for name in ("error", "quality"))
    both = end.merge(error, on=[*stats.COMPARED, "length"], suffixes=("", "_x"))
    both = parts.by_group(both.assign(row=both["length"].map(rows)), "column")
    plot = parts.points(both, "mean_x").label(x="ln of the error / |g|²")
    figure, panels = parts.grid(plot, both.sort_values("length", kind="stable"), 2.1, 2.5, x="row", y="row")
    for length, row in rows.items():
        first, best = panels.loc[row].iloc[0], headline.best_goodness(length)
        parts.within(first, 0, best)
        first.set_ylabel(f"{row.replace(': ', chr(10))}\ngoodness at the end")
    return parts.keys(figure, panels, both, lines=False)
