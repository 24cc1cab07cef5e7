"""Numbers and lists as words, the same way in every sentence and table."""

from collections.abc import Iterable
from typing import Any

import numpy as np

NOTHING = "\N{EN DASH}"
HOLDS, REFUTED, UNDECIDED = "holds", "refuted", "undecided"  # what becomes of a claim


def number(value: float, digits: int, sign: bool = False) -> str:
    """With a true minus, thousands apart, and a dash where there is no number."""
    if not np.isfinite(value):
        return NOTHING
    rounded = round(value, digits) + 0.0  # no minus before a zero
    text = f"{rounded:{'+' if sign and rounded else ''},.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def interval(row: Any, digits: int, sign: bool = False) -> str:
    """[low, high]; nothing where a single session or a constant gives none."""
    if not row.low < row.high:
        return ""
    return f"[{number(row.low, digits, sign)}, {number(row.high, digits, sign)}]"


def estimate(row: Any, digits: int, sign: bool = False) -> str:
    """A mean with its interval."""
    return f"{number(row.mean, digits, sign)} {interval(row, digits, sign)}".rstrip()


def multiple(row: Any) -> str:
    """A ratio with its interval, in two significant digits: it may be 0.0006 or 600."""
    mean, low, high = (
        f"{value:,.2g}" if value < 10 else f"{value:,.0f}" for value in (row.mean, row.low, row.high)
    )
    return f"{mean} [{low}, {high}]" if row.low < row.high else mean


def listed(items: Iterable[str]) -> str:
    """Joined by semicolons, since labels hold commas themselves."""
    return "; ".join(items)


def counted(count: int, what: str) -> str:
    """1 session, 2 sessions."""
    return f"{count} {what}{'' if count == 1 else 's'}"
