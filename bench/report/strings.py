"""Generated strings, a few of each condition, drawn blindly: what the numbers stand for."""

from typing import NamedTuple

from bench import stats, style, texts
from bench.store import Tables

SHOWN = 6


class Text(NamedTuple):
    """A string, and whether it belongs to the data's language."""

    text: str
    valid: bool


def table(tables: Tables) -> dict[str, list[Text]]:
    """Label -> some strings of the last step, chosen by lot and not by eye; a dot for a space."""
    final = texts.generated(tables)
    found = {}
    for condition in style.ordered(final):
        chosen = texts.drawn(stats.among(final, [condition]), SHOWN)
        shown = zip(chosen["parameter"].str.replace(" ", texts.PAD), chosen["valid"], strict=True)
        found[style.label(*condition)] = [Text(*row) for row in shown]
    return found
