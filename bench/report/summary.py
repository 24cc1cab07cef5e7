"""The tables of the page: what each condition ends with, and how far apart the conditions are."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench import disk
from bench.printable import signs
from bench.report import gradient_columns, words
from bench.report.quantities import Quantity, columns
from bench.statistics import headline, lineup, quality, stats
from bench.tables import schema
from bench.tables.store import Tables

BASELINES = [("reinforce_loo", lineup.DEFAULT), ("reinforce", lineup.DEFAULT)]
STATUSES = [schema.OK, schema.DIVERGED, schema.FAILED]
DATA = "data (a fresh sample)"


class Table(NamedTuple):
    """A table twice: as numbers for the CSV file, as words for the page and the Markdown file."""

    numbers: pd.DataFrame
    words: pd.DataFrame
    caption: str = ""


def table(tables: Tables) -> Table:
    """One row per condition, the best at the end first; what was not measured has no column."""
    head, shown = headline.of(tables), sessions(tables.trials)
    numbers = shown.copy()
    kept = []
    for quantity in gradient_columns.COLUMNS if quality.measured(tables) else columns(tables):
        found = quantity.measure(tables)
        if found.empty:
            continue
        kept.append(quantity)
        found = shown[stats.COMPARED].merge(found, on=stats.COMPARED, how="left")
        shown[quantity.heading] = [
            words.estimate(row, quantity.digits, quantity.sign) for row in found.itertuples()
        ]
        for column, suffix in (("mean", ""), ("low", "_low"), ("high", "_high")):
            numbers[f"{quantity.name}{suffix}"] = found[column]
    shown["sessions"] = [count(row) for row in numbers.itertuples()]
    shown = shown.drop(columns=[*stats.COMPARED, *STATUSES]).rename(columns={"label": "estimator"})
    if head.metric in numbers:
        numbers = numbers.sort_values(head.metric, ascending=head.way.falls, kind="stable")
    found = Table(numbers, shown.loc[numbers.index], caption(tables, kept))
    return with_data(found, tables, kept)


def caption(tables: Tables, kept: list[Quantity]) -> str:
    """How to read the columns that there are."""
    if tables.metrics.empty:
        return "No session ended well, so that nothing was measured."
    head = headline.of(tables)
    order = f"; ordered by {head.name}" if any(q.name == head.metric for q in kept) else ""
    when = "At the end of" if headline.trained(tables) else "Without"
    first = f"{when} training: mean and 95% interval over the sessions that ended well{order}."
    return " ".join(dict.fromkeys([first, *(q.note for q in kept if q.note)]))


def with_data(found: Table, tables: Tables, kept: list[Quantity]) -> Table:
    """Begin the table with what real strings get in the generated ones' place, where that was measured."""
    rows = {q: row for q in kept for row in of_data(tables, q.name).itertuples()}
    if not rows:
        return found
    count = max(int(row.n) for row in rows.values())
    numbers = {"label": DATA, "estimator": "data", "setting": "", schema.OK: count}
    numbers |= dict.fromkeys(STATUSES[1:], 0)
    shown = dict.fromkeys(found.words, words.NOTHING) | {"estimator": DATA, "sessions": count}
    for q, row in rows.items():
        numbers |= {q.name: row.mean, f"{q.name}_low": row.low, f"{q.name}_high": row.high}
        shown[q.heading] = words.estimate(row, q.digits)
    both = zip((numbers, shown), found[:2], strict=True)
    first, second = (pd.concat([pd.DataFrame([row]), rest]) for row, rest in both)
    note = "The data's row is of real strings that training has not seen, in the generated ones' place."
    return Table(first[list(found.numbers)], second, f"{found.caption} {note}")


def of_data(tables: Tables, name: str) -> pd.DataFrame:
    """A metric of the data, which a session's conditions share: one row, or none."""
    real = stats.rows(tables, name + schema.DATA_SUFFIX, "")
    each = real.groupby("session", observed=True)["value"].mean().reset_index()
    return stats.mean_interval(each.assign(of="data"), ["of"])


def sessions(trials: pd.DataFrame) -> pd.DataFrame:
    """Every condition, labelled, with its number of sessions of each status."""
    conditions = lineup.ordered(trials)
    found = trials.groupby([*stats.COMPARED, "status"], observed=True).size().unstack(fill_value=0)
    found = found.reindex(index=conditions, columns=STATUSES, fill_value=0)
    found.index.names = stats.COMPARED
    found = found.reset_index()
    found.insert(0, "label", [lineup.label(*condition) for condition in conditions])
    return found


def count(row: Any) -> str:
    """30, or 27 of 30 (3 diverged)."""
    counts = {status: getattr(row, status) for status in STATUSES}
    lost = [f"{n} {status}" for status, n in counts.items() if n and status != schema.OK]
    total = sum(counts.values())
    return f"{counts[schema.OK]} of {total} ({', '.join(lost)})" if lost else str(total)


def save(found: Table, stem: Path) -> None:
    """Write `<stem>.csv` (numbers) and `<stem>.md` (words)."""
    texts = found.numbers.select_dtypes(exclude=["number", "bool"])
    numbers = found.numbers.assign(
        **{name: pd.Series([*map(shown, texts[name])], texts.index, object) for name in texts}
    )
    csv = numbers.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    disk.put(stem.with_suffix(".csv"), csv.encode())
    head = [str(column) for column in found.words]
    lines = [head, ["---"] * len(head), *found.words.itertuples(index=False, name=None)]
    text = "".join(f"| {' | '.join(marked_down(str(cell)) for cell in line)} |\n" for line in lines)
    disk.put(stem.with_suffix(".md"), text.encode())


def shown(cell: object) -> object:
    """Show of a text what is in it; a number stays one."""
    return signs(cell) if isinstance(cell, str) else cell


def marked_down(text: str) -> str:
    """Write a cell of a Markdown table, of which no sign ends the cell, or begins code or HTML."""
    return re.sub(r"([|`\\])", r"\\\1", signs(text)).replace("<", "&lt;")
