"""A user's own estimator joins the others; one that cannot is told in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import main
from bench.report import made
from bench.running.request import Request
from bench.tables import store
from discgan_core import estimators, plugins
from discgan_core.interface import Estimator

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "moving_baseline.py"
GOOD = '''"""Leave-one-out under another name."""
from discgan_core.estimators.reinforce_loo import reinforce_loo


def mine(samples=4):
    return reinforce_loo(samples)
'''


@pytest.fixture(autouse=True)
def _as_if_started_anew(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(estimators, "_loaded", {})


@pytest.fixture
def say(nap, capsys):
    """Carry out a command line in an empty folder, in this process, with the fake experiment."""

    def carry_out(*arguments):
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return carry_out


def written(text, name="mine.py"):
    path = Path(name).resolve()
    path.write_text(text)
    return path


RUN = ["run", "nap", "--preset", "smoke", "--lengths", "3", "--plugin", "mine.py"]
BAD = {
    "no such file": ("nowhere.py", None, ["cannot read", "nowhere.py"]),
    "a folder": (".", None, ["must be a Python name"]),
    "no Python name": ("my-own.py", GOOD, ["my-own.py", "must be a Python name with .py behind it"]),
    "no Python file": ("mine.txt", GOOD, ["mine.txt", ".py behind it"]),
    "one of ours": ("rebar.py", GOOD, ["rebar.py", "there is an estimator rebar already"]),
    "a syntax error": ("mine.py", "x = 1\ndef mine(:\n", ["mine.py, line 2: SyntaxError"]),
    "a bad indent": ("mine.py", "def mine():\nreturn 1\n", ["mine.py, line 2: IndentationError"]),
    "no UTF-8": ("mine.py", b"x = '\xff'\n", ["mine.py", "SyntaxError", "utf-8"]),
    "an import that fails": ("mine.py", "\nimport nowhere\n", ["line 2: ModuleNotFoundError", "'nowhere'"]),
    "an exit": ("mine.py", "import sys\nsys.exit(3)\n", ["mine.py, line 2: SystemExit: 3"]),
    "no factory": ("mine.py", GOOD.replace("mine(", "other("), ["mine.py has no function mine(..)"]),
    "a factory that is none": ("mine.py", "mine = 3\n", ["mine.py has no function mine(..)"]),
    "a factory that fails": ("mine.py", "def mine():\n    return 1 / 0\n", ["line 2: ZeroDivisionError"]),
    "one that needs arguments": ("mine.py", "def mine(k):\n    pass\n", ["mine.py", "TypeError", "'k'"]),
    "something else": ("mine.py", "def mine():\n    return 3\n", ["gives a int", "interface.Estimator"]),
}


@pytest.mark.parametrize("command", [RUN[:-1], ["list", "--plugin"]])
@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_is_told_in_one_line(say, mistake, command):
    name, text, words = BAD[mistake]
    if text is not None:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = say(*command, name)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err
    assert not Path("results").exists()


def test_two_files_of_one_name(say):
    Path("other").mkdir()
    for folder in (".", "other"):
        written(GOOD, f"{folder}/mine.py")
    code, _, err = say("list", "--plugin", "mine.py", "--plugin", "other/mine.py")
    assert code == 2
    assert "other/mine.py: there is an estimator mine already" in err


def test_it_is_listed_and_can_be_asked_for_by_name(say):
    written(GOOD)
    code, out, _ = say("list", "--plugin", "mine.py")
    assert code == 0
    assert "  mine                     Leave-one-out under another name.\n" in out
    code, _, err = say(*RUN[:-2], "--estimators", "mine", "--dry-run")
    assert code == 0, "loaded once, it stays until the process ends"
    code, _, err = say(*RUN, "--estimators", "mime")
    assert 'did you mean "mine"?' in err


def sessions(folder="results/smoke"):
    trials = store.read(Path(folder)).trials
    return trials.groupby("estimator")["config_hash"].agg(set).to_dict()


def test_what_was_computed_with_another_content_is_computed_anew(say):
    path = written(GOOD)
    assert say(*RUN, "--estimators", "mine,rebar")[0] == 0
    first = sessions()
    plain, with_plugin = first["rebar"].pop(), first["mine"].pop()
    assert with_plugin == plain + "+" + estimators.origin("mine").rpartition("#")[2]
    assert "nothing left to compute" in say(*RUN, "--estimators", "mine,rebar")[1]
    path.write_text(GOOD.replace("samples=4", "samples=8"))
    _, _, err = say(*RUN, "--estimators", "mine,rebar")
    assert "[1/1] nap-bed-3-mine" in err, "only the plug-in's sessions are"
    second = sessions()
    assert second["mine"] == {with_plugin[:9] + estimators.origin("mine").rpartition("#")[2]} != {with_plugin}
    assert second["rebar"] == {plain}
    (note,) = store.read(Path("results/smoke")).notes
    assert f"2 trials of {with_plugin} are left out" in note
    assert say("report", "--preset", "smoke")[0] == 0, "which needs the tables alone"


def test_a_session_of_a_plug_in_says_where_it_is_from(say):
    path = written(GOOD)
    assert say(*RUN, "--estimators", "mine,rebar")[0] == 0
    trials = store.read(Path("results/smoke")).trials
    configs = trials.set_index("estimator")["config"]
    assert f'"plugin": "{path}#' in configs["mine"].iloc[0]
    assert "plugin" not in configs["rebar"].iloc[0]
    assert made.command("nap", trials).endswith(f"--estimators mine,rebar --plugin {path}")
    assert made.facts(trials)["plug-ins"] == estimators.origin("mine")
    assert "plugin" not in made.settings(trials)


def test_it_keeps_the_contract_or_the_command_fails(say):
    path = written(GOOD.replace("(samples)", "(samples)._replace(samples_per_draw=4.0)"))
    code, out, err = say("test", "mine", "--plugin", "mine.py")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == f"testing mine ({path})"
    assert lines[1].startswith("what it declares ... FAILED: samples_per_draw is 4.0")
    assert lines[-1].endswith("checks failed")
    assert "Traceback" not in out
    code, out, err = say("test", "mien", "--plugin", "mine.py")
    assert code == 2
    assert 'did you mean "mine"?' in err


def test_the_example_keeps_the_contract(say):
    code, out, _ = say("test", "moving_baseline", "--plugin", str(EXAMPLE))
    assert code == 0, out
    assert out.splitlines()[-1] == "it keeps the contract"


def installed(monkeypatch, folder, module="acme_estimators", code=GOOD, name="mine", package="acme"):
    """Put a package that brings an estimator where Python finds it."""
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, module, raising=False)
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{package}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{name} = {module}:mine\n")


@pytest.fixture
def _no_cache():
    yield
    plugins.entries.cache_clear()
    plugins.installed.cache_clear()


@pytest.fixture
def site(tmp_path, _no_cache):
    plugins.entries.cache_clear()
    plugins.installed.cache_clear()
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_an_installed_package_brings_one(say, site, monkeypatch):
    installed(monkeypatch, site)
    assert "Leave-one-out under another name." in say("list")[1]
    assert "acme_estimators" not in sys.modules, "a list imports nothing"
    assert isinstance(estimators.make("mine", samples=2), Estimator)
    assert estimators.origin("mine").startswith("acme 1.2#")
    assert say(*RUN[:-2], "--estimators", "mine")[0] == 0
    assert "+" in sessions()["mine"].pop()


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ({"name": "rebar"}, ["acme 1.2", "rebar", "one of ours", "uninstall"]),
        ({"code": "import nowhere\n"}, ["mine of acme 1.2", "line 1: ModuleNotFoundError"]),
        ({"code": "mine = 3\n"}, ["mine of acme 1.2", "no function"]),
    ],
)
def test_a_package_that_cannot_join_is_told_in_one_line(say, site, monkeypatch, package, words):
    installed(monkeypatch, site, **package)
    code, out, err = say(*RUN[:-2])
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err


def test_two_packages_that_bring_the_same_are_told(say, site, monkeypatch):
    for package in ("acme", "bolt"):
        installed(monkeypatch, site, package=package)
    assert "acme 1.2 and bolt 1.2 both bring an estimator mine" in say("list")[2].replace(
        "bolt 1.2 and acme 1.2", "acme 1.2 and bolt 1.2"
    )


def process(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_worker_processes_have_it_too():
    written(GOOD)
    fake = str(ROOT / "tests" / "fake_bench.py")
    done = process(fake, *RUN, "--estimators", "mine", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "2 ok" in done.stderr


def test_a_file_edited_under_way_is_not_run_for_what_it_was(nap):
    from bench.running import execute, plan

    path = written(GOOD)
    estimators.load(path)
    request = Request(["nap"], "smoke", ["mine"], lengths=[3])
    nothing = store.read_trials(Path("nowhere"))
    (unit,) = plan.units(request, plan.make(request, nothing, nothing))
    estimators._loaded.clear()  # as in a worker
    path.write_text(GOOD + "\n")
    trials = execute.run_unit(unit).trials
    assert set(trials["status"]) == {"failed"}
    assert trials["error"].str.contains("mine.py has changed since the command began").all()


def test_an_error_in_a_session_names_the_plug_in_s_line(nap, monkeypatch):
    from bench.running import execute, plan

    line = "    return torch.zeros(2).reshape(3)  # fails inside torch, or so it seems\n"
    path = written(f"import torch\n{GOOD}\n\ndef fall():\n{line}")
    estimators.load(path)
    request = Request(["nap"], "smoke", ["mine"], lengths=[3])
    nothing = store.read_trials(Path("nowhere"))
    (unit,) = plan.units(request, plan.make(request, nothing, nothing))
    fall = sys.modules[f"{plugins.GROUP}.mine"].fall
    monkeypatch.setattr(nap, "run", lambda *_: fall())
    (error,) = set(execute.run_unit(unit).trials["error"])
    assert error.endswith("(mine.py:11)"), error


@pytest.mark.slow
def test_the_example_trains_and_is_in_the_report():
    """As a user would: two processes, the second from the tables alone."""
    options = ["--preset", "smoke", "--lengths", "3", "--estimators", "moving_baseline,reinforce"]
    done = process("-m", "bench", "run", "grammar", *options, "--plugin", str(EXAMPLE), "--workers", "1")
    assert done.returncode == 0, done.stderr
    page = Path("reports/smoke/index.html").read_text(encoding="utf-8")
    assert page.count("moving baseline") > 5
    assert f"--plugin {EXAMPLE}" in page
    assert process("-m", "bench", "report", "--preset", "smoke").returncode == 0
    again = Path("reports/smoke/index.html").read_text(encoding="utf-8")
    assert again.count("moving baseline") == page.count("moving baseline")
    figures = [path.read_text(encoding="utf-8") for path in Path("reports/smoke/figures").glob("*.svg")]
    assert sum("moving baseline" in text for text in figures) > 2


HELPED = '''"""Leave-one-out, by a helper beside it."""
from lend_a_hand import SAMPLES, made


def mine(samples=SAMPLES):
    from later_on import checked  # found whenever it is called

    return checked(made(samples))
'''
HELPERS = {
    "lend_a_hand.py": "from more.things import loo\nSAMPLES = 4\nmade = loo\n",
    "later_on.py": "def checked(estimator):\n    return estimator\n",
    "more/__init__.py": "",
    "more/things.py": "from discgan_core.estimators.reinforce_loo import reinforce_loo as loo\n",
    "unrelated.py": "1 / 0\n",
}


@pytest.fixture
def helped(monkeypatch):
    """A plug-in with helpers; what it imports is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, text in HELPERS.items():
        Path(name).parent.mkdir(exist_ok=True)
        written(text, name)
    yield written(HELPED)
    for name in ("lend_a_hand", "later_on", "more", "more.things"):
        sys.modules.pop(name, None)


def test_a_plug_in_may_import_what_lies_beside_it(helped):
    estimators.load(helped)
    assert estimators.make("mine").samples_per_draw == 4
    assert estimators.make("mine", samples=2).samples_per_draw == 2
    assert set(plugins.helpers(helped)) == {"lend_a_hand", "later_on", "more", "more.things"}
    assert not list(Path().rglob("__pycache__"))


def test_without_helpers_it_is_called_what_it_was():
    path = written(GOOD)
    estimators.load(path)
    assert estimators.origin("mine") == plugins.fingerprint(str(path), GOOD.encode())


@pytest.mark.parametrize("name", [name for name in HELPERS if name != "unrelated.py"])
def test_a_helper_edited_is_the_plug_in_edited(helped, name):
    estimators.load(helped)
    before = estimators.origin("mine")
    written(HELPERS[name] + "# edited\n", name)
    estimators.load(helped)
    assert estimators.origin("mine") != before


def test_an_edited_helper_is_the_one_that_runs(helped):
    estimators.load(helped)
    written(HELPERS["lend_a_hand.py"].replace("4", "8"), "lend_a_hand.py")  # of the same size, at once
    estimators.load(helped)
    assert estimators.make("mine").samples_per_draw == 8


def test_what_lies_beside_it_but_is_not_imported_is_no_part_of_it(helped):
    estimators.load(helped)
    before = estimators.origin("mine")
    written("2 / 0\n", "unrelated.py")
    estimators.load(helped)
    assert estimators.origin("mine") == before


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("lend_a_hand.py", "1 / 0\n", "lend_a_hand.py, line 1: ZeroDivisionError"),
        ("lend_a_hand.py", "def made(:\n", "lend_a_hand.py, line 1: SyntaxError"),
        ("more/things.py", "x = = 1\n", "more/things.py, line 1: SyntaxError"),
        ("lend_a_hand.py", "SAMPLES = 1\ndef made(s):\n    return 1 / 0\n", "lend_a_hand.py, line 3: Zero"),
    ],
)
def test_a_mistake_in_a_helper_is_told_where_it_is(say, helped, name, text, words):
    written(text, name)
    code, _, told = say(*RUN)
    assert (code, told.count("\n")) == (2, 1)
    assert words in told


@pytest.mark.parametrize("name", ["torch", "random", "yaml"])
def test_a_helper_with_another_module_s_name_is_told(say, name):
    written("", f"{name}.py")
    written(f"import {name}\n{GOOD}")
    code, _, told = say(*RUN)
    assert (code, told.count("\n")) == (2, 1)
    assert f"mine.py imports {name}, which is {Path(f'{name}.py').resolve()}, but also" in told


def test_helpers_of_one_name_in_two_folders_are_told(helped):
    estimators.load(helped)
    Path("other").mkdir()
    written("def made():\n    pass\n", "other/lend_a_hand.py")
    other = written("from lend_a_hand import made as yours\n", "other/yours.py")
    with pytest.raises(plugins.PluginError, match=r"yours.py imports lend_a_hand, which is .*but also"):
        estimators.load(other)


def test_workers_have_the_helpers_too(helped):
    done = process(str(ROOT / "tests" / "fake_bench.py"), *RUN, "--estimators", "mine", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "2 ok" in done.stderr


def test_a_helper_edited_under_way_is_seen(nap, helped):
    from bench.running import execute, plan

    estimators.load(helped)
    request = Request(["nap"], "smoke", ["mine"], lengths=[3])
    nothing = store.read_trials(Path("nowhere"))
    (unit,) = plan.units(request, plan.make(request, nothing, nothing))
    estimators._loaded.clear()  # as in a worker
    written(HELPERS["more/things.py"] + "\n", "more/things.py")
    trials = execute.run_unit(unit).trials
    assert trials["error"].str.contains("mine.py has changed since the command began").all()
