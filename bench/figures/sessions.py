"""How sure the ranking is: robust means, how often one estimator is the better, and all sessions."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import aggregates, headline, inference, lineup, stats
from bench.statistics.headline import Headline
from bench.statistics.lineup import DEFAULT, Condition
from bench.tables.store import Tables

TITLE = "How sure the ranking is"
BASELINE: Condition = ("reinforce_loo", DEFAULT)
PROFILES = 3
POINTS = 200
CAPTION = (
    "Quality at the end of training, as Agarwal et al. (2021) advise for few runs. Left: interquartile mean, "
    "the mean of the middle half of the sessions, with its BCa bootstrap interval (95%). Middle: fraction of "
    f"sessions in which an estimator ends better than {lineup.label(*BASELINE)} (Wilson's 95% interval); at "
    "the line neither is the better. Right: fraction of sessions that end at least as well as the value "
    f"below, for the {PROFILES} contenders with the best interquartile means and the one compared with; the "
    "curve that lies higher is the better. Its band holds the whole curve in 95% of cases."
)


def draw(tables: Tables) -> Figure | None:
    """Three panels for a slice that was trained, in which there is something to compare."""
    slices = [(part, headline.of(part)) for _, part in stats.slices(tables)]
    found = [(parts.plain(stats.last(headline.rows(part))), head) for part, head in slices]
    found = [(final, head) for final, head in found if comparable(final)]
    if not found:
        return None
    tallest = max(final.groupby(stats.COMPARED, observed=True).ngroups for final, _ in found)
    figure, axes = parts.grid(len(found), 3, 3.7, 1.2 + 0.24 * tallest)
    for row, (final, head) in zip(axes, found, strict=True):
        draw_row(row, final, head)
    return figure


def comparable(final: pd.DataFrame) -> bool:
    """Whether the baseline and others are there."""
    conditions = lineup.ordered(final)
    return BASELINE in conditions and len(conditions) > 1


def draw_row(axes: list[Axes], final: pd.DataFrame, head: Headline) -> None:
    """One slice."""
    means = aggregates.interquartile_means(final, stats.COMPARED).rename(columns={"iqm": "mean"})
    means = headline.best_first(means, head.way)
    ranking = list(zip(means["estimator"], means["setting"], strict=True))
    parts.dots(axes[0], means, range(len(means)))
    axes[0].set_xlabel(f"interquartile mean of the\n{head.name}")
    parts.condition_axis(axes[0], ranking)
    draw_improvements(axes[1], final, head, ranking)
    best = [c for c in ranking if lineup.competes(*c) and c != BASELINE][:PROFILES]
    draw_profiles(axes[2], final, head, [*best, BASELINE])


def draw_improvements(axes: Axes, final: pd.DataFrame, head: Headline, ranking: list[Condition]) -> None:
    """How often each condition is better than the baseline."""
    found = inference.improvements(headline.gains(final, head.way), BASELINE)
    others = [condition for condition in ranking if condition != BASELINE]
    rows = parts.in_order(found, others)
    axes.axvline(0.5, color=style.INK, linewidth=1)
    parts.dots(axes, rows, [ranking.index(condition) for condition in others])
    parts.condition_axis(axes, ranking, names=False)
    axes.set(xlabel=f"better than {lineup.label(*BASELINE)}\n(fraction of sessions)", xlim=(-0.03, 1.03))


def draw_profiles(axes: Axes, final: pd.DataFrame, head: Headline, shown: list[Condition]) -> None:
    """The fraction of sessions at least as good as any value."""
    table = stats.among(final, shown)
    values = np.linspace(table["value"].min(), table["value"].max(), POINTS)
    sign = -1 if head.way.falls else 1
    gains = headline.gains(table, head.way)
    profiles = aggregates.performance_profiles(gains, stats.COMPARED, sign * values)
    for condition in shown:
        part, look = stats.among(profiles, [condition]), style.look(*condition)
        line = {"color": look.colour, "linestyle": look.line, "label": look.label}
        axes.plot(sign * part["threshold"], part["fraction"], **line)
        axes.fill_between(
            sign * part["threshold"], part["low"], part["high"], color=look.colour, alpha=0.08, linewidth=0
        )
    axes.set(xlabel=head.name, ylabel="fraction of sessions at least as good", ylim=(-0.02, 1.02))
    axes.legend(fontsize=7, loc="lower right" if head.way.falls else "lower left", framealpha=0.9)
