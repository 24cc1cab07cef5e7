"""Climbs on made-up tables whose truth is known: choices, budgets, contests, and how often they err."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import synthetic_climbs
from scipy.stats import t as student
from synthetic_climbs import made

from bench.statistics import climbs, contests, departures, stats, tuned
from bench.statistics.contests import BLACK_BOX, DIFFERENTIABLE
from bench.tables import schema
from bench.tables.store import Tables

CALLS = schema.DISCRIMINATOR_CALLS


def chosen(tables: Tables, budget: str = climbs.UPDATES) -> dict[tuple[str, str, str], object]:
    found = tuned.best(climbs.read(tables), budget)
    return {(row.reward, row.variant, row.bare): row for row in found.itertuples()}


def with_value(tables: Tables, sessions: range, estimator: str, setting: str, value: float) -> Tables:
    """The same tables, J of some sessions after the start being something else."""
    metrics = tables.metrics.copy()
    mine = (metrics["metric"] == schema.OBJECTIVE) & (metrics["step"] > 0)
    mine &= (metrics["estimator"] == estimator) & (metrics["setting"] == setting)
    metrics.loc[mine & metrics["session"].isin(sessions), "value"] = value
    return tables._replace(metrics=metrics)


def test_settings_are_parsed():
    found = climbs.parsed(pd.Series(["d79 rate=0.06", "d79 epsilon_1e-4 rate=1e-05", "even sgd rate=150"]))
    assert found["reward"].tolist() == ["d79", "d79", "even"]
    assert found["variant"].tolist() == ["", "epsilon_1e-4", "sgd"]
    assert found["rate"].tolist() == [0.06, 1e-5, 150]


def test_the_best_rate_and_knob_are_found_and_told_of_in_the_reported_sessions():
    found = chosen(made())
    assert found["d79", "", "local_expectation"].rate == 1.0
    assert found["d79", "", "reinforce"].rate == 0.1
    assert found["d79", "", "gumbel_softmax"].estimator == "gumbel_softmax(temperature=0.3)"
    assert found["d79", "", "reinforce_loo"].estimator == "reinforce_loo"
    assert found["d79", "sgd", "reinforce_loo"].rate == 5
    assert found["d79", "", "exact"].mean == pytest.approx(0.9, abs=0.03)
    assert {row.n for row in found.values()} == {12}
    assert found["d79", "", "exact"].edge == tuned.HIGHEST
    assert found["d79", "", "reinforce"].edge == tuned.LOWEST


def test_reported_sessions_have_no_say_in_the_choice():
    tables, of = made(), ("d79", "", "reinforce")
    flattered = chosen(with_value(tables, range(12), "reinforce", "d79 rate=1", 1.0))[of]
    assert (flattered.rate, flattered.tuned) == (0.1, chosen(tables)[of].tuned)
    swayed = chosen(with_value(tables, range(12, 20), "reinforce", "d79 rate=1", 1.0))[of]
    assert swayed.rate == 1.0
    assert swayed.mean == pytest.approx(0.2, abs=0.03)


def test_tuning_sessions_have_no_say_in_what_is_told():
    tables, of = made(), ("d79", "", "reinforce")
    other = with_value(tables, range(12, 20), "reinforce", "d79 rate=0.1", 0.65)
    columns = ["mean", "low", "high"]
    for name in columns:
        assert getattr(chosen(other)[of], name) == getattr(chosen(tables)[of], name)
    found = [climbs.read(part) for part in (tables, other)]
    names = ["reinforce_loo", "reinforce"]
    left, right = (contests.contest(f, climbs.UPDATES, names, "d79") for f in found)
    pd.testing.assert_frame_equal(left.others.drop(columns="tuned"), right.others.drop(columns="tuned"))
    assert left.others["tuned"].iloc[0] != right.others["tuned"].iloc[0]
    assert left.others["paired"].tolist() == [12]


def test_of_equals_the_lowest_rate_is_taken():
    ends = {("reinforce_loo", "d79"): {0.1: 0.9, 1.0: 0.9001}}
    assert chosen(made(ends, noise=0))["d79", "", "reinforce_loo"].rate == 0.1


def test_j_at_a_budget_is_interpolated_and_a_cheap_curve_counts_at_its_end():
    found = climbs.read(made(noise=0))
    ends, at = climbs.ends(found), climbs.at(found, CALLS)
    share = {"local_expectation": 32 / 128, "relax": 0.5, "reinforce_loo": 1.0, "maximum_likelihood": 1.0}
    for name, part in share.items():
        mine = (at["estimator"] == name) & (at["variant"] == "")
        begin, end, value = ends.loc[mine, "begin"], ends.loc[mine, "value"], at.loc[mine, "value"]
        np.testing.assert_allclose(value, begin + part * (end - begin), atol=1e-12)
    seconds = climbs.at(found, schema.SECONDS)
    mine = seconds["estimator"] == "relax"
    expected = ends[mine]["begin"] + (ends[mine]["value"] - ends[mine]["begin"]) / 3
    np.testing.assert_allclose(seconds.loc[mine, "value"], expected, atol=1e-12)


def test_interpolation_keeps_to_the_steps_that_were_measured():
    found = climbs.Climbs(pd.DataFrame(index=range(2)), np.array([[0.0, 1.0, 0.0]] * 2), np.array([0, 1, 4]))
    assert climbs.interpolated(found, np.array([0.5, 2.5])).tolist() == [0.5, 0.5]
    assert climbs.interpolated(found, np.array([0.0, 4.0])).tolist() == [0.0, 0.0]


def test_the_main_reward_is_what_the_settings_say_everyone_climbs():
    tables = made()
    config = json.loads(tables.trials["config"].iloc[0]) | {"everyone": [["grammar", "match", 3]]}
    said = tables._replace(trials=tables.trials.assign(config=json.dumps(config)))
    assert (climbs.read(tables).main, climbs.read(said).main) == ("d79", "match")


def test_what_collapses_in_few_sessions_may_not_be_called_as_good():
    """A mean that a few sessions drag down is below; ranks alone would not tell."""
    rng = np.random.default_rng(0)
    gap = np.where(np.arange(30) < 8, 0.7, -0.01) + 1e-3 * rng.random(30)
    assert contests.of_the_mean(gap) < 0.005
    assert contests.signed_rank(gap, "greater") > 0.05
    assert contests.of_the_mean(np.zeros(30)) == contests.of_the_mean(1e-6 * rng.random(30)) == 1


def test_without_the_yardstick_updates_alone_are_known():
    found = climbs.read(made({("reinforce", "d79"): {0.1: 0.5}}))
    assert not tuned.best(found, climbs.UPDATES).empty
    assert climbs.at(found, CALLS).empty
    assert tuned.best(found, CALLS).empty
    assert contests.contest(found, CALLS, ["reinforce"], "d79") is None


@pytest.mark.parametrize("status", [schema.DIVERGED, schema.FAILED])
def test_a_lost_session_counts_at_its_start_and_as_below_it(status):
    setting = "d79 rate=0.1"
    tables = made(noise=0, lost={("relax", setting): 3, ("relax", "d79 rate=1"): 3})
    if status == schema.FAILED:  # nothing of it is in the tables
        trials = tables.trials.replace({"status": {schema.DIVERGED: schema.FAILED}})
        gone = (tables.metrics["estimator"] == "relax") & (tables.metrics["session"] < 3)
        tables = tables._replace(metrics=tables.metrics[~gone], trials=trials)
    found = climbs.read(tables)
    each = climbs.ends(found)
    mine = each[(each["estimator"] == "relax") & (each["rate"] == 0.1)].set_index("session")
    other = each[(each["estimator"] == "exact") & (each["rate"] == 0.1)].set_index("session")
    assert mine["lost"].sum() == 3
    np.testing.assert_allclose(mine["value"][:3], other["begin"][:3])
    assert (mine["value"][3:] > other["begin"][3:]).all()
    rates = tuned.collapses(found).set_index(["estimator", "rate"])
    assert rates.loc[("relax", 0.1), "collapsed"].max() == pytest.approx(3 / 12)
    row = chosen(tables)["d79", "", "relax"]
    assert (row.lost, row.n) == (3, 12)
    whole = chosen(made(noise=0))["d79", "", "relax"]
    assert row.mean < whole.mean - 0.05


def test_stable_rates_are_those_around_the_best_without_a_gap():
    rates = pd.DataFrame({"rate": [1.0, 2, 4, 8, 16], "stable": [True, False, True, True, False]})
    assert tuned.around(rates, 4.0) == (4, 8, 2, False)
    assert tuned.around(rates.assign(stable=True), 4.0) == (1, 16, 16, True)
    assert tuned.around(rates, 2.0) == (4, 8, 2, False), "of an unstable one, the longest stretch"
    assert np.isnan(tuned.around(rates.assign(stable=False), 2.0)[0])
    found = tuned.stable(climbs.read(made())).set_index(tuned.ENTRY)
    assert found.loc[("d79", "", "exact")].tolist() == [0.1, 1.0, pytest.approx(10), True]
    assert found.loc[("d79", "", "reinforce")].tolist() == [0.1, 0.1, 1.0, False]


def test_intervals_stay_within_the_range_of_j():
    near = np.where(np.arange(30) < 2, 0.4, 1.0)
    table = pd.DataFrame({"who": "a", "session": range(30), "value": near})
    (row,) = climbs.means(table, ["who"]).itertuples()
    (students,) = stats.mean_interval(table, ["who"]).itertuples()
    assert 0 <= row.low < row.mean < row.high <= 1 < students.high
    assert row.n == 30


def test_means_of_groups_with_different_numbers_of_sessions():
    table = pd.DataFrame({"who": list("aab"), "session": [0, 1, 1], "value": [0.0, 1.0, 0.25]})
    found = climbs.means(table, ["who"])
    assert found[["mean", "n"]].to_numpy().tolist() == [[0.5, 2], [0.25, 1]]
    assert climbs.means(table.iloc[:0], ["who"]).empty


def test_contenders_are_those_that_can_climb_such_a_reward():
    tables = made()
    box = {"reinforce", "reinforce_loo"}
    assert set(contests.contenders(tables, BLACK_BOX)) == box
    every = {"local_expectation", "relax", "gumbel_softmax"} | box
    assert set(contests.contenders(tables, DIFFERENTIABLE)) == every


def test_a_contest_names_the_leader_and_those_near_it():
    tables = made()
    found = climbs.read(tables)
    names = contests.contenders(tables, DIFFERENTIABLE)
    contest = contests.contest(found, climbs.UPDATES, names, "d79")
    assert contest.may_be_best() == ["local_expectation"]
    assert contest.others["bare"].tolist()[0] == "gumbel_softmax"
    assert contest.others["behind"].is_monotonic_increasing
    short = contests.contest(found, CALLS, names, "d79")
    assert short.leader.bare == "gumbel_softmax"
    assert "local_expectation" not in short.may_be_best()


def test_holms_correction_is_over_all_others_of_the_contest():
    found, names = climbs.read(made()), ["reinforce_loo", "relax", "gumbel_softmax", "reinforce"]
    others = contests.contest(found, climbs.UPDATES, names, "d79").others
    assert len(others) == 3
    np.testing.assert_allclose(others["p_holm"], stats.holm(others["p"]))
    fewer = contests.contest(found, climbs.UPDATES, names[1:], "d79").others
    assert len(fewer) == 2


def test_rounding_at_the_top_is_no_difference():
    rng = np.random.default_rng(0)
    assert contests.signed_rank(1e-6 * (1 + rng.random(30)), "greater") == 1
    assert contests.signed_rank(np.zeros(30), "two-sided") == 1
    assert contests.signed_rank(0.01 + 1e-3 * rng.random(30), "greater") < 1e-6


def test_a_few_collapses_turn_the_mean_but_not_the_way():
    gap = np.array([0.02] * 26 + [-0.5] * 4) + 1e-3 * np.arange(30) / 30
    row = dict(zip(contests.COMPARED, contests.compared(gap), strict=True))
    assert row["mean"] < 0 < row["way"]
    assert (row["above"], row["n"]) == (26, 30)


def test_the_detectable_difference_has_the_power_that_is_said():
    effect = contests.effect_for(30, 0.01)
    rng = np.random.default_rng(0)
    gaps = effect + rng.normal(size=(4000, 30))
    t = gaps.mean(axis=1) / gaps.std(axis=1, ddof=1) * np.sqrt(30)
    assert (2 * student.sf(np.abs(t), 29) < 0.01).mean() == pytest.approx(0.8, abs=0.03)
    others = pd.DataFrame({"paired": [30, 30, 30], "deviation": [1.0, 2.0, 5.0]})
    median, most = contests.detectable(others)
    assert most == pytest.approx(2.5 * median)
    assert median == pytest.approx(2 * contests.effect_for(30, 0.1 / 3))
    assert np.isnan(contests.detectable(others.assign(paired=3))[0])


def equal(estimators: int, seed: int, sessions: int = 45, reported: int = 30) -> climbs.Climbs:
    """Estimators of which none is better, each at two rates."""
    rng = np.random.default_rng(seed)
    names = ["reinforce_loo", *(f"e{place}" for place in range(1, estimators))]
    rows = [(name, rate, s) for name in names for rate in (0.1, 1.0) for s in range(sessions)]
    found = pd.DataFrame(rows, columns=["estimator", "rate", "session"])
    found = found.assign(
        reward="d79", variant="", bare=found["estimator"], tuning=found["session"] >= reported, lost=False
    )
    found = found.assign(**dict.fromkeys(climbs.BUDGETS, 1.0))
    # a session's own luck is shared, and what is left is skewed, as where few collapse
    end = 0.6 + 0.1 * rng.normal(size=sessions)[found["session"]] + rng.beta(8, 2, len(found)) / 5
    return climbs.Climbs(found, np.column_stack([np.full(len(found), 0.3), end]), np.array([0, 1]))


def test_equally_good_estimators_all_may_be_best_in_95_percent_of_families(monkeypatch):
    """Of 100 families of six; at 5% there would be 9 or fewer in which one is left out in 97% of cases."""
    monkeypatch.setattr(climbs, "means", plain_means)
    names = ["reinforce_loo", *(f"e{place}" for place in range(1, 6))]
    left_out = 0
    for seed in range(100):
        contest = contests.contest(equal(6, seed), climbs.UPDATES, names, "d79")
        left_out += len(contest.may_be_best()) < 6
    assert left_out <= 9


def plain_means(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Means whose intervals nobody looks at."""
    return stats.mean_interval(table, by)


def test_planned_pairs_are_compared_under_the_main_reward():
    found = climbs.read(made())
    assert found.main == "d79"
    told = contests.planned(found, climbs.UPDATES, "d79").set_index(["first", "second"])
    assert list(told.index) == contests.PLANNED
    assert told["mean"].tolist() == pytest.approx([0.1, 0.15], abs=0.03)
    assert (told["p"] < 0.001).all()
    at_calls = contests.planned(found, CALLS, "d79").set_index(["first", "second"])
    assert at_calls.loc[("local_expectation", "reinforce_loo"), "way"] == -1
    assert contests.planned(found, CALLS, "match").empty


def test_what_optimisers_and_knobs_change_is_against_the_plain_estimator_at_its_best():
    found = departures.departures(climbs.read(made()), "d79").set_index(["variant", "estimator"])
    assert set(found.index) == {
        ("sgd", "reinforce_loo"),
        ("", "reinforce_loo(samples=2)"),
        ("", "gumbel_softmax(temperature=0.3)"),
    }
    assert found["mean"].tolist() == pytest.approx([0.2, -0.2, -0.2], abs=0.03)
    assert (found["p_holm"] < 0.01).all()


def test_no_tuning_sessions_means_no_choice():
    found = climbs.read(made(sessions=6, reported=6))
    assert tuned.best(found, climbs.UPDATES).empty
    assert tuned.stable(found).empty
    assert contests.contest(found, climbs.UPDATES, ["reinforce"], "d79") is None
    assert departures.departures(found, "d79").empty


def test_only_tables_of_frozen_are_climbs():
    assert climbs.are(made({("reinforce", "d79"): {0.1: 0.5}}, sessions=2, reported=1))
    assert not climbs.are(synthetic_climbs.tables_of({GRADIENTS: (EMPTY, 1.0)}, 1))


GRADIENTS = ("gradient_quality", "grammar", "synthetic", 3, "reinforce", "default")
EMPTY = pd.DataFrame([(0, 0, "x", "", 0.0)], columns=["session", "step", "metric", "parameter", "value"])
