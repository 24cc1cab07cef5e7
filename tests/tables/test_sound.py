"""Tables that say what cannot be are refused in one line that names the file, loose or packed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_store import tables

from bench.errors import UserError
from bench.tables import store
from bench.tables.merge import merge

Change = Callable[[pd.DataFrame], pd.DataFrame]


def by_pandas(path: Path, change: Change) -> None:
    """Write it as a user would; the file's seal is lost."""
    change(pd.read_parquet(path)).to_parquet(path)


def by_arrow(path: Path, change: Change) -> None:
    """Write it with all that the file said of itself; the seal is not that of the new content."""
    before = pq.read_table(path)
    told = {**before.schema.metadata, **pq.read_metadata(path).metadata}
    after = pa.Table.from_pandas(change(before.to_pandas()), preserve_index=False)
    pq.write_table(after.replace_schema_metadata(told), path)


def first(column: str, value: Any) -> Change:
    """Change a column in the first row."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).tolist()
        return frame.assign(**{column: [value, *values[1:]]})

    return change


METRICS: dict[str, tuple[Change, str]] = {
    "no rows": (lambda f: f.iloc[:0], "is a trial and has no rows"),
    "a session lost": (lambda f: f[f["session"] != 1], "session 1 is a trial and has no rows"),
    "a session's step lost": (lambda f: f[(f["session"] != 1) | (f["step"] < 5)], "lacks steps that others"),
    "a session too many": (
        lambda f: pd.concat([f, f[f["session"] == 1].assign(session=9)]),
        "session 9 is no trial",
    ),
    "another estimator's": (lambda f: f.assign(estimator="relax"), "relax, session 0 is no trial"),
    "another length's": (lambda f: f.assign(length=3), "is no trial"),
    "all twice": (lambda f: pd.concat([f, f]), "is there twice"),
    "one twice": (lambda f: pd.concat([f, f.iloc[-1:]]), "is there twice"),
    "step": (first("step", -5), "step is -5"),
    "session": (first("session", -1), "session is -1"),
    "no metric": (first("metric", None), "metric is missing"),
    "empty metric": (first("metric", ""), "a metric has no name"),
    "no parameter": (first("parameter", None), "parameter is missing"),
    "no session": (first("session", None), "session is missing"),
    "no step": (first("step", None), "step is missing"),
    "no estimator": (first("estimator", None), "estimator is missing"),
}
TRIALS: dict[str, tuple[Change, str]] = {
    "status": (first("status", "wonderful"), "status is 'wonderful'"),
    "no status": (first("status", None), "status is missing"),
    "no session": (first("session", None), "session is missing"),
    "session": (first("session", -1), "session is -1"),
    "a session twice": (lambda f: pd.concat([f, f.iloc[:1]]), "session 0 is there twice"),
    "config": (first("config", "no JSON"), "config is 'no JSON'"),
    "config's kind": (first("config", "[1]"), "config is '[1]'"),
    "no hash": (first("config_hash", ""), "config_hash is empty"),
    "several": (first("estimator", "relax"), "rebar, session 0 is no trial"),
    "finished": (first("finished", "today"), "finished is 'today'"),
    "seconds": (first("seconds", -1.0), "seconds is -1.0"),
    "no seconds": (first("seconds", None), "seconds is missing"),
    "length": (lambda f: f.assign(length=0), "length is 0"),
    "no error": (first("error", None), "error is missing"),
    "a session lost": (lambda f: f[f["session"] != 1], "session 1 is no trial"),
}
CASES = [(kind, name) for kind, cases in (("metrics", METRICS), ("trials", TRIALS)) for name in cases]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    metrics, trials = tables(range(3))
    both = pd.concat([metrics, metrics.assign(step=5)])
    store.write(tmp_path / "loose", "unit", both, trials)
    merge([tmp_path / "loose"], tmp_path / "packed")
    return tmp_path


PLACES = {"loose": "{kind}/unit.parquet", "packed": "{kind}.parquet"}


def told(results: Path) -> str:
    with pytest.raises(UserError) as caught:
        store.read(results)
    line = str(caught.value)
    assert "\n" not in line
    assert line.endswith("move it away and run again, which computes its part anew")
    return line


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_what_cannot_be_is_told(results: Path, place: str, kind: str, name: str) -> None:
    folder = results / place
    change, words = {"metrics": METRICS, "trials": TRIALS}[kind][name]
    path = folder / PLACES[place].format(kind=kind)
    for each in ("metrics", "trials"):  # as of before there were seals
        by_pandas(folder / PLACES[place].format(kind=each), change if each == kind else lambda frame: frame)
    line = told(folder)
    assert words in line
    shown = results / place / PLACES[place].format(kind="metrics") if "trial" in words else path
    assert line.startswith(f"{shown} is damaged: ")


QUIET: dict[str, Change] = {
    "every second row": lambda f: f.iloc[::2],
    "the last step": lambda f: f[f["step"] < 5],
    "one row": lambda f: f.iloc[1:],
    "values": lambda f: f.assign(value=f["value"].round(1)),
    "order": lambda f: f.iloc[::-1],
}


@pytest.mark.parametrize("write", [by_pandas, by_arrow])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", QUIET)
def test_a_seal_tells_what_rows_do_not(results: Path, place: str, name: str, write: Any) -> None:
    path = results / place / PLACES[place].format(kind="metrics")
    write(path, QUIET[name])
    line = told(results / place)
    assert line.startswith(f"{path} is damaged: it ")


def test_files_in_one_another_s_place_are_told(results: Path) -> None:
    metrics, trials = tables(range(3), estimator="relax")
    store.write(results / "loose", "other", metrics.assign(estimator="relax"), trials)
    store.read(results / "loose")
    folder = results / "loose" / "metrics"
    (folder / "unit.parquet").rename(folder / "spare")
    (folder / "other.parquet").rename(folder / "unit.parquet")
    (folder / "spare").rename(folder / "other.parquet")
    assert "it and its trials were not written together" in told(results / "loose")


STEP = 307
"""Of all bits of a file every so-manieth is tried; `make faults` tries others."""


@pytest.mark.parametrize("kind", ["metrics", "trials"])
@pytest.mark.parametrize("place", PLACES)
def test_no_bit_flips_unnoticed(results: Path, place: str, kind: str) -> None:
    path = results / place / PLACES[place].format(kind=kind)
    whole, before = path.read_bytes(), store.read(results / place)
    refused = 0
    for bit in range(0, 8 * len(whole), STEP):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(changed)
        try:
            after = store.read(results / place)
        except UserError:
            refused += 1
        else:  # in the name under which the seal is kept, say, or in what nobody reads
            pd.testing.assert_frame_equal(after.metrics, before.metrics, check_exact=True)
            pd.testing.assert_frame_equal(after.trials, before.trials, check_exact=True)
    assert refused > 0.97 * 8 * len(whole) / STEP
