"""The comparison on a screen: what is the same, how the two were made, and the most certain differences."""

from collections.abc import Iterator, Sequence

from bench.comparison import Comparison, tables
from bench.comparison.differences import IDENTICAL
from bench.comparison.origin import Change

#: Lines of what is listed before the differences; the page has all.
MOST = 10
#: Characters of a cell, and of a line.
CELL, LINE = 60, 120

Block = tuple[str, Sequence[Sequence[object]]]


def blocks(comparison: Comparison, top: int) -> Iterator[Block]:
    """Lines, and the table below each, which may be empty; the `top` most certain differences come last."""
    yield f"A: {comparison.a}\nB: {comparison.b}\n\n{comparison.answer}", []
    if comparison.notes:
        yield "\n".join(some(comparison.notes)), []
    if comparison.changes:
        rows = [short(change) for change in comparison.changes]
        yield "\nhow they were made:", [["", "where", "A", "B"], *rows[:MOST]]
        yield from rest(len(rows) - MOST, "more of these")
    if comparison.missing:
        lines = [cut(f"{where}: {'; '.join(names)}", LINE) for where, names in comparison.missing]
        yield "\n" + "\n".join(some(lines)), []
    differ = comparison.found[comparison.found["verdict"] != IDENTICAL]
    if len(differ):
        overview = tables.summary(comparison.found)
        yield "", [list(overview), *overview.to_numpy().tolist()]
        yield "\n" + "\n".join(comparison.said), []
        yield "", tables.in_short(differ[:top])
        yield from rest(len(differ) - top, "more differences")


def some(lines: Sequence[str]) -> list[str]:
    """The first of them, and how many more there are."""
    return [*lines[:MOST], *(text for text, _ in rest(len(lines) - MOST, "more"))]


def rest(count: int, what: str) -> Iterator[Block]:
    """That the page has more, if it has."""
    if count > 0:
        yield f"({count:,} {what} on the page)", []


def short(change: Change) -> list[str]:
    """A change in one line."""
    return [cut(text, CELL) for text in change]


def cut(text: str, width: int) -> str:
    """What fits."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
