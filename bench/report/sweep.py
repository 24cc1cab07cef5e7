"""The answers of an experiment that varies one number, such as a temperature."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.report import answers, learned, words
from bench.report.answers import ALPHA, DIGITS, Answer
from bench.report.quantities import TOTAL
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.statistics.lineup import Condition
from bench.tables import schema
from bench.tables.store import Tables


def is_sweep(tables: Tables) -> bool:
    """True if every contender's setting gives a number to a name, as in lambda=0.1."""
    table = named(tables.trials)
    pairs = zip(table["estimator"], table["setting"], strict=True)
    points = table["point"][[lineup.competes(*pair) for pair in pairs]]
    return bool(len(points) and (points != "").all())


def sentences(tables: Tables) -> list[Answer]:
    """Say, for each contender, which value ends best, where variance and error are least, and who learned."""
    head, ends = headline.of(tables), stats.last(headline.rows(tables))
    variances = stats.last(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, TOTAL))
    bias, errors = stats.relative_bias(tables), stats.relative_errors(tables)
    found = list(answers.lost(tables.trials))
    for line in lines(tables.trials):
        told = least_error(of(errors, line), of(bias, line))
        if headline.trained(tables):
            told += [*quality(of(ends, line), head), *least_variance(of(variances, line))]
            told += biases(of(bias, line))
        found += [Answer(lineup.label(*line), " ".join(told))] if told else []
    return [*found, *gains(headline.rows(tables), head)]


def value(row: Any) -> str:
    """The name of a row's point."""
    return lineup.name_setting(lineup.swept(row.setting)[1])


def named(table: pd.DataFrame) -> pd.DataFrame:
    """The settings without the point of the sweep, which is a column."""
    split = [lineup.swept(setting) for setting in table["setting"]]
    return table.assign(setting=[variant for variant, _ in split], point=[point for _, point in split])


def lines(table: pd.DataFrame) -> list[Condition]:
    """The contenders, whatever the point."""
    return [line for line in lineup.ordered(named(table)) if lineup.competes(*line)]


def of(table: pd.DataFrame, line: Condition) -> pd.DataFrame:
    """Only one line's rows, at all its points."""
    return table.loc[stats.among(named(table), [line]).index]


def gains(quality: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Who learned, at every point; controls without a point stand beside each."""
    table = named(quality)
    alone = table["point"] == ""
    for point in sorted(table["point"][~alone].unique(), key=lineup.number):
        part = table[alone | (table["point"] == point)]
        if not stats.among(part, lineup.CONTROLS).empty:
            for answer in learned.gains(part, head):
                yield Answer(f"{answer.about}, {lineup.name_setting(point)}", answer.text)


def quality(final: pd.DataFrame, head: Headline) -> Iterator[str]:
    """Name the value that ends best, those that may be as good, and the worst."""
    found = headline.best_first(stats.mean_interval(final, stats.COMPARED), head.way)
    if found.empty:
        return
    first = next(found.itertuples())
    yield (
        f"{value(first)} ends with the {head.way.top} {head.name}, "
        f"{words.estimate(first, DIGITS)}{answers.of_best(head, final)}."
    )
    rest = stats.paired_differences(final, (first.estimator, first.setting))
    rest = headline.best_first(rest, head.way)[::-1]
    unclear = [value(row) for row in rest.itertuples() if not row.p_holm < ALPHA]
    if unclear:
        yield f"Undecided is whether it is {head.way.beyond} {words.listed(unclear)}."
    for row in rest.head(1).itertuples():
        by = words.estimate(row, DIGITS, sign=True)
        yield f"Farthest {head.way.behind} it is {value(row)}, by {by}."


def least_variance(final: pd.DataFrame) -> Iterator[str]:
    """The value with the least gradient variance at the end, at its own parameters."""
    found = stats.mean_interval(final, stats.COMPARED).sort_values("mean")
    for row in found.head(1).itertuples():
        yield (
            f"The gradient's log-variance at the end is lowest for {value(row)}, {words.estimate(row, 2)}."
        )


def biases(bias: pd.DataFrame) -> list[str]:
    """The bias at every value."""
    return [f"Bias: {answer.text}" for answer in answers.bias(bias, value)]


def least_error(errors: pd.DataFrame, bias: pd.DataFrame) -> list[str]:
    """The value with the least squared error of one draw, those that may be as good, and the bias there."""
    error = errors[errors["part"] == "error"]
    found = stats.mean_interval(error, stats.COMPARED).sort_values("mean")
    if found.empty:
        return []
    first = next(found.itertuples())
    rest = stats.paired_differences(error, (first.estimator, first.setting)).sort_values("mean")
    unclear = words.listed(value(row) for row in rest.itertuples() if not row.p_holm < ALPHA)
    text = (
        f"Squared bias and variance together are least for {value(first)}, "
        f"{words.multiple(first)} of the squared gradient{bias_at(first, bias)}."
    )
    return [text, f"Undecided is whether that is below {unclear}."] if unclear else [text]


def bias_at(row: Any, bias: pd.DataFrame) -> str:
    """The relative bias of a row's setting."""
    for there in stats.among(bias, [(row.estimator, row.setting)]).itertuples():
        if there.p_holm < ALPHA:
            return f"; the relative bias there is {words.estimate(there, DIGITS)}"
        return f"; a bias there is not measurable{answers.at_most(there)}"
    return ""
