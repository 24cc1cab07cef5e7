"""The answers to whether anything was learned: by what a gain is held against, and by a goal.

To end above one's own start is little: a reward that says nothing may do as much, and maximum likelihood in
as many updates or seconds may do more. So an estimator has learned if it ends above its start and above
every control that there is, each tested within a session and corrected over all these comparisons.
"""

from collections.abc import Iterator

import pandas as pd

from bench.report import words
from bench.report.answers import ALPHA, DIGITS, Answer, contenders, label
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.statistics.lineup import Condition
from bench.tables import schema
from bench.tables.store import Tables

START = "its own start"
TRAINING = ["sampling", "discriminator", "generator"]
"""The phases of a session's seconds, without those of measuring."""
TIMED: list[Condition] = [("maximum_likelihood", "same_seconds"), ("reinforce_loo", lineup.DEFAULT)]


def sentences(tables: Tables) -> list[Answer]:
    """Say which estimators learned, how long as many seconds were, and which conditions reach the goal."""
    head, quality = headline.of(tables), headline.rows(tables)
    return [*gains(quality, head), *seconds(tables), *reached(stats.last(quality), head)]


def gains(quality: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Which contenders end better than they began and than every control; whose gain a control shows too."""
    begun = stats.changes(quality)
    begun = begun[contenders(begun)]
    if begun.empty:
        return
    controls = [c for c in lineup.CONTROLS if c in lineup.ordered(quality)]
    ends = compared({START: begun, **leads(stats.last(quality), controls)}, head)
    shown = compared(leads(stats.gains(quality), controls), head)
    against = START + (" and every control" if controls else "")
    told = [f"{head.way.beyond.capitalize()} {against}: {words.listed(ahead(ends, head)) or 'none'}."]
    if not ends[ends["than"] == START]["better"].all():
        told += proven(ends[ends["than"] == START], f"to end {head.way.beyond}")
    if not shown["better"].all():
        told.append("A gain that a control also shows is no gain.")
    yield Answer("What learned", " ".join([*told, *proven(shown, "to gain more than")]))


def leads(table: pd.DataFrame, controls: list[Condition]) -> dict[str, pd.DataFrame]:
    """Every contender less each control, by the control's name."""
    found = {lineup.label(*c): stats.paired_differences(table, c) for c in controls}
    return {name: part[contenders(part)] for name, part in found.items()}


def compared(parts: dict[str, pd.DataFrame], head: Headline) -> pd.DataFrame:
    """Comparisons with several others (`than`) as one family, and whether each shows one to be `better`."""
    kept = [part.assign(than=name) for name, part in parts.items() if not part.empty]
    found = pd.concat(kept or [pd.DataFrame(columns=[*stats.COMPARED, *stats.TEST, "than"])])
    found = found.reset_index(drop=True)
    found = found.assign(p_holm=stats.holm(found["p"]))
    right = found["mean"] < 0 if head.way.falls else found["mean"] > 0
    return found.assign(better=(found["p_holm"] < ALPHA) & right)


def ahead(ends: pd.DataFrame, head: Headline) -> list[str]:
    """Those that are better in every comparison, with the least of their leads."""
    found = []
    for condition in lineup.ordered(ends):
        rows = stats.among(ends, [condition])
        if rows["better"].all() and len(rows) == ends["than"].nunique():
            least = next(headline.best_first(rows, head.way).tail(1).itertuples())
            by = words.estimate(least, DIGITS, sign=True)
            found.append(f"{lineup.label(*condition)} ({by} from {least.than})")
    return found


def proven(found: pd.DataFrame, what: str) -> Iterator[str]:
    """Of whom something is shown, if of all, or of whom it is not, and than what; alike ones together."""
    every = lineup.ordered(found)
    told: dict[tuple[str, str], list[str]] = {}
    for than, rows in found.groupby("than", sort=False):
        unclear = rows[~rows["better"]]
        shown, whom = ("Shown", rows) if unclear.empty else ("Not shown", unclear)
        told.setdefault((shown, those(whom, every)), []).append(str(than))
    for (shown, names), others in told.items():
        yield f"{shown} {what} {words.listed(others)}: {names}."


def those(rows: pd.DataFrame, every: list[Condition]) -> str:
    """Names, the shorter way."""
    mine = lineup.ordered(rows)
    rest = [condition for condition in every if condition not in mine]
    if len(rest) < len(mine) > 1:
        return f"all but {words.listed(lineup.label(*c) for c in rest)}" if rest else "all"
    return words.listed(lineup.label(*c) for c in mine)


def seconds(tables: Tables) -> Iterator[Answer]:
    """What training took under the control that is to take as many seconds, and beside it."""
    spent = stats.last(stats.rows(tables, schema.SECONDS))
    spent = stats.among(spent[spent["parameter"].isin(TRAINING)], TIMED)
    each = spent.groupby(schema.SESSION, observed=True)["value"].sum().reset_index()
    found = stats.mean_interval(each, stats.COMPARED)
    if len(found) == len(TIMED):
        told = estimates(found)
        yield Answer(
            "The same seconds",
            "Updates are counted out beforehand so that training takes as long; measured, a session's "
            f"share of its stack's seconds was {told}.",
        )


def reached(final: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Which conditions are at the goal or beyond it: the whole interval, or the mean alone."""
    if head.goal is None or final.empty:
        return
    found = headline.best_first(stats.mean_interval(final, stats.COMPARED), head.way)
    edge = found["high" if head.way.falls else "low"]
    whole, mean = (v <= head.goal if head.way.falls else v >= head.goal for v in (edge, found["mean"]))
    told = {"The whole interval lies there for": whole, "The mean alone for": mean & ~whole}
    text = " ".join(f"{name} {estimates(found[rows])}." for name, rows in told.items() if rows.any())
    none = f"No condition's mean; the nearest is {estimates(found.head(1))}."
    yield Answer(f"Who reaches a {head.name} of {head.goal:g}", text or none)


def estimates(found: pd.DataFrame) -> str:
    """Each condition with its mean."""
    return words.listed(f"{label(row)} {words.estimate(row, DIGITS)}" for row in found.itertuples())
