"""The table of a slice of `frozen`: what each estimator climbs to at its best rate, where it is stable."""

from typing import Any

import numpy as np
import pandas as pd

from bench.report import words
from bench.report.answers import DIGITS
from bench.report.summary import Table
from bench.statistics import climbs, lineup, tuned
from bench.statistics.climbs import BUDGETS, NULL, UPDATES, Climbs
from bench.tables import schema
from bench.tables.store import Tables

OTHERS = [schema.DISCRIMINATOR_CALLS, schema.SECONDS]
"""Budgets beside equal updates."""
CAPTION = (
    "J = E[f(s)] of the generator, mean and 95% interval (BCa bootstrap) over the reported sessions, at "
    "the rate and knob with the highest mean J in the tuning sessions; by reward, then by J. A rate "
    "marked lowest or highest is at the end of those tried, and a better one may lie beyond. Stable: the "
    f"rates around the best at which at most {tuned.COLLAPSED:.0%} of the reported sessions end below "
    "their own start, and the highest over the lowest; a sign ≥ says that all rates tried are stable. "
    "Where the best rate is not stable, it is the longest stretch of rates that are. "
    "Equal discriminator calls and seconds: J when an estimator has spent what leave-one-out REINFORCE "
    "spends in all its updates, at the rate and knob that are best for that; J is interpolated between "
    "the updates after which it was measured, and an estimator that has not spent it by its last update "
    "counts at its end. The exact gradient looks the discriminator's values up, which its seconds leave "
    "out, and on a chain it asks for no calls. A session that diverged counts at the J it started from, "
    "and as below its start."
)


STABLE = [f"stable_{column}" for column in tuned.ENTRY]
CHOICE = ["estimator", "rate", "mean", "low", "high"]


def table(tables: Tables) -> Table:
    """A row for each reward, optimiser and estimator; exact gradient and null reward among them."""
    found = climbs.read(tables)
    numbers = ordered(numbered(found), found.main)
    shown = pd.DataFrame([cells(row) for row in numbers.itertuples()], columns=headings(), dtype=object)
    return Table(numbers, shown, f"After {found.steps.max():g} updates. {CAPTION}")


def headings() -> list[str]:
    """What stands above the columns of words."""
    equal = [f"J, equal {BUDGETS[budget]}" for budget in OTHERS]
    return ["reward", "estimator", "J", "best rate", "stable rates", *equal, "sessions"]


def numbered(found: Climbs) -> pd.DataFrame:
    """All numbers of the table."""
    told = tuned.best(found, UPDATES)
    told = told.merge(tuned.stable(found).add_prefix("stable_"), left_on=tuned.ENTRY, right_on=STABLE)
    for budget in OTHERS:
        other = tuned.best(found, budget)[[*tuned.ENTRY, *CHOICE]]
        renamed = other.rename(columns={name: f"{budget}_{name}" for name in CHOICE})
        told = told.merge(renamed, on=tuned.ENTRY, how="left")
    names = [name(row.bare, row.variant) for row in told.itertuples()]
    return told.drop(columns=[*STABLE, "grid", "tuned"]).assign(label=names)


def ordered(told: pd.DataFrame, main: str) -> pd.DataFrame:
    """The main reward first, optimisers apart and the null reward among the estimators, by J."""
    keys = told.assign(other=told["reward"] != main, variant=told["variant"].replace(NULL, ""))
    keys = keys.sort_values(["other", "reward", "variant", "mean"], ascending=[True, True, True, False])
    return told.loc[keys.index].reset_index(drop=True)


def name(bare: str, variant: str = "") -> str:
    """An estimator in its row, by its optimiser if that is not everybody's."""
    if variant == NULL:
        return lineup.label(bare, NULL)
    return lineup.label(bare) + (f", {lineup.name_setting(variant)}" if variant else "")


def cells(row: Any) -> list[object]:
    """A row in words."""
    equal = [at_budget(row, budget) for budget in OTHERS]
    lost = f"{int(row.n)} ({int(row.lost)} lost)" if row.lost else int(row.n)
    own = [row.reward, row.label, words.estimate(row, DIGITS), chosen(row), stable(row)]
    return [*own, *equal, lost]


def at_budget(row: Any, budget: str) -> str:
    """J at a budget beside equal updates."""
    value, low, high = (getattr(row, f"{budget}_{part}") for part in ("mean", "low", "high"))
    return words.between(value, low, high, DIGITS)


def chosen(row: Any) -> str:
    """The rate and knob, and whether the rate is at an end of those tried."""
    knob = lineup.own(row.estimator)
    edge = f" ({row.edge})" if row.edge else ""
    return f"{row.rate:g}{edge}" + (f", {lineup.in_words(knob)}" if knob else "")


def stable(row: Any) -> str:
    """The range of stable rates, and its factor."""
    if not np.isfinite(row.stable_factor):
        return "none"
    off = "" if row.stable_low <= row.rate <= row.stable_high else "; not the best"
    if row.stable_low == row.stable_high:
        return f"{row.stable_low:g} alone{off}"
    least = "≥ " if row.stable_whole else ""
    return f"{row.stable_low:g} to {row.stable_high:g} ({least}{row.stable_factor:.3g} times{off})"
