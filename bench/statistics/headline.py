"""The quality that a slice is judged by: tasks differ in what can be said of their strings.

Sentences, tables and figures ask here what to order by, what to call it and which way is up. Of a measure
that a task or an experiment brings, the trials say it (`schema.MEASURES`); those that several have are in
`HEADLINES`.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from bench.statistics import lineup, quality, stats
from bench.statistics.lineup import DEFAULT, Condition
from bench.tables import schema
from bench.tables.store import Tables


class Direction(NamedTuple):
    """Which way is better, in words."""

    top: str
    better: str
    worse: str
    beyond: str
    behind: str
    end: str
    falls: bool


UP = Direction("highest", "higher", "lower", "above", "below", "maximum", falls=False)
DOWN = Direction("lowest", "lower", "higher", "below", "above", "minimum", falls=True)


class Headline(NamedTuple):
    """A measure of quality.

    Attributes:
        metric: as the tables call it.
        name: in sentences.
        axis: on an axis.
        best: the best value at a length; None where it is not known beforehand.
        begins: when its first value was measured, in words.
        way: the direction that is better.
        goal: a value of which it is told who reaches it.
        only: a further metric without which it is no headline.
    """

    metric: str
    name: str
    axis: str
    best: Callable[[int], float | None]
    begins: str = "before the first update"
    way: Direction = UP
    goal: float | None = None
    only: str = ""


def best_goodness(length: int) -> int:
    """The most windows of three that a string of this length can have right."""
    return length - 2


def always(best: float | None, _: int) -> float | None:
    """The same at every length."""
    return best


def unknown(_: int) -> None:
    """Nothing: even real strings are some distance from other real ones."""


#: Of several that a slice has, the first. Any letters with an end make a valid name, so names need more.
HEADLINES = [
    Headline(schema.GOODNESS, "goodness", "goodness score", best_goodness, "after pre-training"),
    Headline(
        schema.BIGRAM_DISTANCE,
        "bigram distance from real names",
        "bigram distance from real names",
        unknown,
        way=DOWN,
        only=schema.REAL_FRACTION,
    ),
    Headline(
        schema.ORACLE_NLL,
        "oracle NLL",
        "oracle NLL (nats per token)",
        unknown,
        "after pre-training",
        way=DOWN,
    ),
    Headline(
        schema.VALID_FRACTION, "fraction that parses", "fraction that parses", partial(always, 1), goal=0.9
    ),
]
NOTHING = Headline("", "quality", "quality", unknown)


def of(tables: Tables) -> Headline:
    """The headline of a slice; where nothing was judged, one of which it has no rows."""
    measured = {"", *tables.metrics["metric"].unique()}
    return next((h for h in [*declared(tables), *HEADLINES] if {h.metric, h.only} <= measured), NOTHING)


def declared(tables: Tables) -> list[Headline]:
    """The measures that the newest trial's task or experiment brings, the one that counts most first."""
    configs = tables.trials.sort_values("finished")["config"].dropna()
    said = [json.loads(text).get(schema.MEASURES, []) for text in configs.iloc[-1:] if text]
    return [as_said(measure) for measures in said for measure in measures]


def as_said(measure: dict[str, Any]) -> Headline:
    """What a task says of a measure, as a headline."""
    name = measure["words"] or in_words(measure["name"])
    way = DOWN if measure["falls"] else UP
    return Headline(measure["name"], name, name, partial(always, measure["best"]), way=way)


def in_words(metric: str) -> str:
    """A metric that nobody has given another name."""
    return metric.replace("_", " ")


def undeclared(tables: Tables) -> list[str]:
    """The other metrics that are a task's or an experiment's own: nobody says what they are."""
    said = {head.metric for head in declared(tables)}
    plain = tables.metrics.loc[tables.metrics["parameter"] == "", "metric"]
    return sorted(name for name in plain.unique() if schema.is_own(name) and name not in said)


def of_names(tables: Tables) -> bool:
    """Whether a slice's strings are held against a list of real names."""
    return of(tables).only == schema.REAL_FRACTION


def trained(tables: Tables) -> bool:
    """False of a slice where nothing is measured after an update of the estimators' own."""
    return bool(tables.metrics["step"].max() > 0) and not quality.measured(tables)


def rows(tables: Tables) -> pd.DataFrame:
    """The rows of a slice's headline; none without training."""
    found = stats.rows(tables, of(tables).metric)
    return found if trained(tables) else found.iloc[:0]


#: The likelihood GAN with its paper's loss, with the plain one, and what it is to be held against.
PAPER: Condition = ("likelihood", DEFAULT)
REPORTED: list[Condition] = [PAPER, ("likelihood", "eq5"), ("maximum_likelihood", DEFAULT)]


def reported(tables: Tables) -> list[Condition]:
    """The conditions that stand for all of a slice of names: the paper's, the reference, the best other."""
    found = best_first(stats.mean_interval(stats.last(rows(tables)), stats.COMPARED), of(tables).way)
    conditions = list(zip(found["estimator"], found["setting"], strict=True))
    others = [c for c in conditions if c not in REPORTED and lineup.competes(*c)]
    return [*(c for c in REPORTED if c in conditions), *others[:1]]


def gains(table: pd.DataFrame, way: Direction) -> pd.DataFrame:
    """The same values, turned round where less is better: more is better."""
    return table.assign(value=-table["value"]) if way.falls else table


def best_first(found: pd.DataFrame, way: Direction) -> pd.DataFrame:
    """Means in the order of their quality."""
    return found.sort_values("mean", ascending=way.falls, kind="stable")
