"""Two results folders side by side: are their numbers the same, and if not, what became better or worse?

Whoever compares two commits, machines or settings chose so: configurations that the report would keep
apart are compared here, and it is told in what they differ.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bench import disk, figures, report
from bench.comparison import figure, origin, tables
from bench.comparison.differences import differences
from bench.comparison.identity import identity, sentence
from bench.comparison.origin import Change
from bench.comparison.quantities import QUANTITIES, measured
from bench.errors import UserError
from bench.figures import _style as style
from bench.report import folder, summary
from bench.tables import packed, store
from bench.tables.files import COLUMNS
from bench.tables.schema import CONDITION
from bench.tables.store import Tables

TEMPLATE = "comparison.html.j2"


class Comparison(NamedTuple):
    """All that is to be said of two results folders."""

    a: Path
    b: Path
    answer: str  # whether the numbers are the same
    said: list[str]  # further sentences
    notes: list[str]  # what the reader must know before believing the rest
    changes: list[Change]
    found: pd.DataFrame
    missing: list[tuple[str, list[str]]]


def compare(a: Path, b: Path) -> Comparison:
    """Compare two results folders."""
    first, second = load(a), load(b)
    require_common(a, first, b, second)
    values = list(measured(first, second))
    found = differences(*(pd.concat(parts, ignore_index=True) for parts in zip(*values, strict=True)))
    changes = origin.changes(first, second)
    notes = [f"{name}: {note}" for name, side in (("A", first), ("B", second)) for note in side.notes]
    notes += [*filter(None, [origin.warning(changes)]), *origin.lost(first, second)]
    said = [*filter(None, [tables.outcome(found), tables.pairing(found)])]
    answer = sentence(identity(first, second))
    return Comparison(a, b, answer, said, notes, changes, found, origin.missing(first, second))


def load(folder: Path) -> Tables:
    """Read a results folder that is there."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name two folders of results, as `--results` does")
    if not any((folder / kind).is_dir() for kind in COLUMNS) and not packed.finished(folder):
        raise UserError(f"{folder} is no results folder: it has no {' and '.join(COLUMNS)}")
    return store.read(folder)


def require_common(a: Path, first: Tables, b: Path, second: Tables) -> None:
    """Refuse folders of which nothing can be compared."""
    if first.trials[CONDITION].merge(second.trials[CONDITION], on=CONDITION).empty:
        each = "; ".join(f"{path} has {origin.held(tables)}" for path, tables in ((a, first), (b, second)))
        raise UserError(f"nothing to compare, no condition is in both: {each}")


def write(comparison: Comparison, reports: Path) -> Path:
    """Write the page, the figures and the table; gives the page's path."""
    with folder.written(reports):
        return put(comparison, reports)


def put(comparison: Comparison, reports: Path) -> Path:
    """Write them to a folder that is there."""
    full = tables.in_full(comparison.found)
    summary.save(full, reports / "tables" / "differences")
    page = report.render(
        TEMPLATE,
        comparison=comparison,
        changes=pd.DataFrame(comparison.changes).rename(columns={"what": "", "a": "A", "b": "B"}),
        summary=tables.summary(comparison.found),
        differences=full.words,
        figures=list(drawn(comparison.found, reports / "figures")),
    )
    path = reports / "index.html"
    disk.put(path, page.encode())
    return path


def drawn(found: pd.DataFrame, folder: Path) -> Iterator[figures.Saved]:
    """A figure for each quantity that differs anywhere."""
    for quantity in QUANTITIES:
        svg = folder / f"{quantity.name}.svg"
        with style.theme():
            picture = figure.draw(found, quantity)
            if picture is not None:
                figures.write(picture, svg)
                yield figures.Saved(quantity.name, quantity.title, quantity.caption, svg)
