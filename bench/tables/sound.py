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
    codes = {name: _codes(table[name]) for name in table.column_names if name != "value"}
    rows = _runs(table, codes)
    for name in codes:
        yield from _where("metrics", rows, rows[name].isna(), f"{name} is missing")
    for name in ("session", "step"):
        yield from _where("metrics", rows, rows[name] < 0, f"{name} is {{{name}}}")
    yield from _where("metrics", rows, rows["metric"] == "", "a metric has no name")
    yield from _twice(table, codes)
    yield from _sessions(rows, beside)


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
    if (_order(codes, places) < 0).any():  # they do not stand in the order in which they are written
        places = np.lexsort([codes[name] for name in reversed(KEY)])
    for row in places[1:][_order(codes, places) == 0]:
        if table["metric"][row].as_py() not in STRINGS:
            what = f"{table['metric'][row]} {table['parameter'][row]}".strip()
            text = f"session {table['session'][row]}, step {table['step'][row]}: {what} is there twice"
            yield Problem("metrics", str(table["unit"][row]), text)


def _order(codes: dict[str, np.ndarray], places: np.ndarray) -> np.ndarray:
    """Compare each row, of those in these places, with the one before: 1 if it is greater, 0 if the same."""
    found = np.zeros(len(places) - 1, np.int8) if len(places) else np.zeros(0, np.int8)
    for name in reversed(KEY):
        code = codes[name][places]
        found = np.where(code[1:] == code[:-1], found, np.where(code[1:] > code[:-1], 1, -1))
    return found


def _runs(table: pa.Table, codes: dict[str, np.ndarray]) -> pd.DataFrame:
    """Give one row of each stretch of rows that differ in nothing but parameter and value."""
    starts = np.zeros(len(table), bool)
    starts[:1] = True
    for name, code in codes.items():
        if name != "parameter":
            starts[1:] |= code[1:] != code[:-1]
    starts |= np.asarray(table["parameter"].is_null())
    return table.select(list(codes)).take(pa.array(np.flatnonzero(starts))).to_pandas()


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Number the values of a column, in their order, so that sorted rows have growing numbers; 0 for none."""
    if pa.types.is_integer(column.type):
        values = column.fill_null(-1).to_numpy().astype(np.int64)
        return values - min(int(values.min(initial=0)), 0)
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    places = np.empty(len(encoded.dictionary) + 1, np.int64)
    places[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(1, len(encoded.dictionary) + 1)
    places[-1] = 0
    return places[encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)]


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
