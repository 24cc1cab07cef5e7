"""Generated strings, a few of each condition, drawn blindly: what the numbers stand for."""

from typing import NamedTuple

import pandas as pd

from bench.statistics import headline, lineup, stats, texts
from bench.tables import schema
from bench.tables.store import Tables

SHOWN = 6


class Text(NamedTuple):
    """A string, and whether it belongs to the data's language."""

    text: str
    valid: bool


def table(tables: Tables) -> dict[str, list[Text]]:
    """Label -> some strings of the last step, chosen by lot and not by eye; a dot for a space."""
    return by_label(texts.generated(tables))


def ticked(tables: Tables) -> str:
    """What a tick marks, in words."""
    head = headline.of(tables)
    best = texts.full(tables)
    known = head in headline.HEADLINES or best is None
    return "a string of the data's language" if known else f"a string with the best {head.name}, {best:g}"


def forced(tables: Tables) -> dict[str, list[Text]]:
    """Some of what a few conditions write when the end mark is forbidden: none of it is of the language."""
    final = stats.last(stats.rows(tables, schema.FORCED_STRING)).assign(valid=False)
    return by_label(stats.among(final, headline.reported(tables)))


def by_label(final: pd.DataFrame) -> dict[str, list[Text]]:
    """A few strings of each condition."""
    found = {}
    for condition in lineup.ordered(final):
        chosen = texts.drawn(stats.among(final, [condition]), SHOWN)
        shown = zip(chosen["parameter"].str.replace(" ", texts.PAD), chosen["valid"], strict=True)
        found[lineup.label(*condition)] = [Text(*row) for row in shown]
    return found
