"""What nobody can mean, or no machine can hold, is one line before anything is computed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import experiments, lists, options, surroundings
from bench.errors import UserError
from bench.running import adjust
from bench.running.request import Assignment
from bench.sessions.settings import problems

HUGE = [10**19, 10**400, 10**4200, -(10**400), -1, 1e308, 5e-324, float("nan"), float("inf"), "x" * 6000]


@pytest.mark.parametrize("text", ["9" * 5000, f"0-{'9' * 5000}", "0-99999999999", "1000000000"])
def test_numbers_of_sessions_have_a_limit(text: str) -> None:
    with pytest.raises(UserError, match="--sessions"):
        lists.sessions(text)


@pytest.mark.parametrize("experiment", experiments.available())
def test_any_value_of_any_setting_is_taken_or_refused_in_a_line(experiment: str) -> None:
    every = [*HUGE, *((value,) for value in HUGE)]
    assert all(len(told(experiment, name, v)) < 500 for name in adjust.settable(experiment) for v in every)


def told(experiment: str, name: str, value: object) -> str:
    try:
        adjust.settings(experiment, "smoke", [Assignment(f"--set {name}", name, value)])
    except UserError as error:
        return str(error)
    return ""


def test_what_presets_set_is_within_the_limits() -> None:
    for name in experiments.available():
        for preset in experiments.load(name).PRESETS.values():
            assert not list(problems(preset))


def test_what_is_counted_has_a_limit() -> None:
    for name in ("updates", "batch", "generated", "training_set", "samples", "hidden", "draws", "warmup"):
        with pytest.raises(UserError, match=f"--set {name}"):
            adjust.settings("grammar", "smoke", [Assignment(f"--set {name}", name, 10**9)])


def test_a_plug_in_is_a_file_of_a_size_that_code_has(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")  # which nobody writes to
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "large.py").write_bytes(b"#" * 1_000_001)
    for name, said in (("pipe", "is a pipe"), ("folder", "is a folder"), ("large", "1,000,000 at most")):
        with pytest.raises(UserError, match=said):
            options.known_estimators([tmp_path / f"{name}.py"])


def test_notebooks_backend_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    surroundings.prepare()
    code = [sys.executable, "-c", "import bench.figures"]
    root = {"PYTHONPATH": str(Path(surroundings.__file__).parents[1])}
    assert subprocess.run(code, env={**os.environ, **root}, capture_output=True, check=False).returncode == 0


def test_a_current_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    root = str(Path(surroundings.__file__).parents[1])
    code = f"import os, sys; sys.path.append({root!r}); os.rmdir(os.getcwd()); from bench import surroundings"
    found = subprocess.run(
        [sys.executable, "-c", f"{code}; surroundings.require_folder()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
