"""The answers of gradients measured at the same parameters: which is best for a budget, which are biased."""

from collections.abc import Iterator

import pandas as pd

from bench.report import answers, words
from bench.report.answers import ALPHA, DIGITS, Answer, contenders, label
from bench.statistics import lineup, quality, stats
from bench.tables import schema
from bench.tables.store import Tables


def sentences(tables: Tables) -> list[Answer]:
    """Say which estimator to take for each budget, what lies on the front, and what the biases are."""
    return [
        *answers.lost(tables.trials),
        *(answer for budget in quality.BUDGETS for answer in at_budget(tables, budget)),
        *front(tables),
        *biases(quality.biases(tables)),
    ]


def at_budget(tables: Tables, budget: str) -> Iterator[Answer]:
    """The contender with the least error at a budget, and those that may be as good."""
    each = quality.log_errors(tables, budget)
    each = each[contenders(each)]
    found = stats.mean_interval(each, stats.COMPARED).sort_values("mean", kind="stable")
    if found.empty:
        return
    first = next(found.itertuples())
    rest = stats.paired_differences(each, (first.estimator, first.setting)).sort_values("mean")
    unclear = words.listed(label(row) for row in rest.itertuples() if not row.p_holm < ALPHA)
    best = next(quality.exponential(found).itertuples())
    text = (
        f"{label(first)} has the least mean squared error at the {quality.BUDGETS[budget]} of a REINFORCE "
        f"update of 128 samples, {words.multiple(best)} of |g|²{times_better(rest)}."
    )
    more = f" Undecided is whether that is below {unclear}." if unclear else ""
    yield Answer(f"Equal {quality.BUDGETS[budget]}", text + more)


def times_better(rest: pd.DataFrame) -> str:
    """How far behind the plain estimator is."""
    for row in quality.exponential(stats.among(rest, [("reinforce", lineup.DEFAULT)])).itertuples():
        return f"; that of {label(row)} is {words.multiple(row)} times as large"
    return ""


def front(tables: Tables) -> Iterator[Answer]:
    """Which estimators no other beats in both the variance and the seconds of a draw."""
    cost = quality.costs(tables, schema.SECONDS).rename(columns={"mean": "cost"})
    both = quality.variances(tables).merge(cost[[*stats.COMPARED, "cost"]], on=stats.COMPARED)
    found = quality.front(both[contenders(both)])
    if not found.empty:
        told = words.listed(
            f"{label(row)} ({words.number(1000 * row.cost, 3)} ms, variance {words.multiple(row)} of |g|²)"
            for row in found.itertuples()
        )
        yield Answer("Cheapest for its variance", f"On the Pareto front of one draw: {told}.")


def biases(found: pd.DataFrame) -> Iterator[Answer]:
    """Which have a bias that can be shown, and which none."""
    shown = found[contenders(found)].sort_values("mean", kind="stable")
    clear = shown["p_holm"] < ALPHA
    told = words.listed(f"{label(row)} {words.estimate(row, DIGITS)}" for row in shown[clear].itertuples())
    if told:
        yield Answer("Biased", f"Relative bias, mean over checkpoints: {told}.")
    none = words.listed(f"{label(row)}{answers.at_most(row)}" for row in shown[~clear].itertuples())
    if none:
        yield Answer("No bias shown", f"{none}.")
