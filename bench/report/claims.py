"""The answers to what the likelihood GAN paper says: lengths, letters, losses, how real its names are.

What can be tested is, each time over the sessions and corrected over the conditions; the rest is told with
its interval, of the conditions that stand for all.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bench.report import words
from bench.report.answers import DIGITS, Answer, label, pairs, verdict
from bench.statistics import headline, lineup, stats
from bench.statistics.lineup import Condition
from bench.tables import schema
from bench.tables.store import Tables

END = "."
REPEATED = ("a", "n")  # the letters that the paper sees repeated
PLAYERS = {schema.SURROGATE: "generator's", schema.DISCRIMINATOR_LOSS: "discriminator's"}


def sentences(tables: Tables) -> list[Answer]:
    """Say of the paper's claims whatever was measured; without lengths that vary and names, nothing."""
    found = list(length(tables))
    if headline.of_names(tables):
        shown = headline.reported(tables)
        found += [*real(tables, shown), *told_apart(tables, shown), *letters(tables, shown), *spread(tables)]
    return found


def length(tables: Tables) -> Iterator[Answer]:
    """Are generated strings shorter than real ones?"""
    real = stats.rows(tables, schema.LENGTH + schema.DATA_SUFFIX)
    made = stats.last(stats.rows(tables, schema.LENGTH))
    if made.empty or real["parameter"].nunique() < 2:
        return
    data = stats.mean_lengths(real)
    found = stats.less(stats.mean_lengths(made), data)
    told: dict[str, list[str]] = {word: [] for word in ("shorter", "longer", "undecided")}
    for row in found.sort_values("mean", kind="stable").itertuples():
        text = f"{label(row)} {words.estimate(row, 2, sign=True)}"
        told[verdict(row, "longer", "shorter")].append(text)
    text = " ".join(f"{name.capitalize()}: {words.listed(of)}." for name, of in told.items() if of)
    each = data.groupby("session", observed=True)["value"].mean().reset_index()
    mean = words.estimate(next(stats.mean_interval(each.assign(of="data"), ["of"]).itertuples()), 2)
    yield Answer("Length", f"Characters at the end of training, less the {mean} of real strings. {text}")


def real(tables: Tables, shown: list[Condition]) -> Iterator[Answer]:
    """How many generated names are real ones, known from training or not?"""
    found = [final(tables, name, shown) for name in (schema.REAL_FRACTION, schema.HELD_OUT_FRACTION)]
    told = []
    for condition in shown:
        shares = [percent(row) for part in found for row in stats.among(part, [condition]).itertuples()]
        told += [f"{lineup.label(*condition)} {' and '.join(shares)}"] if len(shares) == len(found) else []
    if told:
        yield Answer(
            "Real names among the generated",
            "Percent that are in the list which training draws from, and percent that are real but held out "
            f"from it: {words.listed(told)}. What is not learnt by heart comes from both in proportion to "
            "their sizes.",
        )


def percent(row: Any) -> str:
    """A fraction with its interval, times a hundred."""
    return words.estimate(row._replace(mean=100 * row.mean, low=100 * row.low, high=100 * row.high), 2)


def final(tables: Tables, metric: str, shown: list[Condition]) -> pd.DataFrame:
    """A metric at the end, of these conditions in their order."""
    found = stats.among(stats.last(stats.rows(tables, metric)), shown)
    means = stats.mean_interval(found, stats.COMPARED)
    return means.assign(place=[shown.index(pair) for pair in pairs(means)]).sort_values("place")


def told_apart(tables: Tables, shown: list[Condition]) -> Iterator[Answer]:
    """How well does the discriminator tell generated names from real ones?"""
    found = final(tables, schema.DISCRIMINATOR_ACCURACY, shown)
    told = words.listed(f"{label(row)} {words.estimate(row, DIGITS)}" for row in found.itertuples())
    if told:
        yield Answer(
            "Told apart",
            "The fraction of names, real and generated, that the discriminator judges rightly at the end, "
            f"where 0.5 is chance: {told}.",
        )


def letters(tables: Tables, shown: list[Condition]) -> Iterator[Answer]:
    """Which letters does a generator repeat when it may not end, and does it so more than real names do?"""
    made = stats.among(stats.last(stats.rows(tables, schema.FORCED_UNIGRAM)), shown)
    data = of_letters(stats.rows(tables, schema.UNIGRAM_DATA))
    means = data.groupby("parameter", observed=True)["value"].mean()
    compared = against(made, data, [letter for letter in REPEATED if letter in means])
    for condition in shown:
        mine = stats.mean_interval(stats.among(made, [condition]), ["parameter"])
        most = mine.sort_values("mean", ascending=False, kind="stable").head(2)
        told = [
            f"{row.parameter} {words.estimate(row, DIGITS)} (real names {means.get(row.parameter, 0.0):.3f})"
            for row in most.itertuples()
        ]
        if told:
            repeated = stats.among(compared, [condition]).itertuples()
            yield Answer(
                f"Written without an end, {lineup.label(*condition)}",
                f"Most frequent: {words.listed(told)}.{more_than_real(repeated)}",
            )


def of_letters(table: pd.DataFrame) -> pd.DataFrame:
    """Each session's frequencies among the letters alone, without the end."""
    found = table[table["parameter"] != END]
    total = found.groupby(schema.SESSION, observed=True)["value"].transform("sum")
    return found.assign(value=found["value"] / total)


def against(made: pd.DataFrame, data: pd.DataFrame, chosen: list[str]) -> pd.DataFrame:
    """Frequencies of letters less the data's, corrected over all the comparisons made here."""
    parts = [
        stats.less(*(table[table["parameter"] == letter] for table in (made, data))).assign(letter=letter)
        for letter in chosen
    ]
    found = pd.concat(parts or [pd.DataFrame(columns=[*stats.COMPARED, *stats.TEST])], ignore_index=True)
    return found.assign(p_holm=stats.holm(found["p"]))


def more_than_real(rows: Iterator[Any]) -> str:
    """What is known of the letters that the paper names."""
    told = [
        f"{row.letter} {words.estimate(row, DIGITS, sign=True)}, {verdict(row, 'more', 'less')}"
        for row in rows
    ]
    return f" Against real names of any length: {words.listed(told)}." if told else ""


def spread(tables: Tables) -> Iterator[Answer]:
    """Do the losses of the paper's condition vary little between sessions?"""
    told = []
    for metric, name in PLAYERS.items():
        table = stats.among(stats.rows(tables, metric), [headline.PAPER])
        loss = table.assign(value=-table["value"]) if metric == schema.SURROGATE else table
        told += [losses(row, name) for row in stats.spread(loss).itertuples() if np.isfinite(row.mean)]
    if told:
        yield Answer(f"Losses between sessions, {lineup.label(*headline.PAPER)}", " ".join(told))


def losses(row: Any, name: str) -> str:
    """One player's."""
    begin, end, deviation = (words.number(v, DIGITS) for v in (row.begin, row.end, row.deviation))
    return (
        f"The {name} loss goes from {begin} to {end} nats (means); its standard deviation over "
        f"{words.counted(row.n, 'session')} at the end is {deviation}, {words.estimate(row, DIGITS)} of that "
        "change."
    )
