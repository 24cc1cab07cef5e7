"""Bias against variance: what a temperature buys, estimator by estimator, at the same parameters."""

from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.statistics import stats
from bench.statistics.lineup import DEFAULT
from bench.tables.store import Tables

TITLE = "Bias and variance against temperature"
CAPTION = (
    "Squared bias, variance and their sum (the mean squared error) of one draw of the gradient per "
    "generated sample, all parameters together, divided by the exact gradient's squared norm (its mean "
    "over the sessions, taken as known); mean over sessions with its 95% interval, all axes logarithmic. "
    f"{parts.PALE} No training: in a session all estimators and temperatures λ are at the same parameters, "
    "and the exact gradient is enumerated. The noise of the finite sample is subtracted from the squared "
    "bias, which can so fall to 0 or below, where this axis has no place: a hollow mark is the upper end "
    "of an interval that reaches 0 and means no more than that; it shows how fine the measurement is, not "
    "a bias. Elsewhere an interval that reaches 0 runs off the axis; what is not above 0 is not drawn. "
    "Dotted: an estimate that is always 0, all bias and no variance. The axis of the variance ends at a "
    "ten-thousandth of |g|², and lines run off it: a relaxation that is saturated, at a low temperature, "
    "or flat, at a high one, hardly varies with its noise any more."
)
FLOOR = 1e-4  # of the variance: below it the squared bias is all that matters
BIAS, VARIANCE = "squared bias / |g|²", "variance / |g|²"
PANELS = {"bias": BIAS, "variance": VARIANCE, "error": "(squared bias + variance) / |g|²"}


def draw(tables: Tables) -> Figure | None:
    """A column of panels for the bias, the variance and their sum."""
    each = parts.temperatures(stats.relative_errors(tables))
    if each.empty:
        return None
    each = each.assign(setting=DEFAULT, column=each["part"].map(PANELS))
    found = parts.by_group(parts.intervals(each, parts.LAMBDA, "column"))
    unclear = (found["column"] == BIAS) & (found["low"] <= 0)
    found = parts.bounded(found, unclear)
    found = found[found["mean"] > 0]
    plot = parts.curves(found, parts.LAMBDA)
    figure, panels = parts.grid(plot.label(x=parts.LAMBDA), found, 2.9, 2.2, x=True, y="col")
    for axes in panels.to_numpy().flat:
        parts.logarithmic(axes, "x", "y")
    for name in (BIAS, PANELS["error"]):
        for axes in panels.get(name, []):
            parts.level(axes, 1, "always 0", ":")
    highest = found.loc[found["column"] == VARIANCE, ["mean", "high"]].max().max()
    for axes in panels.get(VARIANCE, []):
        axes.set_ylim(max(FLOOR, axes.get_ylim()[0]), max(2 * highest, 1))
    return parts.keys(figure, panels, found)
