"""The hash of the code follows what computes a session, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from bench import experiments
from bench.running import code
from discgan_core import estimators


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put copies in the place of the sources, to be edited."""
    for name, source in (("CORE", code.CORE), ("SESSIONS", code.SESSIONS)):
        shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(code, name, tmp_path / name)
    monkeypatch.setattr(estimators, "__path__", [str(tmp_path / "CORE" / "estimators")])
    shutil.copytree(experiments.__path__[0], tmp_path / "experiments")
    monkeypatch.setattr(experiments, "__path__", [str(tmp_path / "experiments")])
    return tmp_path


def edited(path: Path) -> None:
    path.write_text(path.read_text() + "\n# edited\n")


EDITS = {
    "CORE/estimators/rebar.py": {("grammar", "rebar"), ("cfg", "rebar")},
    "CORE/sequences.py": "all",
    "CORE/tasks/cfg.py": "all",
    "CORE/estimators/reinforce_loo.py": "all",  # by which `gradient_quality` trains for all
    "SESSIONS/adversarial.py": "all",
    "experiments/cfg.py": {("cfg", "rebar"), ("cfg", "relax")},
    "experiments/grammar.py": "all",  # others import from it
    "experiments/oracle.py": set(),
}
ASKED = [("grammar", "rebar"), ("grammar", "relax"), ("cfg", "rebar"), ("cfg", "relax")]


@pytest.mark.parametrize("path", EDITS)
def test_an_edit_is_of_what_it_can_change(path: str, copy: Path) -> None:
    before = {asked: code.of(*asked) for asked in ASKED}
    edited(copy / path)
    after = {asked: code.of(*asked) for asked in ASKED}
    changed = {asked for asked in ASKED if before[asked] != after[asked]}
    assert changed == (set(ASKED) if EDITS[path] == "all" else EDITS[path])


def test_two_edits_without_a_commit_are_two_codes(copy: Path) -> None:
    found = {code.of("grammar", "rebar")}
    for _ in range(2):
        edited(copy / "CORE/estimators/rebar.py")
        found.add(code.of("grammar", "rebar(temperature=0.3)"))
    assert len(found) == 3


def test_rows_of_before_codes_were_kept_are_told_by_their_commit() -> None:
    now = code.of("grammar", "rebar")
    trials = pd.DataFrame(
        {
            "experiment": "grammar",
            "length": 3,
            "estimator": "rebar",
            "code": [now, "0-1", "", "", now],
            "commit": ["a" * 40, "b" * 40, "b" * 40, "a" * 40, "b" * 40 + "+dirty"],
        }
    )
    assert code.others(trials, "a" * 40).tolist() == [False, True, True, False, False]
    told = code.told(trials)
    assert "grammar 3 rebar (code 0-1 of commit bbbbbbbb, " in told
    assert "code unknown of commit aaaaaaaa" in told
    assert "of commit bbbbbbbb+dirty" in told
