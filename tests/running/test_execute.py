"""Units become tables wherever they run, and what is finished is kept whatever happens."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from conftest import Inline

from bench import stopping
from bench.running import execute, plan, progress, provenance
from bench.running.execute import Finished
from bench.running.request import Request
from bench.running.workers import LostError
from bench.tables import schema
from discgan_core import estimators

NOTHING = pd.DataFrame(columns=[*schema.TRIALS, "unit"])


@pytest.fixture
def units(nap: Any) -> list[plan.Unit]:
    request = Request(["nap"], "standard", ["rebar", "relax"], sessions=range(6), lengths=[3])
    return plan.units(request, plan.make(request, NOTHING, NOTHING))


def test_rows_say_what_they_are_and_whence(units: list[plan.Unit]) -> None:
    item = execute.run_unit(units[0])
    assert list(item.metrics) == [*schema.METRICS]
    assert list(item.trials) == [*schema.TRIALS]
    trial = item.trials.iloc[0]
    assert (trial["task"], trial["source"], trial["length"]) == ("bed", "synthetic", 3)
    assert trial["torch"] == torch.__version__
    assert trial["commit"] == provenance.commit()
    assert trial["version"] == provenance.VERSION
    assert trial["config_hash"] == units[0].config_hash
    assert trial["sessions_stacked"] == 3
    own = json.loads(trial["config"])
    assert own.pop("needs") == [need.name for need in estimators.make(trial["estimator"]).needs]
    assert own == {"lengths": [3, 15], "rate": 0.1, "sessions": 10, "stack": 4}
    assert os.uname().nodename not in trial["machine"]


def test_a_unit_that_raises_becomes_rows(units: list[plan.Unit], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAP_FAILS", "rebar")
    kept: list[Finished] = []
    execute.run(units, Inline(), kept.append)
    trials = pd.concat([item.trials for item in kept])
    assert len(trials) == 12
    failed = trials[trials["status"] == "failed"]
    assert set(failed["estimator"]) == {"rebar"}
    assert sorted(failed["session"]) == list(range(6))
    assert failed["error"].str.fullmatch(r"RuntimeError: fell out of bed \(nap\.py:\d+\)").all()


def test_a_session_unaccounted_for_is_a_failure(
    nap: Any, units: list[plan.Unit], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = nap.run
    monkeypatch.setattr(nap, "run", lambda s, c, sessions, d: run(s, c, sessions[1:], d))
    item = execute.run_unit(units[0])
    assert set(item.trials["status"]) == {"failed"}
    assert list(item.trials["session"]) == list(units[0].sessions)


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_without_words_becomes_rows_too(
    nap: Any, units: list[plan.Unit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> None:
        raise Silent

    monkeypatch.setattr(nap, "run", run)
    item = execute.run_unit(units[0])
    assert (
        item.trials["error"].str.startswith("Silent: (its text raises RuntimeError) (test_execute.py:").all()
    )


class Losing(Executor):
    """Loses its worker at every second unit, or so many times at each."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.tries: dict[str, int] = {}

    def submit(self, function: Any, /, unit: plan.Unit) -> Future[Any]:
        future: Future[Any] = Future()
        place = self.tries.setdefault(unit.name, 0)
        self.tries[unit.name] += 1
        if unit.condition.estimator == "relax" and place < self.times:
            future.set_exception(LostError("the process was ended by SIGSEGV"))
        else:
            future.set_result(function(unit))
        return future


@pytest.mark.parametrize(("times", "status"), [(1, "ok"), (9, "failed")])
def test_a_unit_whose_worker_is_lost_is_tried_once_more_and_the_rest_goes_on(
    units: list[plan.Unit], times: int, status: str
) -> None:
    kept: list[Finished] = []
    pool = Losing(times)
    execute.run(units, pool, kept.append)
    assert sorted(item.unit.name for item in kept) == sorted(unit.name for unit in units)
    trials = pd.concat([item.trials for item in kept])
    assert set(trials.loc[trials["estimator"] == "rebar", "status"]) == {"ok"}
    lost = trials[trials["estimator"] == "relax"]
    assert set(lost["status"]) == {status}
    assert list(lost.columns) == [*schema.TRIALS]
    said = "it ended its worker, twice: the process was ended by SIGSEGV" if times > 1 else ""
    assert set(lost["error"]) == {said}
    assert {tries for name, tries in pool.tries.items() if "relax" in name} == {2}


@pytest.mark.parametrize("raised", [SystemExit(0), KeyboardInterrupt(), GeneratorExit(), MemoryError()])
def test_whatever_a_unit_raises_becomes_rows(
    nap: Any, units: list[plan.Unit], monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def run(*_: object) -> None:
        raise raised

    monkeypatch.setattr(nap, "run", run)
    item = execute.run_unit(units[0])
    assert set(item.trials["status"]) == {"failed"}
    assert item.trials["error"].str.startswith(type(raised).__name__).all()


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the signals over, and give them back."""
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    monkeypatch.setattr(stopping, "_now", SimpleNamespace(**vars(stopping._now)))
    for number in stopping.SIGNALS:  # whoever runs the tests in the background has Ctrl-C ignored
        signal.signal(number, signal.SIG_DFL)
    stopping.prepare()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_an_interruption_keeps_what_is_finished(units: list[plan.Unit]) -> None:
    kept: list[str] = []

    def keep(item: Finished) -> None:
        if not kept:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)  # where Python would notice, were it not put off
        kept.append(item.unit.name)

    with stopping.orderly(), pytest.raises(stopping.Stop):
        execute.run(units, Inline(), keep)
    assert sorted(kept) == sorted(unit.name for unit in units)


def test_commit_is_known_only_of_our_own_repository(tmp_path: Path) -> None:
    assert provenance.commit(tmp_path) == "unknown"
    (tmp_path / ".git").mkdir()  # not a repository either
    assert provenance.commit(tmp_path / "inner") == "unknown"


def test_the_clock_learns_the_pace(units: list[plan.Unit], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    clock = progress.Clock(units, workers=1)
    predicted = clock.left()
    assert predicted == pytest.approx(sum(unit.seconds for unit in units))
    now[0] = predicted  # half of the units took as long as all were thought to take
    for unit in units[:2]:
        clock.finish(unit)
    assert 0.5 * predicted < clock.left() < 1.2 * predicted
    now[0] += 10 * predicted
    assert clock.left() == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (220, "3 min 40 s"), (7500, "2 h 05 min")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text
