"""How two results folders came about: what differs in that, and what only one of them has."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from bench.comparison.places import condition, place, where
from bench.report import made
from bench.report.words import NOTHING, counted
from bench.statistics.stats import SLICE
from bench.tables import schema
from bench.tables.schema import CONDITION
from bench.tables.store import Tables

#: Facts that differ between any two runs, or that are told otherwise.
PASSING = ["sessions in all", "seconds in all", "finished", "set"]
#: Facts on which seconds depend as much as on the code.
OF_MACHINES = ["machine", "device", "threads", "sessions stacked"]


class Change(NamedTuple):
    """A fact or a setting that is not the same in both."""

    what: str
    where: str  # the experiments
    a: str
    b: str


def changes(a: Tables, b: Tables) -> list[Change]:
    """Facts and then settings of the conditions in both, equal changes of several experiments in one.

    A session's numbers depend on its settings alone, so whoever compares two configurations wants to see how
    they differ.
    """
    shared = a.trials[CONDITION].merge(b.trials[CONDITION]).drop_duplicates()
    sides = [by_experiment(tables.trials.merge(shared, on=CONDITION)) for tables in (a, b)]
    found: dict[tuple[int, str, str, str], list[str]] = {}
    for experiment in sides[0]:
        for number, describe in enumerate((facts, made.settings)):
            first, second = (describe(side[experiment]) for side in sides)
            for what in dict.fromkeys([*first, *second]):
                one, other = (side.get(what, NOTHING) for side in (first, second))
                if one != other:
                    found.setdefault((number, what, one, other), []).append(experiment)
    return [
        Change(what, "all" if len(names) == len(sides[0]) > 1 else ", ".join(names), one, other)
        for (_, what, one, other), names in sorted(found.items(), key=lambda item: item[0][0])
    ]


def by_experiment(trials: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The trials of each experiment and source."""
    groups = trials.groupby(["experiment", "source"], observed=True)
    return {schema.with_source(*key): part for key, part in groups}


def facts(trials: pd.DataFrame) -> dict[str, str]:
    """Circumstances that two runs may share."""
    return {name: text for name, text in made.facts(trials).items() if name not in PASSING}


def warning(found: list[Change]) -> str:
    """That seconds compare more than the code; empty if they do not."""
    differ = list(dict.fromkeys(change.what for change in found if change.what in OF_MACHINES))
    if not differ:
        return ""
    return f"Seconds compare the circumstances as much as the code: {', '.join(differ)} not the same."


def missing(a: Tables, b: Tables) -> list[tuple[str, list[str]]]:
    """Conditions that one folder alone has: a line for each slice, with the estimators."""
    both = (
        a.trials[CONDITION]
        .drop_duplicates()
        .merge(b.trials[CONDITION].drop_duplicates(), how="outer", indicator="held")
    )
    found = []
    for side, held in (("A", "left_only"), ("B", "right_only")):
        for _, part in both[both["held"] == held].groupby(SLICE, observed=True):
            rows = list(part.itertuples())
            found.append((f"only {side} has {where(rows[0])}", [condition(row) for row in rows]))
    return found


def lost(a: Tables, b: Tables) -> Iterator[str]:
    """Conditions of which not equally many sessions ended well; those that did not are left out elsewhere."""
    counts = [
        tables.trials.assign(bad=tables.trials["status"] != schema.OK)
        .groupby(CONDITION, observed=True)["bad"]
        .agg(["sum", "size"])
        .reset_index()
        for tables in (a, b)
    ]
    both = counts[0].merge(counts[1], on=CONDITION, suffixes=("_a", "_b"))
    for row in both[both["sum_a"] != both["sum_b"]].itertuples():
        bad = f"{row.sum_a} of {row.size_a} sessions lost in A, {row.sum_b} of {row.size_b} in B"
        yield f"{place(row)}: {bad}"


def held(tables: Tables) -> str:
    """What a folder has, in a line."""
    found = []
    for _, part in tables.trials.groupby(SLICE, observed=True):
        count = len(part[CONDITION].drop_duplicates())
        found.append(f"{where(next(part.itertuples()))} ({counted(count, 'condition')})")
    return ", ".join(found)
