"""The program by both of its names, as processes: wherever it is called, at once, and never a traceback."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import bench
import discgan_core
from bench import cli
from bench.options import Options

SCRIPT = [str(Path(sysconfig.get_path("scripts")) / "discgan-bench")]
MODULE = [sys.executable, "-m", "bench"]
NAMES = {"discgan-bench": SCRIPT, "python -m bench": MODULE}
LARGE = ("torch", "numpy", "pandas", "matplotlib", "pooch")


def process(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    environment.pop("PYTHONPATH", None)
    environment.pop("PYTHONSAFEPATH", None)  # as a user has it, whatever ran before in this process
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_its_version_and_is_called_as_it_was_called(name):
    done = process(*NAMES[name], "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"discgan-bench {bench.__version__}\n", "")
    assert process(*NAMES[name], "rnu").stderr.endswith(f"(see `{name} --help`)\n")
    assert f"Usage: {name} run " in process(*NAMES[name], "run", "-h").stdout


def test_the_version_is_the_package_s():
    text = (Path(cli.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{bench.__version__}"\n' in text
    assert discgan_core.__version__ == bench.__version__


HIDING = ("names", "torch", "random", "pathlib", "typer", "discgan_core")


@pytest.mark.parametrize("name", NAMES)
def test_files_in_the_current_folder_hide_nothing(name):
    """`run names` reads an installed package of that name."""
    for module in (*HIDING, *(["bench"] if name == "discgan-bench" else [])):
        Path(f"{module}.py").write_text(f"raise SystemExit('{module}.py was imported')\n")
    done = process(*NAMES[name], "run", "names", "--estimators", "likelihood", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "names       names  census  10" in done.stdout


STARTS = """
from bench.running import processes
processes.FORKS = {forks}
if __name__ == "__main__":
    with processes.workers(1) as pool:
        print(pool.submit(pow, 2, 3).result())
"""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 always looks in the current folder first")
@pytest.mark.parametrize("forks", {sys.platform == "linux", False})
def test_nor_do_they_in_workers(forks):
    for module in ("random", "signal", "selectors"):
        Path(f"{module}.py").write_text("raise SystemExit('it was imported')\n")
    script = Path("elsewhere") / "starts.py"
    script.parent.mkdir()
    script.write_text(STARTS.format(forks=forks))
    done = process(sys.executable, str(script))
    assert (done.stdout, done.stderr) == ("8\n", "")


AT_ONCE = {
    "help": (["run", "--help"], "--dry-run"),
    "list": (["list"], "Leave-one-out"),
    "experiment": (["run", "gramar"], 'did you mean "grammar"?'),
    "estimator": (["run-all", "--estimators", "rebarr"], 'did you mean "rebar"?'),
    "lengths": (["run-all", "--lengths", "abc"], '"abc" is not a whole number'),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_help_lists_and_mistakes_come_at_once(case):
    arguments, words = AT_ONCE[case]
    done = process(*SCRIPT, *arguments, PYTHONPROFILEIMPORTTIME="1")
    assert words in done.stdout + done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "bench.options" in loaded
    assert not loaded & set(LARGE)


COMPLETE = """
eval "$({script} --show-completion bash)"
complete_words() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _discgan_bench_completion "$1"; }}
for line in "run-" "run gram" "test rebar_" "run grammar --preset sm" "run grammar --estimators rebar,disa" \
  "run-all --device cu"; do complete_words {script} $line; echo "${{COMPREPLY[@]}}"; done
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_options_and_names():
    script = COMPLETE.format(script=SCRIPT[0])
    done = process("bash", "-c", script, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.stderr == ""
    assert done.stdout.split() == [
        "run-all",
        "grammar",
        "rebar_sequence",
        "smoke",
        "rebar,disarm",
        "cuda",
    ]


def test_no_completion_is_offered_that_a_shell_cannot_do():
    assert "completion" in process(*SCRIPT, "--help").stdout
    assert "completion" not in process(*MODULE, "--help").stdout


def test_what_run_can_be_told_run_all_can_be_told_too(capsys):
    options = {field.name.replace("_", "-") for field in dataclasses.fields(Options)} - {"plugins"} | {
        "plugin"
    }
    for command in ("run", "run-all"):
        assert cli.main([command, "-h"]) == 0
        shown = capsys.readouterr().out
        assert all(f"--{option} " in shown for option in options)


def test_a_reader_that_leaves_is_no_error():
    writing = subprocess.Popen([*SCRIPT, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert writing.stdout is not None
    writing.stdout.close()
    assert writing.stderr is not None
    assert writing.stderr.read() == ""
    writing.stderr.close()
    writing.wait()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk to offer")
def test_a_full_disk_is_told_in_one_line():
    done = process("sh", "-c", f"{SCRIPT[0]} list > /dev/full")
    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")


LIMITED = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", LIMITED)
@pytest.mark.parametrize("command", [["list"], ["run", "grammår→"]])
def test_a_terminal_that_lacks_a_sign_gets_all_the_rest(name, limit, command):
    done = process(*NAMES[name], *command, PYTHONUTF8="0", **LIMITED[limit])
    assert "Traceback" not in done.stderr
    assert done.returncode == (2 if command[-1] == "grammår→" else 0)
    assert done.stdout or done.stderr.count("\n") == 1


def told(*arguments):
    """Give the one line in which a command refuses, having done nothing."""
    before = sorted(Path().rglob("*"))
    done = process(*MODULE, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert sorted(Path().rglob("*")) == before
    return done.stderr


@pytest.mark.parametrize("option", ["--results", "--reports"])
@pytest.mark.parametrize("place", ["file", "file/below", "dangling", "n" * 300])
def test_a_folder_that_cannot_be_is_told_by_a_dry_run_too(option, place):
    Path("file").write_text("")
    Path("dangling").symlink_to("nowhere")
    run = ["run", "grammar", "--preset", "smoke", option, place]
    line = told(*run, "--dry-run")
    assert line.startswith(f"error: cannot write to {place} (")
    if (place, option) == ("dangling", "--results"):
        assert told(*run) == line


SLIPS = {
    "no data": (["run", "grammar", "--source", "kantrowitz"], "changes nothing in grammar: it is for names"),
    "no data too": (
        ["run", "scaling", "cfg", "--data", "mine.py"],
        "nothing in scaling, cfg: it is for names",
    ),
    "own": (["test", "mine"], "mine is none of ours: give its file, --plugin mine.py"),
    "own too": (["run-all", "--estimators", "other"], "give its file, --plugin examples/other.py"),
    "listed": (["list", "mine"], "mine is none of ours: give its file, --plugin mine.py"),
    "listed too": (["list", "rebar(temperatur=1)"], "did you mean temperature?"),
    "elsewhere": (["test", "theirs"], "if it is your own, give its file: --plugin FILE.py"),
    "file": (["test", "examples/other.py"], "write: test other --plugin examples/other.py"),
    "files": (["run-all", "--estimators", "relax,mine.py"], "write: --estimators mine --plugin mine.py"),
    "no folder": (["run-all", "--results", ""], "--results: nothing is named"),
    "long folder": (["report", "--results", "n" * 300], "File name too long"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_in_one_line(slip):
    Path("examples").mkdir()
    for path in (Path("mine.py"), Path("examples", "other.py")):
        path.write_text("")
    arguments, words = SLIPS[slip]
    assert words in told(*arguments)
