"""The answers, in sentences made from the numbers: change a table and the words change.

A difference counts as decided where the paired t-test, after Holm's correction over its family of
comparisons, falls below 5%; everything else is called undecided, never equal.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.report import words
from bench.report.quantities import TOTAL
from bench.report.summary import BASELINES, of_data
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.tables import schema
from bench.tables.store import Tables

ALPHA = 0.05
DIGITS = 3
#: Where these start, the networks are others: their variances are not at the same parameters.
ELSEWHERE = [("gumbel_softmax", "hidden_noise")]


class Answer(NamedTuple):
    """What it is about, and the sentence."""

    about: str
    text: str


def pairs(found: pd.DataFrame) -> list[lineup.Condition]:
    """Estimator and setting of each row."""
    return list(zip(found["estimator"], found["setting"], strict=True))


def label(row: Any) -> str:
    """The name of a row's condition."""
    return lineup.label(row.estimator, row.setting)


def sentences(tables: Tables) -> list[Answer]:
    """Say all that one experiment, task and length can answer, and nothing unmeasured."""
    head, quality = headline.of(tables), headline.rows(tables)
    variances = stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, TOTAL)
    return [
        *lost(tables.trials),
        *best(quality, head),
        *real(tables, head, quality),
        *(answer for baseline in BASELINES for answer in against(quality, head, baseline)),
        *uninformed(quality, head),
        *bias(stats.relative_bias(tables)),
        *variance(stats.start(variances), BASELINES[0]),
    ]


def lost(trials: pd.DataFrame) -> Iterator[Answer]:
    """Sessions that did not end: never passed over in silence."""
    bad = trials[trials["status"] != schema.OK]
    for condition in lineup.ordered(bad):
        mine = [pair == condition for pair in pairs(trials)]
        counts = trials.loc[mine, "status"].value_counts()
        told = [f"{counts[s]} {s}" for s in (schema.DIVERGED, schema.FAILED) if s in counts]
        rest = "Its means are those of the other sessions, and may flatter it."
        yield Answer(
            "Lost sessions",
            f"Of {words.counted(sum(mine), 'session')} of {lineup.label(*condition)}, "
            f"{words.listed(told)}. {rest if schema.OK in counts else 'None is left.'}",
        )


def best(quality: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Which contender ends best, and which others may be as good."""
    final = stats.last(quality)
    found = headline.best_first(stats.mean_interval(final, stats.COMPARED), head.way)
    contends = contenders(found)
    if not contends.any():
        return
    first = next(found[contends].itertuples())
    text = (
        f"{label(first)} ends with the {head.way.top} {head.name}: {words.estimate(first, DIGITS)}"
        f"{of_best(head, final)} after {final['step'].max():,} generator "
        f"updates, from {words.number(beginning(quality, first), DIGITS)} {head.begins} "
        f"(mean and 95% interval of {words.counted(first.n, 'session')})."
    )
    rest = stats.paired_differences(final[contenders(final)], (first.estimator, first.setting))
    yield Answer(head.way.top.capitalize(), f"{text} {may_be_as_good(rest, head)}".rstrip())
    others = found[~contends].itertuples()
    beside = words.listed(f"{label(row)} {words.estimate(row, DIGITS)}" for row in others)
    if beside:
        yield Answer("Beside it, not competing", f"{beside}.")


def real(tables: Tables, head: Headline, quality: pd.DataFrame) -> Iterator[Answer]:
    """What real strings come to, where the best that there can be is not known."""
    if quality.empty or head.best(quality["length"].iloc[0]) is not None:
        return
    for row in of_data(tables, head.metric).itertuples():
        yield Answer(
            "Real strings in the generated ones' place",
            f"A fresh sample of them comes to a {head.name} of {words.estimate(row, DIGITS)}.",
        )


def of_best(head: Headline, table: pd.DataFrame) -> str:
    """What there is to reach, where that is known."""
    best = head.best(table["length"].iloc[0])
    if best is None:
        return ""
    return f" (at best {best:g})" if head.way.falls else f" of {best:g}"


def beginning(quality: pd.DataFrame, row: Any) -> float:
    """Where a row's condition starts."""
    begin = stats.start(quality)
    return stats.among(begin, [(row.estimator, row.setting)])["value"].mean()


def may_be_as_good(rest: pd.DataFrame, head: Headline) -> str:
    """What can be said of the others' distance from the best."""
    if rest.empty:
        return ""
    names = [label(row) for row in rest.itertuples() if not row.p_holm < ALPHA]
    if not names:
        return f"All the others end {head.way.worse}."
    return f"Undecided is whether it is {head.way.beyond} {words.listed(names)}."


def against(quality: pd.DataFrame, head: Headline, baseline: lineup.Condition) -> Iterator[Answer]:
    """Final quality of every other condition, beside a baseline's."""
    found = stats.paired_differences(stats.last(quality), baseline)
    told: dict[str, list[str]] = {word: [] for word in (head.way.better, head.way.worse, "undecided")}
    for row in headline.best_first(found, head.way).itertuples():
        text = f"{label(row)} {words.estimate(row, DIGITS, sign=True)}"
        told[verdict(row, "higher", "lower")].append(text)
    text = " ".join(f"{name.capitalize()}: {words.listed(of)}." for name, of in told.items() if of)
    if text:
        yield Answer(f"Final {head.name} against {lineup.label(*baseline)}", text)


def verdict(row: Any, above: str, below: str) -> str:
    """The word for a tested difference."""
    if not row.p_holm < ALPHA:
        return "undecided"
    return above if row.mean > 0 else below


def uninformed(quality: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Does a reward without information improve the generator too?"""
    found = stats.changes(quality)
    told = {
        head.way.better: "The {} control gains as well, {}: a gain of that size is no evidence "
        "that an estimator learns from the discriminator.",
        head.way.worse: "The {} control does not gain but loses, {}.",
        "undecided": "Whether the {} control gains is undecided: {}.",
    }
    for row in stats.among(found, lineup.UNINFORMED).itertuples():
        name = row.setting.replace("_", "-")
        by = f"{words.estimate(row, DIGITS, sign=True)} from start to end"
        yield Answer("Control", told[verdict(row, "higher", "lower")].format(name, by))


def bias(found: pd.DataFrame, name: Callable[[Any], str] = label) -> Iterator[Answer]:
    """Which estimators' means are measurably off the exact gradient."""
    if found.empty:
        return
    found = found.sort_values("mean", ascending=False, kind="stable")
    clear = found["p_holm"] < ALPHA
    seen = [f"{name(row)} {words.estimate(row, DIGITS)}" for row in found[clear].itertuples()]
    unseen = [f"{name(row)}{at_most(row)}" for row in found[~clear].itertuples()]
    text = f"Measurable, relative to the exact gradient: {words.listed(seen) or 'none'}."
    more = f" Not measurable: {words.listed(unseen)}." if unseen else ""
    yield Answer("Bias", text + more)


def at_most(row: Any) -> str:
    """The most that the interval leaves room for."""
    return f" (at most {words.number(row.high, DIGITS)})" if row.high > 0 else ""


def variance(begin: pd.DataFrame, baseline: lineup.Condition) -> Iterator[Answer]:
    """Variances at the same parameters, as multiples of the baseline's."""
    same = begin[np.array([pair not in ELSEWHERE for pair in pairs(begin)], dtype=bool)]
    found = stats.paired_differences(same, baseline).sort_values("mean")
    ratios = found.assign(**np.exp(found[["mean", "low", "high"]].astype(float)))
    told = [
        f"{label(row)} {words.multiple(row)}{'' if row.p_holm < ALPHA else ' (undecided)'}"
        for row in ratios[contenders(ratios)].itertuples()
    ]
    if told:
        yield Answer(
            "Variance at the same parameters",
            "Before the first update, the gradient's total variance is this multiple of that of "
            f"{lineup.label(*baseline)}: {words.listed(told)}.",
        )


def contenders(found: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which rows are of estimators that compete: no reference, ceiling or control."""
    return np.array([lineup.competes(*pair) for pair in pairs(found)], dtype=bool)
