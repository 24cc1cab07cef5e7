"""Generated strings, a few of each condition, drawn blindly: what the numbers stand for."""

import re
from typing import NamedTuple

import pandas as pd

from bench import schema, stats, style
from bench.store import Tables

SHOWN = 6
# The data's own language, where it is regular; elsewhere strings are shown without a mark.
LANGUAGES = {"grammar": re.compile(r"x([-+*/]x)*")}


class Text(NamedTuple):
    """A string, and whether it belongs to the data's language."""

    text: str
    valid: bool


def table(tables: Tables) -> dict[str, list[Text]]:
    """Label -> some strings of the last step, chosen by a fixed seed and not by eye."""
    final = stats.last(stats.rows(tables, schema.STRING))
    found = {}
    for condition in style.ordered(final):
        part = final[(final["estimator"] == condition[0]) & (final["setting"] == condition[1])]
        chosen = part.sample(min(SHOWN, len(part)), random_state=0)
        found[style.label(*condition)] = [marked(row) for _, row in chosen.iterrows()]
    return found


def marked(row: pd.Series) -> Text:
    """Look the string up in its task's language."""
    language = LANGUAGES.get(row["task"])
    return Text(row["parameter"], bool(language and language.fullmatch(row["parameter"])))
