"""The front page's first table: who may climb a reward best, for every length, kind of reward and budget."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.report import words
from bench.report.answers import ALPHA, DIGITS
from bench.report.choices import NAMED
from bench.report.verdict import Slices
from bench.report.words import UNDECIDED
from bench.statistics import climbs, contests, inference, lineup, stats, tuned
from bench.statistics.climbs import BUDGETS, NULL, UPDATES, Climbs
from bench.statistics.contests import Contest
from bench.tables.store import Tables

CAPTION = (
    "Under a reward that stands still, each estimator at its own best rate and knob, which the tuning "
    "sessions choose. They also name the leader, the first in each list; the others in it, the nearest "
    "first, are not shown to have a lower mean J in the reported sessions: paired one-sided permutation "
    f"tests, Holm's correction over all contenders of the row, {ALPHA:.0%}; differences below "
    f"{climbs.RESOLUTION:g} count as none. d79 is a discriminator trained for 79 batches against the "
    "pre-trained LSTM and then held, goodness the fraction of windows of three in which x and operators "
    "alternate. A black box gives values of whole sequences alone; a differentiable "
    f"reward gives derivatives and values of prefixes too. J of the leader, with its {stats.LEVEL:.0%} "
    "interval, is at the budget: what leave-one-out REINFORCE spends in all its updates. Beside it J of "
    "the exact gradient and of leave-one-out REINFORCE under a null reward after all updates, the ceiling "
    "and the floor. Detectable: the difference in J from the leader that so many sessions find in "
    f"{inference.POWER:.0%} of studies, the median over the others, and the most. Estimators that learn "
    "from real sequences take no part."
)


class Answer(NamedTuple):
    """A row: who may be best where, and what there is to reach."""

    length: int
    generator: str
    kind: str
    budget: str
    best: str
    objective: str
    exact: str
    null: str
    detectable: str
    section: str


HEADINGS = {
    "length": "length",
    "generator": "generator, reward",
    "kind": "which is",
    "budget": "equal",
    "best": "may be best",
    "objective": "J of the leader",
    "exact": "exact",
    "null": "null",
    "detectable": "detectable",
    "section": "shown in",
}


def answers(slices: Slices) -> list[Answer]:
    """All rows, by length."""
    found = [row for key, (section, part) in of(slices) for row in rows(key, section, part)]
    return sorted(found, key=lambda answer: answer.length)


def of(slices: Slices) -> Iterator[tuple[tuple[int, str], tuple[str, Tables]]]:
    """The slices that are climbs: length and generator, section and tables."""
    for (_, task, _, length), (section, tables) in slices.items():
        if climbs.are(tables):
            yield (length, words.generator(task)), (section, tables)


def rows(key: tuple[int, str], section: str, tables: Tables) -> Iterator[Answer]:
    """The rows of a slice: of the reward that everyone climbs."""
    found = climbs.read(tables)
    reward = found.main
    told = tuned.best(found, UPDATES)
    exact, null = (level(told, reward, *who) for who in (("exact", ""), (climbs.YARDSTICK, NULL)))
    for kind in (contests.BLACK_BOX, contests.DIFFERENTIABLE):
        names = contests.contenders(tables, kind)
        for budget, equal in BUDGETS.items():
            contest = contests.contest(found, budget, names, reward)
            if contest:
                best, objective = listed(contest), words.estimate(contest.leader, DIGITS)
                room = detectable(contest)
                where = f"{key[1]}, {reward}"
                yield Answer(key[0], where, kind, equal, best, objective, exact, null, room, section)


def level(told: pd.DataFrame, reward: str, bare: str, variant: str) -> str:
    """J of a row of the choices in words, or nothing."""
    mine = (told["reward"] == reward) & (told["bare"] == bare) & (told["variant"] == variant)
    return next((words.number(value, DIGITS) for value in told.loc[mine, "mean"]), words.NOTHING)


def listed(contest: Contest) -> str:
    """Those that may be best, the nearest first, and how many more there are, of how many."""
    names = [lineup.label(bare) for bare in contest.may_be_best()]
    more = len(names) - NAMED
    named = words.listed([*names[:NAMED], *([f"and {words.counted(more, 'other')}"] if more > 0 else [])])
    return f"{named} ({len(names)} of {len(contest.others) + 1})"


def detectable(contest: Contest) -> str:
    """The difference that could have been seen."""
    median, most = (words.number(value, DIGITS) for value in contest.detectable)
    return f"{median} (median; at most {most})" if np.isfinite(contest.detectable[0]) else words.NOTHING


def planned(slices: Slices) -> list[str]:
    """The verdicts on the planned pairs, corrected over all of them: a sentence for each pair and slice."""
    parts = [
        pairs(climbs.read(tables)).assign(length=length, generator=name)
        for (length, name), (_, tables) in of(slices)
    ]
    if not parts:
        return []
    every = pd.concat(parts, ignore_index=True)
    every = every.assign(p_holm=stats.holm(every["p"])).sort_values(["length", "generator"], kind="stable")
    groups = every.groupby(["first", "second", "length", "generator"], sort=False)
    order = {pair: place for place, pair in enumerate(contests.PLANNED)}
    ordered = sorted(groups, key=lambda group: order[group[0][:2]])
    return [
        f"{names(first, second)}, length {length}, {generator}: {at_budgets(part, verdict)}."
        for (first, second, length, generator), part in ordered
    ]


def pairs(found: Climbs) -> pd.DataFrame:
    """The planned pairs under the reward that everyone climbs, at every budget."""
    reward = found.main
    parts = [contests.planned(found, budget, reward).assign(budget=budget) for budget in BUDGETS]
    return pd.concat(parts, ignore_index=True)


def names(first: str, second: str) -> str:
    """What is compared."""
    return f"{lineup.label(first)} less {lineup.label(second)}"


def at_budgets(part: pd.DataFrame, said: Callable[[Any], str]) -> str:
    """What is said of the rows of a pair, once where it is the same at several budgets."""
    same: dict[str, list[str]] = {}
    for row in part.itertuples():
        same.setdefault(said(row), []).append(BUDGETS[row.budget])
    return words.listed(f"at equal {' and '.join(of)} {what}" for what, of in same.items())


def verdict(row: Any) -> str:
    """A tested difference in J: which way a session typically differs, and the mean."""
    word = UNDECIDED if not row.p_holm < ALPHA else "above" if row.way > 0 else "below"
    return f"{word}, {difference(row)}"


def difference(row: Any) -> str:
    """A mean difference in J, and how many sessions differ upwards."""
    return f"{words.estimate(row, DIGITS, sign=True)}, upwards in {row.above:.0f} of {row.n:.0f} sessions"
