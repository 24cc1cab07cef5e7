"""Numbers and lists as words, the same way in every sentence and table."""

from collections.abc import Iterable
from typing import Any

import numpy as np

NOTHING = "\N{EN DASH}"
PLENTY = 10_000  # sessions: more are not counted out
HOLDS, REFUTED, UNDECIDED = "holds", "refuted", "undecided"  # what becomes of a claim
LSTM, CHAIN = "LSTM", "chain"  # generators; all tasks but one have the first


def generator(task: str) -> str:
    """What generates in a task."""
    return CHAIN if task == CHAIN else LSTM


def number(value: float, digits: int, sign: bool = False) -> str:
    """With a true minus, thousands apart, and a dash where there is no number."""
    if not np.isfinite(value):
        return NOTHING
    rounded = round(value, digits) + 0.0  # no minus before a zero
    text = f"{rounded:{'+' if sign and rounded else ''},.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def estimate(row: Any, digits: int, sign: bool = False) -> str:
    """A mean with its interval."""
    return between(row.mean, row.low, row.high, digits, sign)


def between(value: float, low: float, high: float, digits: int, sign: bool = False) -> str:
    """A value with an interval; nothing of that where a single session or a constant gives none."""
    ends = f" [{number(low, digits, sign)}, {number(high, digits, sign)}]" if low < high else ""
    return number(value, digits, sign) + ends


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


def p_value(p: float) -> str:
    """Four digits, or that it is below them."""
    return "< 0.0001" if p < 0.0001 else number(p, 4)


def needed(sessions: float) -> str:
    """How many sessions it takes, or that they are very many."""
    return f"> {PLENTY:,}" if sessions > PLENTY else number(sessions, 0)
