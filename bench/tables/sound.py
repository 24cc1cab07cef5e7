"""Whether tables say what can be: no row twice, none without its place, none of a session that is not there.

Files that were written by this benchmark are sealed (`bench.tables.files`); this is for what no seal tells,
such as rows that a hand has taken out, and for files of before there were seals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bench.tables import schema

STATUSES = (schema.OK, schema.DIVERGED, schema.FAILED)
STRINGS = (schema.STRING, schema.FORCED_STRING)
"""Metrics of which one row may be there twice: a string that was drawn twice."""
MOMENT = r"\d{4}-\d\d-\d\d(T\d\d:\d\d.*)?"

KEY = ["unit", *schema.METRICS_KEY]


class Problem(NamedTuple):
    """What is wrong in which unit's table."""

    kind: str
    unit: str
    text: str


def trials(found: pd.DataFrame) -> Iterator[Problem]:
    """Look at trials, with a column `unit`."""
    for column in schema.TRIALS:
        yield from _where("trials", found, found[column].isna(), f"{column} is missing")
    for column, least in (("session", 0), ("length", 1), ("sessions_stacked", 1), ("threads", 1)):
        yield from _where("trials", found, found[column] < least, f"{column} is {{{column}}}")
    amiss = {
        "status": ~found["status"].isin(STATUSES),
        "seconds": ~np.isfinite(found["seconds"]) | (found["seconds"] < 0),
        "finished": ~found["finished"].str.fullmatch(MOMENT),
        "config": ~found["config"].isin({text for text in found["config"].unique() if _settings(text)}),
    }
    for column, rows in amiss.items():
        yield from _where("trials", found, rows, f"{column} is {{{column}!r}}")
    for column in (*schema.CONDITION, "config_hash", "preset"):
        yield from _where("trials", found, found[column] == "", f"{column} is empty")
    twice = found.duplicated(["unit", *schema.SESSION, "config_hash"])
    yield from _where("trials", found, twice, "session {session} is there twice")
    known = [*schema.SESSION, "config_hash", "finished"]
    copies = found.merge(found.drop_duplicates(known)[[*known, "unit"]], on=known, suffixes=("", "_first"))
    again = copies["unit"] != copies["unit_first"]
    yield from _where("trials", copies, again, "session {session} is that of {unit_first}, moment for moment")


def metrics(table: pa.Table, beside: pd.DataFrame) -> Iterator[Problem]:
    """Look at metrics, with a column `unit`, beside all trials of these units."""
    for name in KEY:
        if table[name].null_count:
            yield _first(table, pc.is_null(table[name]), f"{name} is missing")
    for name in ("session", "step"):
        below = pc.less(table[name], 0)
        if pc.any(below).as_py():
            yield _first(table, below, f"{name} is {{{name}}}")
    codes = {name: _codes(table[name]) for name in KEY}
    nameless = pc.equal(table["metric"], "")
    if pc.any(nameless).as_py():
        yield _first(table, nameless, "a metric has no name")
    yield from _twice(table, codes)
    yield from _sessions(_runs(table, codes), beside)


def _first(table: pa.Table, rows: pa.ChunkedArray, text: str) -> Problem:
    """Tell it of the first of these rows."""
    (row,) = table.filter(rows).slice(0, 1).to_pylist()
    return Problem("metrics", str(row["unit"]), text.format(**row))


def _sessions(rows: pd.DataFrame, beside: pd.DataFrame) -> Iterator[Problem]:
    """Hold the sessions of metrics against those of trials, and those of a unit against one another."""
    key = ["unit", *schema.SESSION]
    have = rows.groupby(key, observed=True, sort=False, dropna=False)["step"].agg(["max", "nunique"])
    both = have.reset_index().merge(beside[[*key, "status"]], on=key, how="outer", indicator="held")
    alone = both[both["held"] == "left_only"]
    yield from _where("metrics", alone, alone["unit"].notna(), "{estimator}, session {session} is no trial")
    lacking = both[(both["held"] == "right_only") & (both["status"] == schema.OK)]
    told = "{estimator}, session {session} is a trial and has no rows"
    yield from _where("metrics", lacking, lacking["unit"].notna(), told)
    ok = both[(both["held"] == "both") & (both["status"] == schema.OK)]
    for name in ("max", "nunique"):
        other = ok[name] != ok.groupby(["unit", *schema.CONDITION])[name].transform("max")
        yield from _where("metrics", ok, other, "session {session} lacks steps that others have")


def _twice(table: pa.Table, codes: dict[str, np.ndarray]) -> Iterator[Problem]:
    """Find numbers that are there twice."""
    places = np.arange(len(table))
    order = _order(codes, places)
    if (order < 0).any():  # they do not stand in the order in which they are written
        places = np.lexsort([codes[name] for name in reversed(KEY)])
        order = _order(codes, places)
    for row in places[1:][order == 0]:
        if table["metric"][row].as_py() not in STRINGS:
            what = f"{table['metric'][row]} {table['parameter'][row]}".strip()
            text = f"session {table['session'][row]}, step {table['step'][row]}: {what} is there twice"
            yield Problem("metrics", str(table["unit"][row]), text)


def _order(codes: dict[str, np.ndarray], places: np.ndarray) -> np.ndarray:
    """Compare each row, of those in these places, with the one before: 1 if it is greater, 0 if the same."""
    found = np.zeros(max(0, len(places) - 1), np.int8)
    for name in reversed(KEY):
        code = codes[name][places]
        changed = np.flatnonzero(code[1:] != code[:-1])
        found[changed] = np.where(code[changed + 1] > code[changed], 1, -1)
    return found


def _runs(table: pa.Table, codes: dict[str, np.ndarray]) -> pd.DataFrame:
    """Give one row of each stretch of rows of one session and step."""
    names = ["unit", *schema.SESSION, "step"]
    starts = np.zeros(len(table), bool)
    starts[:1] = True
    for name in names:
        starts[1:] |= codes[name][1:] != codes[name][:-1]
    return table.select(names).take(pa.array(np.flatnonzero(starts))).to_pandas()


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Number the values of a column so that greater ones have greater numbers."""
    if pa.types.is_integer(column.type):
        return column.fill_null(-1).to_numpy()
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    places = np.empty(len(encoded.dictionary), np.int32)
    places[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(encoded.dictionary))
    return places[encoded.indices.to_numpy()]


def _where(kind: str, found: pd.DataFrame, rows: pd.Series, text: str) -> Iterator[Problem]:
    """Tell it of the first of these rows."""
    if rows.any():
        row = found[rows].iloc[0]
        yield Problem(kind, str(row["unit"]), text.format(**row.to_dict()))


def _settings(text: object) -> bool:
    """Tell whether a text is JSON of settings."""
    try:
        return isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False
