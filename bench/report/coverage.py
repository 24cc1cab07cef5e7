"""The answers of an experiment whose data hold some of the sequences only: which way the gradient points."""

from collections.abc import Iterator

import pandas as pd

from bench.report import answers, words
from bench.report.answers import DIGITS, Answer, verdict
from bench.statistics import lineup, stats
from bench.tables import schema
from bench.tables.store import Tables


def is_coverage(tables: Tables) -> bool:
    """True if it was measured how much of the generator's mass the data cover."""
    return not stats.rows(tables, schema.COVERED_MASS).empty


def sentences(tables: Tables) -> list[Answer]:
    """Say, for each estimator, which way its gradient points at the least and at the fullest coverage."""
    return [*answers.lost(tables.trials), *cosines(tables), *biases(tables)]


def cosines(tables: Tables) -> Iterator[Answer]:
    """The cosine at both ends, and whether it grows between them."""
    cosine = lineup.points(stats.rows(tables, schema.GRADIENT_COSINE), "covered")
    mass = lineup.points(stats.rows(tables, schema.COVERED_MASS), "covered")
    ends = [at_end(table, end) for table in (cosine, mass) for end in ("min", "max")]
    grown = stats.less(ends[1], ends[0])
    means = [stats.mean_interval(table, stats.COMPARED) for table in ends]
    for condition in lineup.ordered(grown):
        least, full, below, above, row = (
            next(stats.among(table, [condition]).itertuples()) for table in (*means, grown)
        )
        yield Answer(
            lineup.label(*condition),
            f"Cosine with the exact gradient {words.estimate(least, DIGITS)} where the data cover "
            f"{words.number(below.mean, DIGITS)} of the generator's mass, {words.estimate(full, DIGITS)} "
            f"where they cover {words.number(above.mean, DIGITS)}: {words.estimate(row, DIGITS, sign=True)}, "
            f"{verdict(row, 'higher', 'lower')}.",
        )


def at_end(table: pd.DataFrame, end: str) -> pd.DataFrame:
    """Only the least or the greatest coverage of each line, whose setting is what is varied."""
    named = table.assign(setting=table["variant"])
    edge = named.groupby(stats.COMPARED, observed=True)["covered"].transform(end)
    return named[named["covered"] == edge]


def biases(tables: Tables) -> Iterator[Answer]:
    """The relative bias at the fullest coverage, where one without bias has none left."""
    found = lineup.points(stats.relative_bias(tables), "covered")
    for answer in answers.bias(at_end(found, "max")):
        yield Answer(f"{answer.about} at the fullest coverage", answer.text)
