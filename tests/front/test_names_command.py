"""`run names`: where the names come from, said on the command line."""

from __future__ import annotations

import hashlib
import os
import sys

import fake_bench
import pytest
from conftest import inline_workers

from bench.cli import main
from bench.errors import UserError
from bench.experiments import names
from bench.running import processes
from bench.sessions import wordlists
from bench.tables import store


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """Carry out a command line in an empty folder, in this process, without figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "workers", inline_workers)
    monkeypatch.setitem(sys.modules, "bench.report", fake_bench.report)

    def carry_out(*arguments):
        code = main(["run", "names", "--preset", "smoke", "--estimators", "likelihood", *arguments])
        return code, capsys.readouterr()

    return carry_out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "cencus"], ['unknown source "cencus"', 'did you mean "census"?']),
        (["--source", "census", "--data", "x.txt"], ["--source", "--data", "give one"]),
        (["--data", "nowhere.txt"], ["cannot read nowhere.txt"]),
        (["--lengths", "2"], ["names", "length 2"]),
    ],
)
def test_a_mistake_is_told_in_one_line(say, arguments, words):
    code, said = say(*arguments)
    assert code == 2
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert all(word in said.err for word in words), said.err


def test_a_list_of_one_s_own(say, tmp_path):
    """Its name and its content's hash are its source: another content is another source."""
    path, folder = tmp_path / "friends.txt", tmp_path / "results" / "smoke"
    path.write_bytes("\ufeffAnna\r\nJosé\r\n\r\nZoë\r\nAnna\r\nOtto\r\nUte\r\n".encode())
    assert say("--data", str(path))[0] == 0
    trials = store.read(folder).trials
    assert set(trials["task"]) == {"names"}
    assert set(trials["source"]) == {f"friends.txt#{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"}
    assert set(trials["status"]) == {"ok"}
    assert "nothing left to compute" in say("--data", str(path))[1].out
    path.write_text("Maria\nLaura\nPeter\n")
    assert "6 sessions to run" in say("--data", str(path), "--dry-run")[1].out
    path.write_text("Maria\nJean-Paul\n")
    code, said = say("--data", str(path))
    assert code == 2
    assert "line 2" in said.err


def test_two_sources_stay_apart_in_one_folder(say, tmp_path):
    path = tmp_path / "friends.txt"
    path.write_text("Anna\nOtto\nUte\n")
    sources = [(), ("--data", str(path))]
    for source in sources:
        assert "nothing left to compute" not in say(*source)[1].out
    tables = store.read(tmp_path / "results" / "smoke")
    for table in (tables.metrics, tables.trials):
        assert {name.partition("#")[0] for name in table["source"]} == {"census", "friends.txt"}
    assert set(tables.trials.groupby(["source", "setting"])["session"].agg(tuple)) == {(0, 1)}
    assert tables.notes == []
    for source in sources:
        assert "nothing left to compute" in say(*source)[1].out


SPELLINGS = {"long": "ł" * 120, "lines": "two\nlines", "no text": os.fsdecode(b"caf\xe9")}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_list_of_any_name(spelling, tmp_path, monkeypatch):
    """What is computed is kept, and its report written, whatever the file system calls the list."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "workers", inline_workers)
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / SPELLINGS[spelling]
    path.write_text("Anna\nOtto\nUte\n")
    line = ["run", "names", "--preset", "smoke", "--estimators", "maximum_likelihood", "--data", str(path)]
    assert main(line) == 0
    found = [p for p in tmp_path.rglob("names-*") if p.is_file()]
    assert {p.suffix for p in found} == {".parquet", ".csv", ".md"}
    assert all(len(os.fsencode(p.name)) <= 230 and p.name.isprintable() for p in found)
    assert wordlists.fingerprint(path)[-8:] in (tmp_path / "reports/smoke/index.html").read_text("utf-8")


def test_a_file_that_changes_under_a_run_is_not_read_for_what_it_was(tmp_path):
    path = tmp_path / "friends.txt"
    path.write_text("Anna\nOtto\n")
    source = wordlists.fingerprint(path)
    assert names.words(source, 10) == ["anna", "otto"]
    path.write_text("Anna\nUte\n")
    with pytest.raises(UserError, match=r"friends\.txt has changed"):
        names.words(source, 10)


def test_what_is_measured_of_names(say, tmp_path):
    assert say()[0] == 0
    metrics = store.read(tmp_path / "results" / "smoke").metrics
    assert set(metrics["task"]) == {"names"}
    assert set(metrics["source"]) == {"census"}
    end = metrics[metrics["step"] == metrics["step"].max()]
    of_names = {"real_fraction", "held_out_fraction", "cross_entropy", "length", "surrogate"}
    assert of_names <= set(end["metric"])
    paper = end[end["setting"] == "default"]
    assert paper.query("metric == 'effective_samples'")["value"].between(1, 64).all()
    forced = end[end["metric"] == "forced_string"]
    assert forced["parameter"].str.fullmatch("[a-z]{10}").all()
    assert end.query("metric == 'forced_unigram' and parameter == '.'")["value"].eq(0).all()
