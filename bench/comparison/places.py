"""Short names of where a number belongs, the same in the terminal, the page and the files."""

from typing import Any

from bench.report import slug
from bench.statistics.lineup import DEFAULT
from bench.statistics.stats import SLICE


def where(row: Any) -> str:
    """The experiment, task, source and length, as the report's files are named."""
    return slug(tuple(getattr(row, column) for column in SLICE))


def condition(row: Any) -> str:
    """An estimator, with its setting if that is none of the defaults."""
    return row.estimator if row.setting == DEFAULT else f"{row.estimator} {row.setting}"


def place(row: Any) -> str:
    """Both."""
    return f"{where(row)}, {condition(row)}"
