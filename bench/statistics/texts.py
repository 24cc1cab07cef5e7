"""Generated strings: which are shown, and which of them belong to the data's language.

The tables hold with every string what its task scored it: where that is a goodness, a full score does
not make it one of the language, which then has to be known here; elsewhere 1 says that it parses. By a
measure that is the task's own, `valid` are those of the best score.
"""

import re

import pandas as pd

from bench.statistics import headline, stats
from bench.tables import schema
from bench.tables.store import Tables

LANGUAGES = {"grammar": re.compile(r"x([-+*/]x)*")}
PAD = "\N{MIDDLE DOT}"  # for a space, which nobody could count


def generated(tables: Tables) -> pd.DataFrame:
    """The strings of the last step, with whether each is `valid`."""
    final = stats.last(stats.rows(tables, schema.STRING))
    rows = zip(final["task"], final["parameter"], final["value"], strict=True)
    best = full(tables)
    return final.assign(valid=[valid(*row, best) for row in rows])


def full(tables: Tables) -> float | None:
    """What a valid string scores; None where that is not known."""
    head = headline.of(tables)
    return 1 if head in headline.HEADLINES else head.best(tables.trials["length"].iloc[0])


def valid(task: str, text: str, value: float, best: float | None) -> bool:
    """Whether a string belongs to its task's language, or has the best score."""
    language = LANGUAGES.get(task)
    return bool(language.fullmatch(text)) if language else value == best


def drawn(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Some strings of one condition, by lot: of every session as many, one more or less; by session."""
    lot = table.sample(frac=1, random_state=0)
    turn = lot.groupby("session", observed=True).cumcount().rename("turn")
    chosen = lot.assign(turn=turn).sort_values("turn", kind="stable").head(count)
    return chosen.sort_values(["session", "turn"], kind="stable").drop(columns="turn")
