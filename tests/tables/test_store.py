"""The results folder survives whatever may happen to it, and never gives half a table."""

import math
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from spoilers import cut_short, other_table

from bench.errors import UserError
from bench.tables import files as tables_files
from bench.tables import schema, store


def tables(sessions: range, source: str = "synthetic", **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    condition = {
        "experiment": "grammar",
        "task": "grammar",
        "source": source,
        "length": 15,
        "estimator": "rebar",
        "setting": "lambda=0.1",
    }
    trial = {
        **dict.fromkeys(schema.TRIALS, "text"),
        "config": "{}",
        **condition,
        "status": "ok",
        "seconds": 1.5,
        "sessions_stacked": len(sessions),
        "threads": 1,
        "config_hash": "aaaaaaaa",
        "finished": "2025-01-01T00:00:00+00:00",
        **changes,
    }
    values = {"goodness": 12.5, "bigram_kl": math.nan, "cross_entropy": math.inf}
    metrics = [
        {
            **condition,
            "session": session,
            "step": 3,
            "metric": metric,
            "parameter": "ß x",
            "value": value,
        }
        for session in sessions
        for metric, value in values.items()
    ]
    trials = [{**trial, "session": session} for session in sessions]
    return pd.DataFrame(metrics), pd.DataFrame(trials)[[*schema.TRIALS]]


def files(results: Path) -> list[str]:
    return sorted(str(path.relative_to(results)) for path in results.rglob("*") if path.is_file())


def test_tables_come_back_as_they_were_written(tmp_path: Path) -> None:
    results = tmp_path / "a=b"  # which a reader of partitioned data would take for a column
    metrics, trials = tables(range(3))
    store.write(results, "unit", metrics, trials)
    assert files(results) == ["metrics/unit.parquet", "trials/unit.parquet"]
    back = store.read(results)
    expected = metrics.sort_values(schema.METRICS_KEY).reset_index(drop=True)
    pd.testing.assert_frame_equal(back.metrics, expected, check_exact=True)
    pd.testing.assert_frame_equal(back.trials, trials, check_exact=True)
    assert back.notes == []


def test_columns_and_types_of_the_files_are_the_contract(tmp_path: Path) -> None:
    store.write(tmp_path, "unit", *tables(range(1)))
    found = pq.read_schema(tmp_path / "metrics" / "unit.parquet")
    assert dict(zip(found.names, map(str, found.types), strict=True)) == {
        "experiment": "string",
        "task": "string",
        "source": "string",
        "length": "int64",
        "estimator": "string",
        "setting": "string",
        "session": "int64",
        "step": "int64",
        "metric": "string",
        "parameter": "string",
        "value": "double",
    }


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_cut_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    expected = UserError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        store.write(tmp_path, "unit", *tables(range(2)))
    assert files(tmp_path) == []


def test_half_a_unit_is_not_read(tmp_path: Path) -> None:
    store.write(tmp_path, "whole", *tables(range(2)))
    store.write(tmp_path, "half", *tables(range(2, 4)))
    (tmp_path / "trials" / "half.parquet").unlink()  # as if stopped between the two files
    (tmp_path / "trials" / ".next.parquet.123").write_bytes(b"PAR1")  # as if the power had failed
    back = store.read(tmp_path)
    assert set(back.metrics["session"]) == set(back.trials["session"]) == {0, 1}


@pytest.mark.parametrize("kind", ["metrics", "trials"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut_short, "is cut short"),
        (other_table, "no column"),
        (lambda path: path.write_text("hi"), "Parquet"),
    ],
)
def test_a_spoilt_file_is_named(tmp_path: Path, kind: str, spoil: Any, words: str) -> None:
    store.write(tmp_path, "unit", *tables(range(2)))
    path = tmp_path / kind / "unit.parquet"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(UserError, match=words) as caught:
        store.read_trials(tmp_path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["metrics", "trials"])
def test_a_flipped_byte_is_refused_or_changes_nothing(tmp_path: Path, kind: str) -> None:
    store.write(tmp_path, "unit", *tables(range(2)))
    path, columns = tmp_path / kind / "unit.parquet", tables_files.COLUMNS[kind]
    whole, before, refused = path.read_bytes(), tables_files.load(path, columns), 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            tables_files.require_table(path, columns, tmp_path)
            after = tables_files.load(path, columns)
        except UserError:
            refused += 1
        else:
            assert repr(after.to_pylist()) == repr(before.to_pylist()), place
    assert refused > 100


@pytest.mark.parametrize("name", ["trials/notes.txt", "metrics/more", "table.parquet"])
def test_a_foreign_file_is_named(tmp_path: Path, name: str) -> None:
    store.write(tmp_path, "unit", *tables(range(2)))
    (tmp_path / name).write_text("hello")
    with pytest.raises(UserError, match=name):
        store.read_trials(tmp_path)


def test_trials_without_metrics_are_named(tmp_path: Path) -> None:
    store.write(tmp_path, "unit", *tables(range(2)))
    (tmp_path / "metrics" / "unit.parquet").unlink()
    with pytest.raises(UserError, match=r"trials/unit\.parquet"):
        store.read_trials(tmp_path)


def test_of_several_configurations_the_newest_is_read(tmp_path: Path) -> None:
    store.write(tmp_path, "old", *tables(range(3)))
    later = {"config_hash": "bbbbbbbb", "finished": "2025-01-02T00:00:00+00:00"}
    store.write(tmp_path, "new", *tables(range(2), **later))
    back = store.read(tmp_path)
    assert set(back.trials["config_hash"]) == {"bbbbbbbb"}
    assert len(back.metrics) == 2 * 3
    assert len(back.notes) == 1
    assert "aaaaaaaa" in back.notes[0]


def test_sources_stay_apart_and_each_has_a_newest_configuration(tmp_path: Path) -> None:
    store.write(tmp_path, "old", *tables(range(3), "census"))
    store.write(tmp_path, "other", *tables(range(2), "kantrowitz", config_hash="bbbbbbbb"))
    back = store.read(tmp_path)
    assert back.trials.groupby("source")["session"].agg(list).to_dict() == {
        "census": [0, 1, 2],
        "kantrowitz": [0, 1],
    }
    assert back.metrics.groupby("source")["session"].nunique().to_dict() == {"census": 3, "kantrowitz": 2}
    assert back.notes == []
    later = {"config_hash": "cccccccc", "finished": "2025-01-02T00:00:00+00:00"}
    store.write(tmp_path, "new", *tables(range(2), "census", **later))
    back = store.read(tmp_path)
    assert dict(zip(back.trials["source"], back.trials["config_hash"], strict=True)) == {
        "census": "cccccccc",
        "kantrowitz": "bbbbbbbb",
    }
    assert len(back.notes) == 1
    assert back.notes[0].startswith("grammar (census): showing configuration cccccccc, the newest; 3 trials")


@pytest.mark.parametrize("kind", ["metrics", "trials"])
def test_a_folder_of_another_version_is_told(tmp_path: Path, kind: str) -> None:
    store.write(tmp_path, "unit", *tables(range(2)))
    path = tmp_path / kind / "unit.parquet"
    pd.read_parquet(path).drop(columns="source").to_parquet(path)
    with pytest.raises(UserError) as caught:
        store.read_trials(tmp_path)
    assert str(caught.value) == (
        f"{path} is of another version: it has no column source; "
        f"move the folder {tmp_path} elsewhere and run again"
    )


def test_a_session_that_failed_gives_way_to_its_second_try(tmp_path: Path) -> None:
    metrics, trials = tables(range(4), status="failed", finished="2025-01-03T00:00:00+00:00")
    store.write(tmp_path, "s0-s3", metrics.iloc[:0], trials)
    store.write(tmp_path, "s0-s1", *tables(range(2)))
    back = store.read(tmp_path)
    assert list(back.trials["status"]) == ["ok", "ok", "failed", "failed"]
    assert set(back.metrics["session"]) == {0, 1}


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    assert store.read_trials(tmp_path / "none").empty
    with pytest.raises(UserError, match="run-all"):
        store.read(tmp_path / "none")


def test_a_folder_that_cannot_be_written_is_known_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        store.require_writable(tmp_path / "file" / "results")
    store.require_writable(tmp_path / "new" / "folder")
    assert files(tmp_path / "new") == []
