"""The answers of an experiment that varies the size of the problem: as what power its costs grow."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.report import answers, words
from bench.report.answers import Answer
from bench.report.quantities import TOTAL
from bench.statistics import exponents, lineup, stats
from bench.tables import schema
from bench.tables.store import Tables

#: What is varied -> its letter, and its name.
AXES = {"T": ("T", "length"), "V": ("V", "vocabulary"), "sessions": ("n", "number of sessions at once")}
GENERATOR, DISCRIMINATOR, VARIANCE = "generator", "discriminator", "variance"
SECONDS, MEMORY = schema.UPDATE_SECONDS, schema.PEAK_MEMORY


def is_scaling(tables: Tables) -> bool:
    """True if single updates were timed."""
    return not stats.rows(tables, SECONDS).empty


def sentences(tables: Tables) -> list[Answer]:
    """Say how seconds, memory and variance grow along each axis, and what is left of the bottlenecks."""
    grown = (answer for axis in AXES for answer in growth(tables, axis))
    return [*answers.lost(tables.trials), *grown, *bottlenecks(tables), *memory(tables)]


def growth(tables: Tables, axis: str) -> Iterator[Answer]:
    """The exponents along an axis."""
    letter, name = AXES[axis]
    told = [f"{what}: {text}." for what, text in powers(tables, axis) if text]
    if told:
        yield Answer(
            f"Against the {name}, {letter}", " ".join(["A session's share grows as follows.", *told])
        )


def powers(tables: Tables, axis: str) -> Iterator[tuple[str, str]]:
    """What grows, and as which powers of the axis's number."""
    seconds = {part: exponents.logarithms(tables, SECONDS, part) for part in (GENERATOR, VARIANCE)}
    yield (
        "Seconds of a generator update, back-propagation through time and all",
        laws(seconds[GENERATOR], axis),
    )
    yield "Seconds of measuring the gradient's variance", laws(seconds[VARIANCE], axis)
    others = exponents.shared(exponents.logarithms(tables, SECONDS, DISCRIMINATOR))
    yield "Seconds of a discriminator update", laws(others, axis)
    yield "Peak memory of a generator update", laws(exponents.logarithms(tables, MEMORY, GENERATOR), axis)
    if axis in "TV":
        variance = exponents.logarithms(tables, schema.GRADIENT_LOG_VARIANCE, TOTAL)
        yield "The variance itself", laws(variance, axis, upper=1.0)


def laws(table: pd.DataFrame, axis: str, upper: float = exponents.UPPER) -> str:
    """Every estimator's power law along an axis."""
    found = exponents.exponents(table[table["axis"] == axis], upper)
    letter = AXES[axis][0]
    return words.listed(
        f"{named(row.estimator)}{letter}^{words.estimate(row, 2)} ({row.first:,} to {row.last:,})"
        for row in in_order(found).itertuples()
    )


def in_order(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of estimators in the order of every legend."""
    names = [name for name, _ in lineup.ordered(found.assign(setting=lineup.DEFAULT))]
    return found.set_index("estimator").loc[names].reset_index()


def named(estimator: str) -> str:
    """An estimator's label; nothing for what all share."""
    return f"{lineup.label(estimator)} " if estimator else ""


def bottlenecks(tables: Tables) -> Iterator[Answer]:
    """The two that the paper names, at the greatest length of each estimator."""
    update, variance = (last(exponents.logarithms(tables, SECONDS, p), "T") for p in (GENERATOR, VARIANCE))
    both = update.merge(variance, on=[*schema.SESSION, "at"], suffixes=("", "_other"))
    ratio = both.assign(value=both["value_other"] - both["value"])
    rows = zip(*(geometric(table) for table in (update, variance, ratio)), strict=True)
    told = words.listed(
        f"{named(one.estimator)}(T = {one.at:,}) {words.multiple(one)} ms and {words.multiple(other)} ms, "
        f"{words.multiple(times)} times as much"
        for one, other, times in rows
    )
    if told:
        yield Answer(
            "What is left of the bottlenecks",
            "The paper names back-propagation through time and the computation of the gradient's variance. A "
            "session's share of an update, and of measuring the variance of the gradient of all parameters "
            f"from as many sequences: {told}.",
        )


def memory(tables: Tables) -> Iterator[Answer]:
    """What an update holds at the greatest vocabulary of each estimator."""
    found = exponents.logarithms(tables, MEMORY, GENERATOR)
    told = words.listed(f"{named(row.estimator)}{megabytes(row)}" for row in geometric(last(found, "V")))
    others = last(exponents.shared(exponents.logarithms(tables, MEMORY, DISCRIMINATOR)), "V")
    if told:
        beside = words.listed(megabytes(row) for row in geometric(others))
        yield Answer(
            "Memory at the greatest vocabulary",
            f"A session's share of a generator update holds at most: {told}. A discriminator update, which "
            f"samples as many sequences and needs no probabilities but those it draws by: {beside}.",
        )


def last(table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Only the greatest point of each estimator along an axis."""
    found = table[table["axis"] == axis]
    return found[found["at"] == found.groupby("estimator", observed=True)["at"].transform("max")]


def geometric(table: pd.DataFrame) -> Iterator[Any]:
    """Geometric means of each estimator, in the order of every legend."""
    return in_order(exponents.geometric(table)).itertuples()


def megabytes(row: Any) -> str:
    """Memory at a vocabulary."""
    return f"{words.multiple(row)} MB (V = {row.at:,})"
