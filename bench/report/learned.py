"""The answers to whether anything was learned: by settings that stand side by side, and by a goal.

To end above one's own start is little: a reward that says nothing may do as much. So a setting has
learned if it ends above its start and above that control, each tested within a session and corrected
over the settings.
"""

from collections.abc import Iterator

import pandas as pd

from bench import headline, stats, style
from bench.headline import Headline
from bench.report import words
from bench.report.answers import DIGITS, NULL, Answer, label, verdict
from bench.store import Tables
from bench.style import Condition


def sentences(tables: Tables) -> list[Answer]:
    """Say which settings learned, and which conditions reach the goal."""
    head, quality = headline.of(tables), headline.rows(tables)
    return [*settings(quality, head), *reached(stats.last(quality), head)]


def settings(quality: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Which settings end better than they began and than the control."""
    conditions = style.set_apart(quality)
    if not conditions:
        return
    found = comparisons(quality, conditions)
    told: dict[bool, list[str]] = {True: [], False: []}
    for condition in conditions:
        learned, text = against(found, condition, head)
        told[learned].append(text)
    done, other = words.listed(told[True]) or "none", words.listed(told[False])
    text = f"{head.way.beyond.capitalize()} {' and '.join(found)}: {done}."
    yield Answer("What learned", f"{text} Not shown to be: {other}." if other else text)


def comparisons(quality: pd.DataFrame, conditions: list[Condition]) -> dict[str, pd.DataFrame]:
    """What the settings are compared with, and by how much they end apart from it."""
    final = stats.last(stats.among(quality, [*conditions, NULL]))
    found = {
        "its own start": stats.changes(stats.among(quality, conditions)),
        "the null-reward control": stats.paired_differences(final, NULL),
    }
    return {name: table for name, table in found.items() if not table.empty}


def against(found: dict[str, pd.DataFrame], condition: Condition, head: Headline) -> tuple[bool, str]:
    """Whether a setting is better than all that it is compared with, and the details."""
    told, learned = [], []
    for name, table in found.items():
        for row in stats.among(table, [condition]).itertuples():
            word = verdict(row, "higher", "lower")
            learned.append(word == head.way.better)
            told.append(f"{words.estimate(row, DIGITS, sign=True)} from {name}, {word}")
    return len(learned) == len(found) and all(learned), f"{style.label(*condition)} ({words.listed(told)})"


def reached(final: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """Which conditions are at the goal or beyond it: the whole interval, or the mean alone."""
    if head.goal is None or final.empty:
        return
    found = headline.best_first(stats.mean_interval(final, stats.COMPARED), head.way)
    edge = found["high" if head.way.falls else "low"]
    whole, mean = (v <= head.goal if head.way.falls else v >= head.goal for v in (edge, found["mean"]))
    told = {"The whole interval lies there for": whole, "The mean alone for": mean & ~whole}
    text = " ".join(f"{name} {estimates(found[rows])}." for name, rows in told.items() if rows.any())
    none = f"No condition's mean; the nearest is {estimates(found.head(1))}."
    yield Answer(f"Who reaches a {head.name} of {head.goal:g}", text or none)


def estimates(found: pd.DataFrame) -> str:
    """Each condition with its mean."""
    return words.listed(f"{label(row)} {words.estimate(row, DIGITS)}" for row in found.itertuples())
