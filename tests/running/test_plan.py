"""Only what is missing is planned, whatever was run before and in whatever groups."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.running import execute, plan
from bench.running.request import Request
from bench.tables import schema, store
from bench.tables.condition import Condition
from discgan_core.tasks import Measure

NOTHING = pd.DataFrame(columns=[*schema.TRIALS, "unit"])
REQUEST = Request(experiments=["nap"], preset="standard", estimators=["rebar"], lengths=[3])


def units(request: plan.Request, trials: pd.DataFrame = NOTHING) -> list[plan.Unit]:
    return plan.units(request, plan.make(request, trials, NOTHING))


def sessions(found: list[plan.Unit]) -> list[int]:
    return sorted(session for unit in found for session in unit.sessions)


def compute(found: list[plan.Unit], results: Path) -> pd.DataFrame:
    for unit in found:
        item = execute.run_unit(unit)
        store.write(results, unit.name, item.metrics, item.trials)
    return store.read_trials(results)


def test_units_are_consecutive_sessions_in_even_groups(nap: Any) -> None:
    groups = sorted(unit.sessions for unit in units(REQUEST))
    assert groups == [(0, 1, 2), (3, 4, 5), (6, 7, 8, 9)]


@given(st.sets(st.integers(0, 60)), st.integers(1, 20))
def test_groups_cover_every_session_once(wanted: set[int], most: int) -> None:
    groups = list(plan._groups(sorted(wanted), most))
    assert sorted(session for group in groups for session in group) == sorted(wanted)
    assert all(1 <= len(group) <= most for group in groups)
    assert all(group[-1] - group[0] == len(group) - 1 for group in groups)


def test_more_sessions_add_only_the_missing_ones(nap: Any, tmp_path: Path) -> None:
    trials = compute(units(replace(REQUEST, sessions=range(4))), tmp_path)
    more = replace(REQUEST, sessions=range(30))
    assert sessions(units(more, trials)) == list(range(4, 30))
    trials = compute(units(more, trials), tmp_path)
    assert units(more, trials) == []
    assert units(REQUEST, trials) == []
    assert len(store.read(tmp_path).trials) == 30


def test_another_length_or_estimator_is_pending(nap: Any, tmp_path: Path) -> None:
    trials = compute(units(REQUEST), tmp_path)
    wider = replace(REQUEST, lengths=[3, 7], estimators=["rebar", "relax"])
    entries = plan.make(wider, trials, NOTHING)
    counts = {entry.condition[1:3]: (entry.done, len(entry.pending)) for entry in entries}
    done = (10, 0)
    pending = (0, 10)
    assert counts == {
        (3, "rebar"): done,
        (3, "relax"): pending,
        (7, "rebar"): pending,
        (7, "relax"): pending,
    }


def test_failed_sessions_are_tried_again_and_diverged_ones_are_not(
    nap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = replace(REQUEST, estimators=["rebar", "relax"])
    monkeypatch.setenv("NAP_FAILS", "rebar")
    monkeypatch.setenv("NAP_DIVERGES", "relax")
    trials = compute(units(both), tmp_path)
    again = units(both, trials)
    assert {unit.condition.estimator for unit in again} == {"rebar"}
    assert sessions(again) == list(range(10))


def test_other_settings_are_another_configuration(nap: Any, tmp_path: Path) -> None:
    trials = compute(units(REQUEST), tmp_path)
    assert sessions(units(replace(REQUEST, preset="paper"), trials)) == list(range(10))
    settings = nap.PRESETS["standard"]
    neutral = replace(settings, sessions=99, lengths=(1,), stack=7)
    assert plan.config_hash(neutral) == plan.config_hash(settings)
    assert plan.config_hash(replace(settings, rate=1.0)) != plan.config_hash(settings)


def test_what_a_measure_is_travels_beside_the_settings(
    nap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, code = units(REQUEST)[0].config, units(REQUEST)[0].config_hash
    monkeypatch.setattr(nap, "MEASURES", [Measure("rest", "hours slept", best=8)], raising=False)
    (unit, *_) = units(REQUEST)
    said = json.loads(unit.config)
    assert said.pop("measures") == [{"name": "rest", "words": "hours slept", "falls": False, "best": 8}]
    assert (said, unit.config_hash) == (json.loads(plain), code)
    trials = compute(units(REQUEST), tmp_path).assign(seconds=3.0)
    assert plan.make(REQUEST, NOTHING, trials)[0].seconds == pytest.approx(3.0)


def test_another_source_is_pending(nap: Any, tmp_path: Path) -> None:
    trials = compute(units(REQUEST), tmp_path)
    assert sessions(units(REQUEST, trials.assign(source="census"))) == list(range(10))
    both = pd.concat([trials, trials.assign(source="census")])
    assert units(REQUEST, both) == []


def test_names_are_readable_and_unique(nap: Any) -> None:
    wide = replace(REQUEST, lengths=None, estimators=["rebar", "relax"])
    names = [unit.name for unit in units(wide)]
    assert len(set(names)) == len(names) == 2 * 2 * 3
    assert any(name.startswith("nap-bed-3-rebar-default-s0000-s0002-") for name in names)


def test_a_name_tells_the_source_of_data_that_are_not_the_tasks_own(nap: Any) -> None:
    unit = units(REQUEST)[0]
    listed = replace(unit, condition=unit.condition._replace(source="census"))
    assert listed.name.startswith("nap-bed-census-3-rebar-default-s")
    assert replace(listed, experiment="bed").name.startswith("bed-census-3-rebar-default-s")


def test_longest_units_come_first(nap: Any) -> None:
    lengths = [unit.condition.length for unit in units(replace(REQUEST, lengths=[3, 15]))]
    assert lengths == [15, 15, 15, 3, 3, 3]


def test_time_is_predicted_from_what_was_measured(nap: Any, tmp_path: Path) -> None:
    trials = compute(units(REQUEST), tmp_path).assign(seconds=3.0)  # ten times the predicted cost
    slow = plan.make(replace(REQUEST, preset="paper", lengths=[3, 15]), NOTHING, trials)
    assert [entry.seconds for entry in slow] == pytest.approx([6.0, 30.0])
    ours = trials.assign(seconds=0.3)
    fast = plan.make(replace(REQUEST, sessions=range(11)), ours, trials)
    assert fast[0].seconds == pytest.approx(0.3)


def test_time_is_not_predicted_from_settings_of_another_kind(nap: Any, tmp_path: Path) -> None:
    trials = compute(units(REQUEST), tmp_path)
    strange = trials.assign(seconds=99.0, config='{"other": 1}')
    pace = plan.Pace("nap", nap.PRESETS["standard"], "cpu", strange)
    assert pace(Condition("bed", 3, "rebar")) == 1.0
