"""What is compared of each condition: a value for each session, whose mean the condition is judged by."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.report.quantities import TOTAL
from bench.statistics import headline, stats
from bench.statistics.lineup import DEFAULT
from bench.tables import schema
from bench.tables.schema import CONDITION, SESSION
from bench.tables.store import Tables

#: Stands in the place of an estimator for all conditions of a slice taken together.
ALL = "all conditions"


class Quantity(NamedTuple):
    """One thing to compare.

    Attributes:
        name: in the files.
        title: in the page and the terminal.
        digits: shown.
        values: `SESSION` and `value` of a slice, a row for each replicate.
        caption: how to read it.
        ratio: the values are logarithms, so that the difference is that of a ratio.
        counted: the same in each session by construction; where it is, there is nothing to test.
        unit: what a replicate is.
    """

    name: str
    title: str
    digits: int
    values: Callable[[Tables], pd.DataFrame]
    caption: str
    ratio: bool = False
    counted: bool = False
    unit: str = "session"


def quality(tables: Tables) -> pd.DataFrame:
    """The headline at each condition's own last step; J where the reward stands still."""
    climbed = stats.rows(tables, schema.OBJECTIVE)
    return stats.last(headline.rows(tables) if climbed.empty else climbed)


def first_log_variance(tables: Tables) -> pd.DataFrame:
    """Log-variance before the first update."""
    return stats.start(log_variance(tables))


def last_log_variance(tables: Tables) -> pd.DataFrame:
    """Log-variance at each condition's own last step, if there was training."""
    found = stats.last(log_variance(tables))
    return found[found["step"] > 0]


def log_variance(tables: Tables) -> pd.DataFrame:
    """Of all parameters: as it was measured, or the logarithm of the variance."""
    found = stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, TOTAL)
    return log_of(stats.rows(tables, schema.GRADIENT_VARIANCE, "")) if found.empty else found


def relative_bias_squared(tables: Tables) -> pd.DataFrame:
    """Squared bias over the squared exact gradient, R = mean(b) / mean(g), as a value for each session.

    R + (b - R g) / mean(g), whose mean is R and whose spread is R's by the delta method.
    """
    names = schema.GRADIENT_BIAS_SQUARED, schema.GRADIENT_NORM_SQUARED
    bias, norm = (stats.last(stats.rows(tables, name, "")) for name in names)
    both = bias.merge(norm[[*SESSION, "value"]], on=SESSION, suffixes=("", "_norm"))
    means = both.groupby(CONDITION, observed=True)[["value", "value_norm"]].transform("mean")
    ratio = means["value"] / means["value_norm"]
    return both.assign(value=ratio + (both["value"] - ratio * both["value_norm"]) / means["value_norm"])


def seconds(tables: Tables) -> pd.DataFrame:
    """Log-seconds per session: of each stack, and of each condition in the place of a session of `ALL`.

    Sessions that were computed together share one measured time, so a stack is one replicate. It goes by the
    moment at which it was finished.
    """
    ok = tables.trials[tables.trials["status"] == schema.OK]
    stacks = ok.drop_duplicates([*CONDITION, "finished", "seconds"])
    stacks = log_of(stacks.assign(session=stacks["finished"], value=stacks["seconds"]))[[*SESSION, "value"]]
    each = stacks.groupby(CONDITION, observed=True)["value"].mean().reset_index()
    each["session"] = each["estimator"] + " " + each["setting"]
    return pd.concat([stacks, each.assign(estimator=ALL, setting=DEFAULT)])


def log_of(table: pd.DataFrame) -> pd.DataFrame:
    """The logarithms of what is above 0."""
    above = table[table["value"] > 0]
    return above.assign(value=np.log(above["value"]))


def calls(metric: str) -> Callable[[Tables], pd.DataFrame]:
    """Calls of a network until each condition's own last step."""

    def values(tables: Tables) -> pd.DataFrame:
        return stats.last(stats.rows(tables, metric, ""))

    return values


NATURAL = "Natural logarithm of the variance of one gradient estimate per generated sample, all parameters"
COUNT = "Sequences until the last step: settings and code fix them, so that a change needs no test."
QUANTITIES = [
    Quantity(
        "quality",
        "quality at the end",
        3,
        quality,
        "What each experiment judges by, each condition at its own last step.",
    ),
    Quantity(
        "log_variance_start",
        "log-variance, start",
        2,
        first_log_variance,
        f"{NATURAL}, before the first update: at the same parameters in A and B, if prepared alike.",
    ),
    Quantity(
        "log_variance",
        "log-variance, end",
        2,
        last_log_variance,
        f"{NATURAL}, at the last step: each side at the parameters that it trained to.",
    ),
    Quantity(
        "bias_squared",
        "relative bias squared",
        4,
        relative_bias_squared,
        "Squared norm of the bias over that of the exact gradient, at the last step; the noise of the finite "
        "sample is subtracted, so that it may be below 0.",
    ),
    Quantity(
        "seconds",
        "seconds per session",
        3,
        seconds,
        "B over A. Sessions that were computed together share one measured time, so a stack of them is one "
        "replicate; of all conditions together, a condition is. Whatever else the machine did is in them.",
        ratio=True,
        unit="stack",
    ),
    Quantity(
        schema.GENERATOR_CALLS, "generator calls", 0, calls(schema.GENERATOR_CALLS), COUNT, counted=True
    ),
    Quantity(
        schema.DISCRIMINATOR_CALLS,
        "discriminator calls",
        0,
        calls(schema.DISCRIMINATOR_CALLS),
        COUNT,
        counted=True,
    ),
]
NAMED = {quantity.name: quantity for quantity in QUANTITIES}


def measured(a: Tables, b: Tables) -> Iterator[list[pd.DataFrame]]:
    """For each slice that both have the values of A and of B, of the conditions and metrics of both.

    Columns: `SESSION`, quantity, what (the quantity in words), falls (whether less is better), value.
    """
    others = dict(stats.slices(b))
    for key, part in stats.slices(a):
        if key in others:
            yield [values(tables) for tables in in_both(part, others[key])]


def in_both(a: Tables, b: Tables) -> list[Tables]:
    """Two slices less the conditions and metrics that only one of them has; what a measure is, B says."""
    conditions = a.trials[CONDITION].merge(b.trials[CONDITION]).drop_duplicates()
    shared = set(a.metrics["metric"]) & set(b.metrics["metric"])
    said = b.trials.sort_values("finished")["config"].iloc[-1]
    return [
        tables._replace(
            metrics=tables.metrics[tables.metrics["metric"].isin(shared)].merge(conditions, on=CONDITION),
            trials=tables.trials.merge(conditions, on=CONDITION).assign(config=said),
        )
        for tables in (a, b)
    ]


def values(tables: Tables) -> pd.DataFrame:
    """All quantities of one slice."""
    head, parts = headline.of(tables), []
    for quantity in QUANTITIES:
        found = quantity.values(tables)[[*SESSION, "value"]]
        first = quantity.name == "quality"
        what, falls = (f"final {head.name}", head.way.falls) if first else (quantity.title, True)
        parts.append(found.assign(quantity=quantity.name, what=what, falls=falls))
    return pd.concat(part.astype({"session": object}) for part in parts)
