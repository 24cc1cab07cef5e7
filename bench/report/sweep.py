"""The answers of an experiment that varies one number of an estimator, such as a temperature."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench import schema, stats, style
from bench.report import answers, words
from bench.report.answers import ALPHA, DIGITS, Answer
from bench.report.summary import TOTAL
from bench.store import Tables


def is_sweep(tables: Tables) -> bool:
    """True if every setting gives a number to a name, as in lambda=0.1."""
    return bool(tables.trials["setting"].astype(str).str.contains("=", regex=False).all())


def sentences(tables: Tables) -> list[Answer]:
    """Say, for each estimator, which value ends highest, and where the variance is least."""
    goodness = stats.rows(tables, schema.GOODNESS)
    variances = stats.last(stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, TOTAL))
    bias = stats.relative_bias(tables)
    found = list(answers.lost(tables.trials))
    for name, _ in style.ordered(tables.trials.assign(setting=style.DEFAULT)):
        told = [*quality(of(goodness, name)), *least_variance(of(variances, name))]
        told += [f"Bias: {answer.text}" for answer in answers.bias(of(bias, name), value)]
        found += [Answer(style.label(name), " ".join(told))] if told else []
    return found


def value(row: Any) -> str:
    """The name of a row's setting."""
    return style.name_setting(row.setting)


def of(table: pd.DataFrame, estimator: str) -> pd.DataFrame:
    """Only one estimator's rows."""
    return table[table["estimator"] == estimator]


def quality(goodness: pd.DataFrame) -> Iterator[str]:
    """Name the value that ends highest, those that may be as high, and the lowest."""
    final = stats.last(goodness)
    found = stats.mean_interval(final, stats.COMPARED).sort_values("mean", ascending=False)
    if found.empty:
        return
    first = next(found.itertuples())
    yield (
        f"{value(first)} ends with the highest goodness, "
        f"{words.estimate(first, DIGITS)} of {stats.best_goodness(final['length'].iloc[0])}."
    )
    rest = stats.paired_differences(final, (first.estimator, first.setting)).sort_values("mean")
    unclear = [value(row) for row in rest.itertuples() if not row.p_holm < ALPHA]
    if unclear:
        yield f"Undecided is whether it is above {words.listed(unclear)}."
    for row in rest.head(1).itertuples():
        by = words.estimate(row, DIGITS, sign=True)
        yield f"Farthest below it is {value(row)}, by {by}."


def least_variance(final: pd.DataFrame) -> Iterator[str]:
    """The value with the least gradient variance at the end, at its own parameters."""
    found = stats.mean_interval(final, stats.COMPARED).sort_values("mean")
    for row in found.head(1).itertuples():
        yield (
            f"The gradient's log-variance at the end is lowest for {value(row)}, {words.estimate(row, 2)}."
        )
