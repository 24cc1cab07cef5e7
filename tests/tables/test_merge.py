"""Folders put together lose nothing, agree to the last bit or are refused, and are run on from."""

import math
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoilers import cut_short, other_table

from bench.errors import UserError
from bench.tables import packed, schema, store
from bench.tables.merge import Merged, merge

HASH = "aaaaaaaa"


def keep(
    folder: Path,
    sessions: Iterable[int],
    status: str = "ok",
    estimator: str = "rebar",
    seconds: float = 1.0,
    shift: float = 0.0,
    **trial: Any,
) -> Path:
    """Keep one unit: a number, one that is none, a string drawn twice, and a time."""
    sessions = list(sessions)
    where = ["grammar", "grammar", "synthetic", 3, estimator, "default"]
    condition = dict(zip(schema.CONDITION, where, strict=True))
    values = [
        ("goodness", "", 0.5 + shift),
        ("bigram_kl", "", math.nan),
        ("string", "ß x", 1.0),
        ("string", "ß x", 2.0),
        (schema.SECONDS, "sampling", seconds),
        ("error_at_budget", schema.SECONDS, seconds / 7),
    ]
    rows = [
        {**condition, "session": session, "step": step, "metric": m, "parameter": p, "value": v + session}
        for session in sessions
        for step in (0, 5)
        for m, p, v in values
    ]
    about = dict.fromkeys(schema.TRIALS, "text") | {"config": "{}"} | condition
    about |= {"status": status, "seconds": seconds, "sessions_stacked": len(sessions), "threads": 1}
    about |= {
        "config_hash": HASH,
        "finished": f"2026-01-01T00:00:{seconds:02.0f}.{sessions[0]:03}{sessions[-1]:03}",
    } | trial
    trials = pd.DataFrame([{**about, "session": session} for session in sessions])[[*schema.TRIALS]]
    metrics = pd.DataFrame(rows, columns=[*schema.METRICS])
    unit = f"{estimator}-s{sessions[0]:04d}-s{sessions[-1]:04d}-{about['config_hash']}"
    store.write(folder, unit, metrics.iloc[:0] if status == schema.FAILED else metrics, trials)
    return folder


def bytes_of(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in packed.NAMES.values()]


def require_equal(a: Path, b: Path) -> None:
    first, second = store.read(a), store.read(b)
    pd.testing.assert_frame_equal(first.metrics, second.metrics, check_exact=True)
    pd.testing.assert_frame_equal(first.trials, second.trials, check_exact=True)
    assert len(first.notes) == len(second.notes)


def test_packing_loses_nothing_and_packing_again_changes_nothing(tmp_path: Path) -> None:
    loose = keep(keep(tmp_path / "a=b", range(3)), range(2), estimator="relax")
    keep(loose, range(3, 5), status="failed")
    keep(loose, range(3, 4), seconds=4)
    keep(loose, range(3), seconds=9, config_hash="bbbbbbbb+cc", shift=0.25)  # a plug-in's, the newest
    keep(loose, range(9), seconds=2, config_hash="dddddddd")
    assert len(store.read(loose).notes) == 1
    found = merge([loose], tmp_path / "c=d")
    assert found == Merged(19, 0, sum(map(len, bytes_of(tmp_path / "c=d"))))
    assert sorted(path.name for path in (tmp_path / "c=d").iterdir()) == ["metrics.parquet", "trials.parquet"]
    require_equal(loose, tmp_path / "c=d")
    merge([tmp_path / "c=d"], tmp_path / "again")
    merge([loose, tmp_path / "c=d", loose], tmp_path / "thrice")
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "c=d") == bytes_of(tmp_path / "thrice")


UNITS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 5), st.sampled_from(["rebar", "relax"]), st.booleans()),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(UNITS, min_size=1, max_size=3))
def test_sessions_however_they_are_spread_are_all_there_once(folders: list[list[tuple]]) -> None:
    with TemporaryDirectory() as name:
        root, worked, known = Path(name), set(), set()
        for number, units in enumerate(folders):
            for first, count, estimator, fails in units:
                sessions = range(first, first + count)
                keep(root / str(number), sessions, "failed" if fails else "ok", estimator, 1.0 + number)
        paths = [root / str(number) for number in range(len(folders))]
        for path in paths:
            trials = store.read(path).trials
            for row in trials.itertuples():
                known.add((row.estimator, row.session))
                worked |= {(row.estimator, row.session)} if row.status == "ok" else set()
        found = merge(paths, root / "to")
        back = store.read(root / "to")
        ends = back.trials.set_index(["estimator", "session"])["status"]
        assert found.sessions == len(ends)
        assert set(ends.index) == known
        assert set(ends.index[ends == "ok"]) == worked
        counts = back.metrics.groupby(["estimator", "session"]).size()
        assert set(counts.index) == worked
        assert set(counts) <= {12}
        merge([root / "to", *paths], root / "again")
        assert bytes_of(root / "again") == bytes_of(root / "to")


def test_order_of_folders_changes_nothing_where_times_do_not(tmp_path: Path) -> None:
    a, b = keep(tmp_path / "a", range(4)), keep(keep(tmp_path / "b", range(4)), range(4, 9))
    assert merge([a, b], tmp_path / "ab").shared == 4
    merge([b, a], tmp_path / "ba")
    assert bytes_of(tmp_path / "ab") == bytes_of(tmp_path / "ba")


def test_overlapping_units_and_times_are_the_first_folders(tmp_path: Path) -> None:
    a, b = keep(tmp_path / "a", range(4), seconds=1), keep(tmp_path / "b", range(6), seconds=2)
    assert merge([a, b], tmp_path / "ab")[:2] == (6, 4)
    back = store.read(tmp_path / "ab")
    assert list(back.trials["seconds"]) == [1, 1, 1, 1, 2, 2]
    times = back.metrics[back.metrics["metric"] == schema.SECONDS]
    assert list(times["value"] - times["session"]) == [1] * 8 + [2] * 4
    assert set(back.metrics.groupby("session").size()) == {12}


@pytest.mark.parametrize("order", [0, 1])
def test_a_session_that_worked_is_kept_rather_than_one_that_failed(tmp_path: Path, order: int) -> None:
    a, b = keep(tmp_path / "a", range(4), "failed"), keep(tmp_path / "b", range(2))
    assert merge([a, b][:: 1 - 2 * order], tmp_path / "to")[:2] == (4, 2)
    back = store.read(tmp_path / "to")
    assert list(back.trials["status"]) == ["ok", "ok", "failed", "failed"]
    assert set(back.metrics["session"]) == {0, 1}


def test_what_disagrees_is_refused_in_one_line(tmp_path: Path) -> None:
    a = keep(tmp_path / "a", range(3), commit="1234")
    b = keep(tmp_path / "b", range(2, 9), shift=2**-51, commit="5678", machine="an abacus")
    with pytest.raises(UserError) as caught:
        merge([a, b], tmp_path / "to")
    assert str(caught.value) == (
        f"{a} and {b} disagree: grammar, length 3, rebar default, session 2, step 0: goodness is 2.5 in the "
        "first and 2.5000000000000004 in the other, and 1 more of what they share differs: other code or "
        "another kind of machine made it (commit 1234 and 5678; machine text and an abacus); "
        "merge only what was made alike"
    )
    assert not (tmp_path / "to").exists()


def unsealed(path: Path) -> None:
    """Write a file as it was before there were seals."""
    pd.read_parquet(path).to_parquet(path)


def test_a_number_that_one_folder_lacks_is_a_disagreement(tmp_path: Path) -> None:
    a, b = keep(tmp_path / "a", range(3)), keep(tmp_path / "b", range(3))
    (path,) = (b / "metrics").iterdir()
    pd.read_parquet(path).query("step == 0").to_parquet(path)
    unsealed(b / "trials" / path.name)
    with pytest.raises(UserError, match=r"session 0, step 5: bigram_kl is nan in the first and nothing in"):
        merge([a, b], tmp_path / "to")


def test_other_configurations_are_no_disagreement(tmp_path: Path) -> None:
    a = keep(tmp_path / "a", range(3))
    b = keep(tmp_path / "b", range(3), shift=1.0, config_hash="bbbbbbbb", seconds=5)
    assert merge([a, b], tmp_path / "to")[:2] == (6, 0)
    back = store.read(tmp_path / "to")
    assert set(back.trials["config_hash"]) == {"bbbbbbbb"}
    assert len(back.metrics) == 36


def test_ends_that_differ_are_refused(tmp_path: Path) -> None:
    a, b = keep(tmp_path / "a", range(3)), keep(tmp_path / "b", range(3), "diverged")
    with pytest.raises(UserError, match="status is ok in the first and diverged in the other"):
        merge([a, b], tmp_path / "to")


def test_a_folder_that_holds_tables_is_not_written_to(tmp_path: Path) -> None:
    a, b = keep(tmp_path / "a", range(3)), keep(tmp_path / "b", range(3, 5))
    merge([a], tmp_path / "packed")
    for to in (b, tmp_path / "packed", a):
        with pytest.raises(UserError, match=f"{to} holds tables already: name another folder with --to"):
            merge([a, b], to)
    with pytest.raises(UserError, match="no results in"):
        merge([a, tmp_path / "none"], tmp_path / "to")
    (tmp_path / "mine").mkdir()
    other_table(tmp_path / "mine" / "metrics.parquet")
    with pytest.raises(UserError, match=r"mine/metrics\.parquet is not this benchmark's"):
        merge([a], tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        merge([a], tmp_path / "file" / "to")


def test_a_merge_cut_off_is_never_read_and_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, to = keep(tmp_path / "a", range(3)), tmp_path / "to"
    merge([a], to)
    before = bytes_of(to)
    (to / "trials.parquet").unlink()  # as if stopped between the two files
    with pytest.raises(UserError, match=r"metrics\.parquet has no trials\.parquet beside it.*merge again"):
        store.read_trials(to)
    merge([a], to)
    assert bytes_of(to) == before
    (to / "metrics.parquet").unlink()
    with pytest.raises(UserError, match=r"trials\.parquet is damaged: it has no metrics\.parquet beside it"):
        store.read_trials(to)


def without_unit(path: Path) -> None:
    pd.read_parquet(path).drop(columns="unit").to_parquet(path)


def without_source(path: Path) -> None:
    pd.read_parquet(path).drop(columns="source").to_parquet(path)


@pytest.mark.parametrize("kind", ["metrics", "trials"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut_short, "is cut short"),
        (without_unit, "no column unit"),
        (without_source, "of another version: it has no column source"),
        (other_table, "is not this benchmark's"),
    ],
)
def test_a_spoilt_packed_file_is_named(tmp_path: Path, kind: str, spoil: Any, words: str) -> None:
    merge([keep(tmp_path / "a", range(3))], tmp_path / "to")
    path = tmp_path / "to" / f"{kind}.parquet"
    spoil(path)
    with pytest.raises(UserError, match=words) as caught:
        store.read_trials(tmp_path / "to")
    assert str(path) in str(caught.value)


def test_packed_rows_in_another_order_say_the_same(tmp_path: Path) -> None:
    to = tmp_path / "to"
    merge([keep(keep(tmp_path / "a", range(2)), range(2), estimator="relax")], to)
    before = store.read(to).metrics
    path = to / "metrics.parquet"
    pd.read_parquet(path).sort_values("session").to_parquet(path)
    with pytest.raises(UserError, match="it and its trials were not written together"):
        store.read(to)
    unsealed(to / "trials.parquet")
    order = [*schema.METRICS_KEY, "value"]
    after = store.read(to).metrics.sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(before.sort_values(order, ignore_index=True), after)


def test_a_loose_unit_takes_the_place_of_a_packed_one_that_failed(tmp_path: Path) -> None:
    to = tmp_path / "to"
    merge([keep(tmp_path / "a", range(3), "failed")], to)
    keep(to, range(3))
    keep(to, range(3, 5))
    back = store.read(to)
    assert list(back.trials["status"]) == ["ok"] * 5
    assert len(store.read_trials(to)) == 5
    merge([to], tmp_path / "again")
    require_equal(to, tmp_path / "again")
    (to / "trials" / "rebar-s0000-s0002-aaaaaaaa.parquet").unlink()  # as if stopped between the two files
    assert list(store.read_trials(to)["status"]) == ["failed"] * 3 + ["ok"] * 2


def test_one_name_for_two_configurations_is_refused(tmp_path: Path) -> None:
    a, b = keep(tmp_path / "a", range(3)), keep(tmp_path / "b", range(3), config_hash="bbbbbbbb")
    for kind in ("metrics", "trials"):
        (path,) = (b / kind).iterdir()
        path.rename(path.with_name("rebar-s0000-s0002-aaaaaaaa.parquet"))
    with pytest.raises(UserError, match="is of several configurations"):
        merge([a, b], tmp_path / "to")


def test_tables_written_before_a_column_came_are_read(tmp_path: Path) -> None:
    old, new = keep(tmp_path / "old", range(2)), keep(tmp_path / "new", range(2, 4), version="9.9")
    (path,) = (old / "trials").iterdir()
    pd.read_parquet(path).drop(columns="version").to_parquet(path)
    unsealed(old / "metrics" / path.name)
    assert list(store.read_trials(old)["version"]) == ["", ""]
    merge([old, new], tmp_path / "to")
    trials = store.read(tmp_path / "to").trials
    assert list(trials["version"]) == ["", "", "9.9", "9.9"]
    assert list(trials) == [*schema.TRIALS]
