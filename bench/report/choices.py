"""Which estimator to use, for the front page: for every length and budget, from the tables."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.report import words
from bench.report.answers import contenders, label
from bench.report.verdict import Slices
from bench.report.words import UNDECIDED
from bench.statistics import headline, inference, quality, stats, transfer
from bench.tables.store import Tables

NAMED = 6
"""Others named one by one."""


class Choice(NamedTuple):
    """Which estimator to take, for a length and a budget, and which others may be as good."""

    length: int
    generator: str
    budget: str
    best: str
    evidence: str
    equal: str
    section: str


def choices(slices: Slices) -> list[Choice]:
    """Choose by the error of the gradient at equal budgets, and by what training ends with."""
    found: list[Choice] = []
    for (experiment, task, _, length), (section, tables) in slices.items():
        of = length, words.generator(task)
        if quality.measured(tables):
            found += [c for budget in quality.BUDGETS for c in by_error(*of, budget, section, tables)]
        elif experiment == transfer.TRAINED:
            found += by_training(*of, section, tables)
    return sorted(found, key=lambda choice: choice.length)


def by_error(length: int, generator: str, budget: str, section: str, tables: Tables) -> Iterator[Choice]:
    """The least error of the gradient at a budget."""
    each, name = quality.log_errors(tables, budget), f"gradient, equal {quality.BUDGETS[budget]}"
    each = each[contenders(each)]
    for row, best, equal in leader(each, falls=True):
        value = words.multiple(next(quality.exponential(pd.DataFrame([row])).itertuples()))
        evidence = f"mean squared error {value} of |g|²"
        yield Choice(length, generator, name, best, evidence, equal, section)


def by_training(length: int, generator: str, section: str, tables: Tables) -> Iterator[Choice]:
    """The best end of training at equal updates."""
    head, final = headline.of(tables), stats.last(headline.rows(tables))
    for row, best, equal in leader(final[contenders(final)], falls=head.way.falls):
        evidence = f"{head.name} {words.estimate(row, 2)}"
        yield Choice(length, generator, "training, equal updates", best, evidence, equal, section)


def leader(each: pd.DataFrame, falls: bool) -> Iterator[tuple[Any, str, str]]:
    """The best of some conditions, what to take, and those of which it is undecided if they are as good.

    Where that is most of them, there is nothing to take.
    """
    found = stats.mean_interval(each, stats.COMPARED).sort_values("mean", ascending=falls, kind="stable")
    for row in found.head(1).itertuples(index=False):
        rest = stats.paired_differences(each, (row.estimator, row.setting))
        unclear = inference.undecided(rest).sort_values("mean", ascending=falls, kind="stable")
        ahead = label(row) if len(unclear) <= len(rest) / 2 else f"{UNDECIDED}; ahead is {label(row)}"
        yield row, ahead, others(unclear)


def others(unclear: pd.DataFrame) -> str:
    """Those that may be as good, the nearest first, and how many more there are."""
    told = [f"{label(row)} ({words.needed(row.sessions_needed)})" for row in unclear.head(NAMED).itertuples()]
    more = len(unclear) - len(told)
    return words.listed([*told, *([f"and {words.counted(more, 'other')}"] if more else [])])


def transfers(tables: Tables) -> list[str]:
    """Does a better gradient train better? A sentence for each length."""
    told = []
    for row in transfer.summary(tables).itertuples():
        decided = np.isfinite(row.low) and (row.low > 0 or row.high < 0)
        verdict = ("yes" if row.mean > 0 else "no, worse") if decided else UNDECIDED
        told.append(
            f"Length {row.length}: {verdict}; rank correlation {words.estimate(row, 2)} over the estimators, "
            f"within {words.counted(row.n, 'session')}."
        )
    return told
