"""How sure the ranking is: robust means, how often one estimator is the better, and all sessions."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.figure import Figure

from bench.figures import _parts as parts
from bench.figures._style import INK, LINES, look, looks
from bench.statistics import aggregates, headline, inference, lineup, stats
from bench.statistics.headline import Headline
from bench.statistics.lineup import DEFAULT, Condition
from bench.tables.store import Tables

TITLE = "How sure the ranking is"
BASELINE: Condition = ("reinforce_loo", DEFAULT)
PROFILES = 3
POINTS = 200
CAPTION = (
    "Quality at the end of training, as Agarwal et al. (2021) advise for few runs. Left: interquartile "
    "mean, the mean of the middle half of the sessions, with its BCa bootstrap interval (95%). Middle: "
    f"fraction of sessions in which an estimator ends better than {lineup.label(*BASELINE)} (Wilson's 95% "
    "interval); at the line neither is the better. Right: fraction of sessions that end at least as well "
    f"as the value below, for the {PROFILES} contenders with the best interquartile means and the one "
    "compared with; the curve that lies higher is the better. Its band holds the whole curve in 95% of "
    "cases."
)
IQM, BETTER = "interquartile mean", f"better than {lineup.label(*BASELINE)}"


def draw(tables: Tables) -> Figure | None:
    """Three panels for a slice that was trained, in which there is something to compare."""
    head, final = headline.of(tables), parts.plain(stats.last(headline.rows(tables)))
    if BASELINE not in lineup.ordered(final) or len(lineup.ordered(final)) < 2:
        return None
    means = aggregates.interquartile_means(final, stats.COMPARED).rename(columns={"iqm": "mean"})
    means = headline.best_first(means, head.way)
    ranking = list(zip(means["estimator"], means["setting"], strict=True))
    figure = Figure(figsize=(11, 1.2 + 0.19 * len(ranking)), layout="constrained")
    left, right = parts.split(figure, 1, 2, width_ratios=(7.4, 3.6))
    often = inference.improvements(headline.gains(final, head.way), BASELINE)
    found = pd.concat([means.assign(column=IQM), often.assign(column=BETTER)])
    _, panels = parts.dots(found, ranking, on=left)
    panels[IQM].set_xlabel(head.name)
    panels[BETTER].set(xlabel="fraction of sessions", xlim=(-0.03, 1.03))
    panels[BETTER].axvline(0.5, color=INK, linewidth=1, zorder=0)
    best = [c for c in ranking if lineup.competes(*c) and c != BASELINE][:PROFILES]
    draw_profiles(right, stats.among(final, [*best, BASELINE]), head)
    return figure


def draw_profiles(on: Any, table: pd.DataFrame, head: Headline) -> None:
    """The fraction of sessions at least as good as any value."""
    values = np.linspace(table["value"].min(), table["value"].max(), POINTS)
    sign = -1 if head.way.falls else 1
    gains = headline.gains(table, head.way)
    found = aggregates.performance_profiles(gains, stats.COMPARED, sign * values)
    names = [lineup.label(*c) for c in lineup.ordered(table)]
    lines = dict(zip(names, LINES, strict=False))  # of several families, so that two may have one colour
    found = looks(found).assign(at=sign * found["threshold"], line=lambda rows: rows["label"].map(lines))
    plot = parts.looking(found, x="at", y="fraction", ymin="low", ymax="high", color="colour", group="label")
    plot = plot.add(so.Band(alpha=0.08), legend=False)
    plot = plot.add(so.Path(linewidth=1.5), linestyle="line", legend=False)
    plot.label(x=head.name, y="fraction of sessions at least as good").on(on).plot()
    on.axes[0].set(ylim=(-0.02, 1.02), title="performance profiles")
    conditions = zip(lineup.ordered(table), names, strict=True)
    shown = [parts.handle(name, look(*c)._replace(mark="", line=lines[name])) for c, name in conditions]
    on.legend(handles=shown, loc="outside lower center")
