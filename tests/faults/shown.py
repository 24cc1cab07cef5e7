"""The table for people: how often what was tried, and what came of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from faults.tries import CHANGED, HANG, LEFT, MISSING, OTHER, SAME, SKIPPED, TOLD, TRACEBACK, Try

OUTCOMES = {
    TOLD: "refused or told",
    SAME: "same numbers",
    CHANGED: "numbers changed unnoticed",
    MISSING: "rows missing unnoticed",
    TRACEBACK: "tracebacks",
    HANG: "hangs",
    LEFT: "left over",
    OTHER: "otherwise wrong",
    SKIPPED: "not possible here",
}
SINGLE = ("damage", "surroundings")
"""Kinds of which every case is listed."""
VARIANT = re.compile(r"^(run|report|compare|merge): |loose |packed | \(by \w+\)")
"""What is not the case itself: the command, the kind of table and how it was written."""


def page(tries: Sequence[Try], seed: int, minutes: float) -> str:
    """Write all in Markdown."""
    return "\n".join([*_head(seed, minutes), *summary(tries), *_singles(tries), ""])


def summary(tries: Sequence[Try]) -> list[str]:
    """Count outcomes, a row for each kind."""
    lines = [_row(["kind", "tries", *OUTCOMES.values()]), _row(["---"] * (2 + len(OUTCOMES)))]
    for kind in dict.fromkeys(each.kind for each in tries):
        counts = Counter(each.outcome for each in tries if each.kind == kind)
        lines.append(_row([kind, str(counts.total()), *(str(counts[name]) for name in OUTCOMES)]))
    return lines


def _head(seed: int, minutes: float) -> list[str]:
    return [
        "# Faults",
        "",
        "Commands are killed, bits flip, tables are damaged and surroundings are bad; then it is looked at",
        "whether numbers changed or went missing without a word, and what was left behind. `make faults`",
        f'makes this page (seed {seed}, {minutes:g} minutes at most; `ARGS="--seed 1"` for others).',
        "All columns but the first four and the last should be 0.",
        "",
    ]


def _singles(tries: Sequence[Try]) -> list[str]:
    """List what was done, to whichever table and whatever command met it, with what came of it."""
    lines = []
    for kind in SINGLE:
        outcomes: dict[str, Counter[str]] = {}
        for each in (each for each in tries if each.kind == kind):
            outcomes.setdefault(VARIANT.sub("", each.case), Counter())[OUTCOMES[each.outcome]] += 1
        if outcomes:
            lines += ["", f"## {kind.capitalize()}", "", _row(["case", "what came"]), _row(["---"] * 2)]
            lines += [_row([case, _counted(found)]) for case, found in sorted(outcomes.items())]
    return lines


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{words} {count} times" if count > 1 else words for words, count in found.items())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"
