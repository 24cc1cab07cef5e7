"""Generated strings: which are shown, and which of them belong to the data's language.

The tables hold with every string what its task scored it: where that is a goodness, a full score does
not make it one of the language, which then has to be known here; elsewhere 1 says that it parses.
"""

import re

import pandas as pd

from bench.statistics import stats
from bench.tables import schema
from bench.tables.store import Tables

LANGUAGES = {"grammar": re.compile(r"x([-+*/]x)*")}
PAD = "\N{MIDDLE DOT}"  # for a space, which nobody could count


def generated(tables: Tables) -> pd.DataFrame:
    """The strings of the last step, with whether each is `valid`."""
    final = stats.last(stats.rows(tables, schema.STRING))
    rows = zip(final["task"], final["parameter"], final["value"], strict=True)
    return final.assign(valid=[valid(*row) for row in rows])


def valid(task: str, text: str, value: float) -> bool:
    """Whether a string belongs to its task's language."""
    language = LANGUAGES.get(task)
    return bool(language.fullmatch(text)) if language else value == 1


def drawn(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Some strings of one condition, by lot: of every session as many, one more or less; by session."""
    lot = table.sample(frac=1, random_state=0)
    turn = lot.groupby("session", observed=True).cumcount().rename("turn")
    chosen = lot.assign(turn=turn).sort_values("turn", kind="stable").head(count)
    return chosen.sort_values(["session", "turn"], kind="stable").drop(columns="turn")
