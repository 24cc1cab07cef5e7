"""What a user sees: the right result, or one line that says what is wrong and what to do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.cli import main
from bench.running import code
from bench.sessions import intact
from bench.tables import store

ROOT = Path(__file__).parents[2]
QUICK = ["--preset", "smoke", "--lengths", "3", "--estimators", "rebar,relax"]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def say(nap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Carry out a command line in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def carry_out(*arguments: str) -> Said:
        intact.beginning.cache_clear()  # what a test patches is not a unit's doing
        code = main(list(arguments))
        return Said(code, *capsys.readouterr())

    return carry_out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], ["rnu", "run"]),
        (["run"], ["EXPERIMENT"]),
        (["run", "nao"], ['unknown experiment "nao"', 'did you mean "nap"?']),
        (["run-all", "--preset", "smok"], ['unknown preset "smok"', 'did you mean "smoke"?']),
        (["report", "--preset", "smok"], ['unknown preset "smok"', 'did you mean "smoke"?']),
        (["run-all", "--estimators", "rebar,relux"], ['"relux"', 'did you mean "relax"?']),
        (["run-all", "--estimators", "qqqq"], ['unknown estimator "qqqq"', "rebar, "]),
        (["run-all", "--device", "gpu"], ['unknown device "gpu"', "cpu"]),
        (["run-all", "--lengths", "0"], ["--lengths 0", "1 or more"]),
        (["run-all", "--lengths", "3,-1"], ["--lengths -1", "1 or more"]),
        (["run-all", "--lengths", "3,ten"], ['"ten" is not a whole number']),
        (["run-all", "--lengths", ""], ["--lengths", "nothing is named"]),
        (["run-all", "--lengths", "99999999"], ["--lengths 99999999", "10,000 at most"]),
        (["run-all", "--estimators", ","], ["--estimators", "nothing is named"]),
        (["run-all", "--sessions", "0"], ["--sessions 0", "1 or more"]),
        (["run-all", "--sessions", "many"], ["--sessions"]),
        (["run-all", "--workers", "0"], ["--workers 0", "1 or more"]),
        (["run-all", "--sesions", "3"], ["--sesions", "--sessions"]),
        (["run-all", "--estimators", "exact", "--lengths", "15"], ["nothing to run"]),
        (["run-all", "--results", "/dev/null/here"], ["/dev/null/here", "another folder"]),
        (["run-all", "--reports", "/dev/null/here"], ["/dev/null/here", "another folder"]),
        (["report"], ["no results in results/standard", "run-all"]),
    ],
)
def test_a_mistake_is_told_in_one_line(say: Any, arguments: list[str], words: list[str]) -> None:
    said = say(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert all(word in said.err for word in words), said.err


def test_cuda_must_be_there(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    said = say("run-all", "--device", "cuda")
    assert said.code == 2
    assert "--device cpu" in said.err


def test_a_spoilt_results_folder_stops_before_anything_is_lost(say: Any) -> None:
    assert say("run-all", *QUICK).code == 0
    trials = sorted(Path("results/smoke/trials").iterdir())
    trials[0].write_bytes(trials[0].read_bytes()[:50])
    for arguments in (["run-all", *QUICK, "--sessions", "9"], ["report", "--preset", "smoke"]):
        said = say(*arguments)
        assert said.code == 2
        assert str(trials[0]) in said.err
        assert said.err.count("\n") == 1
    trials[0].unlink()
    said = say("run-all", *QUICK)
    assert said.code == 0
    assert "[1/1]" in said.err


def test_no_arguments_show_the_help(say: Any) -> None:
    said = say()
    assert said.code == 0
    assert all(command in said.out for command in ("run-all", "run", "list", "report"))


def test_list_names_everything(say: Any) -> None:
    said = say("list")
    assert said.code == 0
    for word in ("nap", "Sleeps and calls that training.", "rebar", "grammar", "smoke", "paper"):
        assert word in said.out


def test_a_run_ends_with_a_report_and_is_not_repeated(say: Any) -> None:
    said = say("run", "nap", *QUICK)
    assert said.code == 0
    assert "report: reports/smoke/index.html" in said.out
    assert "finished in" in said.out
    assert "[2/2]" in said.err
    again = say("run-all", *QUICK)
    assert again.code == 0
    assert "nothing left to compute" in again.out
    assert "other code" not in again.out
    assert again.err == ""
    assert len(store.read(Path("results/smoke")).trials) == 4


def test_sessions_that_other_code_has_made_are_named_and_computed_anew_if_that_is_asked_for(
    say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed or not: an edit of one estimator's file is of its own sessions alone."""
    assert say("run-all", *QUICK).code == 0
    of = code.of
    edited = lambda e, name: "edited-" if name == "rebar" else of(e, name)  # noqa: E731
    monkeypatch.setattr(code, "of", edited)
    said = say("run-all", *QUICK)
    assert said.code == 0
    line = next(line for line in said.out.splitlines() if "other code" in line)
    assert line.startswith("2 sessions are kept that other code has made: nap 3 rebar (code ")
    assert "--anew computes those that are asked for again" in said.out
    said = say("run-all", *QUICK, "--anew", "--dry-run")
    assert said.out.splitlines()[-1].startswith("2 sessions to run in 1 units")
    assert "[1/1]" in say("run-all", *QUICK, "--anew").err
    trials = store.read(Path("results/smoke")).trials
    assert set(trials.loc[trials["estimator"] == "rebar", "code"]) == {"edited-"}
    said = say("run-all", *QUICK, "--anew")
    assert "nothing left to compute" in said.out
    assert "other code" not in said.out


def test_sessions_computed_in_other_groups_before_an_edit_give_way_as_well(
    say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert say("run-all", *QUICK, "--sessions", "4").code == 0
    monkeypatch.setattr(code, "of", lambda e, name: "edited-")
    assert say("run-all", *QUICK, "--sessions", "2", "--anew").code == 0
    trials = store.read(Path("results/smoke")).trials
    assert (trials.groupby("session")["code"].nunique() == 1).all()
    assert set(trials.loc[trials["code"] == "edited-", "session"]) == {0, 1}


def test_code_that_is_edited_while_a_command_runs_makes_no_rows(
    say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(range(99))
    monkeypatch.setattr(code, "of", lambda e, name: f"{next(codes)}-")
    said = say("run-all", *QUICK)
    assert said.code == 1
    assert "UserError: the code has changed since the command began; run it again" in said.err


@pytest.mark.parametrize("again", [False, True])
def test_a_results_folder_that_goes_away_while_a_command_runs_is_told(
    say: Any, nap: Any, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    run = nap.run

    def moving(*arguments: Any) -> Any:
        if Path("results/smoke").exists() and not Path("elsewhere").exists():
            Path("results/smoke").rename("elsewhere")
            if again:
                Path("results/smoke").mkdir()
        return run(*arguments)

    monkeypatch.setattr(nap, "run", moving)
    said = say("run-all", *QUICK)
    assert said.code == 2
    assert "results/smoke is not there any more" in said.err
    assert "0 of 2 units were kept in it" in said.err
    assert "finished" not in said.out


def test_a_file_that_is_taken_out_while_a_command_runs_is_told(
    say: Any, nap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert say("run-all", *QUICK).code == 0
    run = nap.run

    def taking(*arguments: Any) -> Any:
        for path in Path("results/smoke/trials").glob("*rebar*"):
            path.unlink()
        return run(*arguments)

    monkeypatch.setattr(nap, "run", taking)
    said = say("run-all", *QUICK, "--sessions", "3")
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith(
        "error: 2 sessions that were done are not in results/smoke any more, nor in the report"
    )


def test_estimators_may_be_given_in_any_way(say: Any) -> None:
    ways = ["--estimators", "rebar,relax", "--estimators", "rebar", "--estimators", " reinforce"]
    said = say("run", "nap", "nap", "--preset", "smoke", "--lengths", "3,3", *ways)
    assert said.code == 0
    assert "[3/3]" in said.err


def test_a_dry_run_shows_the_plan_and_touches_nothing(say: Any) -> None:
    assert say("run-all", *QUICK).code == 0
    before = sorted(Path().rglob("*"))
    said = say("run-all", *QUICK, "--sessions", "5", "--dry-run", "--workers", "1")
    assert said.code == 0
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0].split()[6:8] == ["done", "pending"]
    assert lines[1].split()[:8] == ["nap", "bed", "synthetic", "3", "rebar", "default", "2", "3"]
    assert lines[-1].startswith("6 sessions to run in 2 units: about")
    assert sorted(Path().rglob("*")) == before


def test_a_failed_session_is_told_and_the_run_goes_on(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAP_FAILS", "rebar")
    said = say("run-all", *QUICK)
    assert said.code == 1
    assert "RuntimeError: fell out of bed" in said.err
    assert "2 sessions failed" in said.out
    assert "report: " in said.out
    monkeypatch.delenv("NAP_FAILS")
    assert say("run-all", *QUICK).code == 0
    assert set(store.read(Path("results/smoke")).trials["status"]) == {"ok"}


def test_shards_are_merged_and_run_on_from(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAP_FAILS", "rebar")
    assert say("run-all", *QUICK, "--results", "a=1").code == 1
    monkeypatch.delenv("NAP_FAILS")
    for folder, sessions in (("b", "3"), ("c", "5")):
        assert say("run-all", *QUICK, "--results", folder, "--sessions", sessions).code == 0
    said = say("merge", "a=1", "b", "c", "--to", "both")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("merged 10 sessions of 3 folders, 6 of them in several: 0.0 MB in both")
    here = ["run-all", *QUICK, "--results", "both", "--sessions"]
    assert "nothing left to compute" in say(*here, "5").out
    assert "[2/2]" in say(*here, "7").err
    assert len(store.read(Path("both")).trials) == 14
    assert say("merge", "both", "c", "--to", "b").err.startswith("error: b holds tables already")
    assert say("merge", "both", "c", "--to", "all").code == 0
    assert sorted(path.name for path in Path("all").iterdir()) == ["metrics.parquet", "trials.parquet"]


def test_a_packed_unit_that_failed_is_tried_again(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAP_FAILS", "rebar")
    assert say("run-all", *QUICK).code == 1
    assert say("merge", "results/smoke", "--to", "packed").code == 0
    monkeypatch.delenv("NAP_FAILS")
    assert "[1/1]" in say("run-all", *QUICK, "--results", "packed").err
    assert list(store.read(Path("packed")).trials["status"]) == ["ok"] * 4


def test_a_diverged_session_is_no_failure(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAP_DIVERGES", "rebar")
    said = say("run-all", *QUICK)
    assert said.code == 0
    assert "2 diverged" in said.err


def _heed_interrupts() -> None:
    """A shell's background job ignores Ctrl-C, and so would what it starts: the tests may be one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Start the command line as a process of its own, with the fake experiment."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "tests" / "fake_bench.py"), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_goes_on(start: Any, tmp_path: Path) -> None:
    arguments = ["run-all", *QUICK, "--sessions", "12", "--workers", "2"]
    process = start(*arguments, NAP_SECONDS="0.4")
    trials = tmp_path / "results" / "smoke" / "trials"
    wait_for(lambda: trials.exists() and any(trials.glob("[!.]*")))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, err = process.communicate(timeout=5)
    assert process.returncode == 130, err
    assert "report" not in out
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("stopped: ")
    assert last.endswith("the same command goes on from there")
    done = {path: path.stat().st_mtime_ns for path in trials.glob("[!.]*")}
    assert f" {len(done)} of 6 units" in last

    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"[{6 - len(done)}/{6 - len(done)}]" in err
    assert all(path.stat().st_mtime_ns == time_of for path, time_of in done.items())
    assert len(store.read(tmp_path / "results" / "smoke").trials) == 24


def test_a_unit_that_kills_its_worker_fails_and_the_rest_goes_on(start: Any, tmp_path: Path) -> None:
    process = start("run-all", *QUICK, "--workers", "1", NAP_DIES="relax")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "2 failed; it ended its worker, twice: the process was ended by SIGKILL, often for want of" in err
    assert "report: " in out
    trials = store.read(tmp_path / "results" / "smoke").trials
    assert set(zip(trials["estimator"], trials["status"], strict=True)) == {
        ("rebar", "ok"),
        ("relax", "failed"),
    }


@pytest.mark.slow
def test_workers_end_with_a_killed_parent(start: Any, tmp_path: Path) -> None:
    process = start("run-all", *QUICK, "--workers", "1", NAP_SECONDS="0.5", PYTHONUNBUFFERED="1")
    trials = tmp_path / "results" / "smoke" / "trials"
    wait_for(lambda: trials.exists() and any(trials.glob("[!.]*")))
    process.kill()
    process.communicate(timeout=5)  # returns only when nobody holds the pipes any longer
