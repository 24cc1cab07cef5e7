"""What became of the papers' claims, for the front page: all from the tables.

A claim holds or is refuted where a test decides it, corrected over the comparisons that the claim makes; one
that the data cannot decide is called undecided, and one that no table bears on is not mentioned.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.report import pretraining, words
from bench.report.answers import ALPHA, label
from bench.report.quantities import TOTAL
from bench.report.words import HOLDS, REFUTED, UNDECIDED
from bench.statistics import headline, lineup, stats
from bench.statistics.lineup import DEFAULT, Condition
from bench.tables import schema
from bench.tables.store import Tables

REGAN, GUMBEL, LIKELIHOOD = "REGAN", "Gumbel-softmax GAN", "likelihood GAN"
RELAX = [("relax_sequence", DEFAULT), ("relax", DEFAULT)]
RIVALS: list[Condition] = [("reinforce", DEFAULT), ("rebar_sequence", DEFAULT), ("rebar", DEFAULT)]
CLOSE = 0.05
"""Frequencies of a token that differ by less are called the same."""
COVERED = 0.9
"""A generator that covers this much of what a fresh sample of the data covers has not collapsed."""

FRACTION = 0.1
"""A standard deviation below this fraction of the loss's own change is called little."""

Slices = dict[tuple[str, str, str, int], tuple[str, Tables]]
"""(experiment, task, source, length) -> the section's id, and its tables."""


class Finding(NamedTuple):
    """What became of a claim, the numbers that decide it, and where they are shown."""

    paper: str
    claim: str
    verdict: str
    evidence: str
    section: str


def findings(slices: Slices) -> list[Finding]:
    """Go through the claims of the papers."""
    found: list[Finding] = []
    for (experiment, *_, length), (section, tables) in slices.items():
        if experiment == "grammar":
            found += regan(length, section, tables)
        if experiment == "pretraining":
            found += needed(length, section, tables)
        if experiment == "cfg":
            found += gumbel(section, tables)
        if experiment == "names":
            found += likelihood(section, tables)
    return found


def regan(length: int, section: str, tables: Tables) -> Iterator[Finding]:
    """What REGAN says of its grammar: RELAX at length 3, nothing clear at 15, no collapse."""
    head, goals = headline.of(tables), headline.rows(tables)
    variance = stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, TOTAL)
    of_training = variance[variance["step"] > 0]
    for relax in RELAX:
        name = lineup.label(*relax)
        if length == 3:
            told = ranked(over_steps(of_training), relax, lower=True)
            yield from claim(told, REGAN, f"{name} has the lowest variance at length 3", section, LOG)
            told = ranked(over_steps(goals), relax, lower=False)
            yield from claim(told, REGAN, f"{name} learns fastest at length 3", section, f"mean {head.name}")
    if length > 3:
        yield from inconclusive(stats.last(goals), length, section, head.name)
    yield from unigrams(tables, length, section)
    yield from collapse(tables, length, section)


LOG = "mean log-variance over training"


def over_steps(table: pd.DataFrame) -> pd.DataFrame:
    """The mean over training of every session."""
    return table.groupby(schema.SESSION, observed=True)["value"].mean().reset_index()


def ranked(table: pd.DataFrame, first: Condition, lower: bool) -> pd.DataFrame:
    """The paper's other estimators less one of them; `better` says which way each comparison went."""
    found = stats.paired_differences(stats.among(table, [first, *RIVALS]), first)
    sign = np.sign(found["mean"]) * (1 if lower else -1)
    return found.assign(better=np.where(found["p_holm"] < ALPHA, sign, 0))


def claim(told: pd.DataFrame, paper: str, text: str, section: str, of: str) -> Iterator[Finding]:
    """Holds if it is better than every other, is refuted if worse than any."""
    if told.empty:
        return
    each = words.listed(f"{label(row)} {words.estimate(row, 2, sign=True)}" for row in told.itertuples())
    yield Finding(paper, text, together(told["better"]), f"{of}, others less this one: {each}", section)


def together(better: pd.Series) -> str:
    """It takes all comparisons to hold, and one that went the other way to refute."""
    return HOLDS if (better > 0).all() else REFUTED if (better < 0).any() else UNDECIDED


def inconclusive(final: pd.DataFrame, length: int, section: str, name: str) -> Iterator[Finding]:
    """Whether any two of the paper's estimators end apart."""
    mine = [*RIVALS, *RELAX]
    shown = stats.among(final, mine)
    parts = [stats.paired_differences(shown, c).assign(other=lineup.label(*c)) for c in mine]
    told = pd.concat([p for p in parts if not p.empty] or [pd.DataFrame()])
    if told.empty:
        return
    upper = told[told["mean"] > 0]
    clear = upper[stats.holm(upper["p"].reset_index(drop=True)).to_numpy() < ALPHA]
    each = words.listed(
        f"{label(row)} above {row.other} by {words.estimate(row, 2)}" for row in clear.head(3).itertuples()
    )
    text = f"final {name}, {len(clear)} of {len(upper)} pairs apart"
    yield Finding(
        REGAN,
        f"which estimator is best at length {length} is inconclusive",
        REFUTED if len(clear) else UNDECIDED,
        f"{text}: {each}" if each else text,
        section,
    )


def unigrams(tables: Tables, length: int, section: str) -> Iterator[Finding]:
    """Whether the frequency of x matches the data's, within `CLOSE`."""
    made = stats.last(stats.rows(tables, schema.UNIGRAM, "x"))
    data = stats.rows(tables, schema.UNIGRAM_DATA, "x")
    told = stats.less(stats.among(made, [*RIVALS, *RELAX]), data)
    inside = (told["low"] > -CLOSE) & (told["high"] < CLOSE)
    outside = (told["low"] > CLOSE) | (told["high"] < -CLOSE)
    yield from equivalence(told, inside, outside, f"unigrams match the data's at length {length}", section)


def collapse(tables: Tables, length: int, section: str) -> Iterator[Finding]:
    """Whether as many of the data's strings are generated as a fresh sample of the data has."""
    made = stats.last(stats.rows(tables, schema.MODE_COVERAGE))
    data = stats.rows(tables, schema.MODE_COVERAGE + schema.DATA_SUFFIX)
    both = stats.among(made, [*RIVALS, *RELAX]).merge(data, on=schema.SESSION, suffixes=("", "_data"))
    told = stats.mean_interval(both.assign(value=both["value"] / both["value_data"]), stats.COMPARED)
    text = f"no mode collapse at length {length}"
    yield from equivalence(told, told["low"] > COVERED, told["high"] < COVERED, text, section)


def equivalence(
    told: pd.DataFrame, inside: pd.Series, outside: pd.Series, text: str, section: str
) -> Iterator[Finding]:
    """Holds if every interval lies inside the margin, is refuted if any lies outside."""
    if told.empty:
        return
    verdict = HOLDS if inside.all() else REFUTED if outside.any() else UNDECIDED
    each = words.listed(f"{label(row)} {words.estimate(row, 3)}" for row in told.itertuples())
    yield Finding(REGAN, text, verdict, each, section)


def needed(length: int, section: str, tables: Tables) -> Iterator[Finding]:
    """Whether nothing learns without pre-training."""
    told = pretraining.decided(tables)
    if told:
        yield Finding(REGAN, f"pre-training is essential at length {length}", *told, section)


def gumbel(section: str, tables: Tables) -> Iterator[Finding]:
    """Training converges: the variants end above their own start."""
    table = headline.rows(tables)
    told = stats.changes(stats.among(table, lineup.variants(table)))
    told = told.assign(better=np.where(told["p_holm"] < ALPHA, np.sign(told["mean"]), 0))
    if told.empty:
        return
    verdict = together(told["better"])
    each = words.listed(f"{label(row)} {words.estimate(row, 3, sign=True)}" for row in told.itertuples())
    yield Finding(
        GUMBEL,
        "training learns the grammar",
        verdict,
        f"{headline.of(tables).name}, end less start: {each}",
        section,
    )


def likelihood(section: str, tables: Tables) -> Iterator[Finding]:
    """Little variance between sessions, and shorter names."""
    made, real = (
        stats.mean_lengths(stats.rows(tables, name))
        for name in (schema.LENGTH, schema.LENGTH + schema.DATA_SUFFIX)
    )
    told = stats.less(stats.among(stats.last(made), [headline.PAPER]), real)
    for row in told.itertuples():
        verdict = UNDECIDED if not row.p_holm < ALPHA else HOLDS if row.mean < 0 else REFUTED
        evidence = f"mean length less that of real names {words.estimate(row, 2, sign=True)}"
        yield Finding(LIKELIHOOD, "generated names are shorter than real ones", verdict, evidence, section)
    loss = stats.spread(stats.among(stats.rows(tables, schema.SURROGATE), [headline.PAPER]))
    for row in loss[np.isfinite(loss["mean"])].itertuples():
        verdict = HOLDS if row.high < FRACTION else REFUTED if row.low > FRACTION else UNDECIDED
        evidence = f"the generator loss's standard deviation is {words.estimate(row, 3)} of its change"
        yield Finding(LIKELIHOOD, "losses vary little between sessions", verdict, evidence, section)
