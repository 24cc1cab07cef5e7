"""Rounds of several updates, and the experiments that vary the schedule: `schedule` and `pretraining`."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import synthetic_tables
import torch
from matplotlib.colors import to_hex

from bench import figures, report
from bench.experiments import grammar, pretraining, schedule
from bench.figures import _style as style
from bench.report import pretraining as claim
from bench.sessions.pretrained import pretrained
from bench.statistics import lineup, stats
from bench.tables import schema
from bench.tables.condition import Condition
from bench.tables.store import Tables
from discgan_core import estimators, tasks, training
from discgan_core.randomness import Streams

SMALL = replace(pretraining.PRESETS["smoke"], updates=2, training_set=256, samples=64)
RATIOS = replace(schedule.PRESETS["smoke"], training_set=256, samples=64)
LENGTH = 3


def train(**changes):
    """Train two sessions by leave-one-out REINFORCE; the players after every round, and the phases' order."""
    task, order = tasks.make("grammar", LENGTH), []
    own = replace(SMALL.schedule(LENGTH), pretraining_epochs=0, warmup=0, **changes)
    start, data = training.pretrain(task, own, Streams("t", [0, 1]))

    @contextmanager
    def phase(name):
        order.append(name)
        yield

    loop = training.adversarial(
        start, data, task, estimators.make("reinforce_loo"), own, Streams("u", [0, 1]), phase=phase
    )
    return list(loop), "".join(name[0] for name in order if name != "sampling")


def at(experiment, settings, estimator, setting, sessions=(0, 1)):
    return experiment.run(settings, Condition("grammar", LENGTH, estimator, setting), sessions, "cpu").metrics


def values(table, metric, step):
    return table[(table["metric"] == metric) & (table["step"] == step)]["value"].to_numpy()


# Rounds


def test_a_round_is_discriminator_batches_then_generator_updates():
    players, order = train(updates=2, discriminator_steps=2, generator_steps=3)
    assert order == "ddgggddggg"
    assert [p.updates.tolist() for p in players] == [[0, 0], [3, 3], [6, 6]]


def test_without_discriminator_batches_rounds_are_only_a_way_of_counting():
    three, one = (
        train(updates=n, discriminator_steps=0, generator_steps=k)[0][-1] for n, k in ((2, 3), (6, 1))
    )
    for name, value in three.generator.items():
        assert torch.equal(value, one.generator[name])


def test_calls_are_those_of_a_whole_round():
    task, estimator = tasks.make("grammar", LENGTH), estimators.make("reinforce_loo")
    own = SMALL.schedule(LENGTH)
    players, _ = training.pretrain(task, replace(own, pretraining_epochs=0, warmup=0), Streams("t", [0, 1]))
    counts = {
        (g, d): training.calls_per_update(
            players, task, estimator, replace(own, generator_steps=g, discriminator_steps=d)
        )
        for g, d in ((1, 0), (4, 0), (0, 1), (4, 3))
    }
    assert counts[4, 0] == counts[1, 0].times(4)
    assert counts[4, 3] == counts[4, 0] + counts[0, 1].times(3)


def test_pretraining_is_shared_by_whatever_comes_after_it():
    pretrained.cache_clear()
    for ratio in ("d_per_g=0.2", "d_per_g=1", "null_reward d_per_g=5"):
        at(schedule, RATIOS, "reinforce_loo", ratio)
    assert pretrained.cache_info().misses == 1


# The experiment `schedule`


@pytest.mark.parametrize("preset", schedule.PRESETS)
def test_all_ratios_spend_the_same_batches_and_meet_at_the_same_updates(preset):
    settings = schedule.PRESETS[preset]
    common = set()
    for ratio in settings.ratios:
        own = settings.at(ratio)
        assert own.discriminator_steps / own.generator_steps == pytest.approx(ratio)
        assert own.updates * (own.discriminator_steps + own.generator_steps) == settings.batches
        common.add(own.common * own.generator_steps)
        assert {0, own.common, own.updates} <= own.moments()
    assert len(common) == 1
    assert min(common) > 1


def test_the_original_studys_ratio_is_one_of_them():
    assert 78 in schedule.PRESETS["paper"].ratios
    assert schedule.PRESETS["paper"].at(78).updates == 210
    assert 1 in schedule.PRESETS["standard"].ratios
    assert min(schedule.PRESETS["standard"].ratios) < 1 < max(schedule.PRESETS["standard"].ratios)


def test_steps_count_generator_updates_and_all_ratios_have_one_in_common():
    tables = {ratio: at(schedule, RATIOS, "reinforce_loo", f"d_per_g={ratio:g}") for ratio in RATIOS.ratios}
    steps = {ratio: sorted(set(table["step"])) for ratio, table in tables.items()}
    assert steps == {0.2: [0, 5, 25], 1: [0, 5, 15], 5: [0, 5]}
    for ratio, table in tables.items():
        last = steps[ratio][-1]
        generated = values(table, schema.GENERATOR_CALLS, last) / RATIOS.generated
        assert generated == pytest.approx(2 * last + ratio * last)  # of an update two: sampling and scoring
    starts = [values(table, schema.CROSS_ENTROPY, 0) for table in tables.values()]
    assert np.ptp(starts, 0).max() == 0
    fifth = [values(table, schema.CROSS_ENTROPY, 5) for table in tables.values()]
    assert np.ptp(fifth, 0).min() > 0


def test_the_same_seconds_are_measured_at_the_same_updates_too():
    settings = replace(RATIOS, controls=("same_seconds",))
    table = at(schedule, settings, "maximum_likelihood", "same_seconds d_per_g=0.2")
    assert sorted(set(table["step"])) == [0, 5, 25]


# The experiment `pretraining`


@pytest.mark.parametrize("length", [3, 15])
def test_the_epochs_are_those_in_the_setting(length):
    for epochs in (0, 1, 10):
        for control in ("", "null_reward ", "same_seconds "):
            condition = Condition("grammar", length, "reinforce_loo", f"{control}epochs={epochs}")
            own, _ = pretraining.setup(pretraining.STANDARD, condition)
            plain = grammar.STANDARD.schedule(length)
            assert own.schedule(length).pretraining_epochs == epochs
            assert own.schedule(length).pretraining_rate == plain.pretraining_rate
    assert pretraining.STANDARD.training_set // pretraining.STANDARD.batch == 10_000 // 128


def test_conditions_of_a_point_start_alike_and_points_do_not():
    conditions = [("reinforce_loo", ""), ("maximum_likelihood", ""), ("reinforce_loo", "null_reward ")]
    starts = {
        epochs: [
            values(at(pretraining, SMALL, e, f"{c}epochs={epochs}"), schema.CROSS_ENTROPY, 0)
            for e, c in conditions
        ]
        for epochs in (0, 1)
    }
    for found in starts.values():
        assert np.ptp(found, 0).max() == 0
    assert (starts[0][0] > starts[1][0] + 0.01).all()


@pytest.mark.parametrize("experiment", [pretraining, schedule])
def test_estimators_not_asked_for_are_left_out(experiment):
    settings = experiment.PRESETS["paper"]
    found = experiment.conditions(settings, [3, 15], ["rebar", "maximum_likelihood", "gumbel_softmax"])
    assert {c.estimator for c in found} == {"rebar", "maximum_likelihood"}
    assert {c.length for c in found} == {3, 15}
    assert len(set(found)) == len(found)
    every = experiment.conditions(settings, [3], estimators.available())
    points = Counter(lineup.swept(c.setting)[1] for c in every)
    assert len(set(points.values())) == 1
    variants = {(c.estimator, lineup.swept(c.setting)[0]) for c in every}
    assert set(lineup.CONTROLS) - {("reinforce", "null_reward")} < variants  # that is the oracle task's


@pytest.mark.parametrize("experiment", [pretraining, schedule])
def test_costs_are_predicted(experiment):
    for preset, settings in experiment.PRESETS.items():
        conditions = experiment.conditions(settings, settings.lengths, estimators.available())
        costs = [experiment.cost(settings, condition) for condition in conditions]
        assert min(costs) > 0
        if preset == "standard":
            assert settings.sessions * sum(costs) < 100


# The report and the figures


def answer(tables: Tables, what: str, said=report.said) -> str:
    return next((a.text for a in said(tables) if a.about == what), "")


def verdict(tables: Tables) -> str:
    return answer(tables, "No learning without pre-training", claim.sentences)


def enough(tables: Tables) -> str:
    return answer(tables, "Epochs after which it learns", claim.sentences)


def moved(tables: Tables, setting: str, by: float) -> Tables:
    """The same tables, but for where leave-one-out REINFORCE ends in a setting."""
    metrics = tables.metrics.copy()
    mine = (metrics["estimator"] == "reinforce_loo") & (metrics["setting"] == setting) & (metrics["step"] > 0)
    metrics.loc[mine, "value"] += by
    return tables._replace(metrics=metrics)


def test_the_claim_is_decided_by_the_numbers():
    tables = synthetic_tables.pretraining()
    text = verdict(tables)
    name = "REINFORCE, leave-one-out 0.01"
    assert text.startswith(f"Holds with this schedule. Final goodness from 0 epochs: {name}")
    assert text.count("it has not learned") == 2
    assert "From the same start: maximum likelihood (reference) 0.70" in text
    assert verdict(moved(tables, "epochs=0", +0.5)).startswith("Refuted with this schedule.")
    unclear = moved(moved(tables, "epochs=0", +0.15), "null_reward epochs=0", +0.01)
    assert verdict(unclear).startswith("Undecided with this schedule.")
    assert verdict(moved(tables, "epochs=1", -0.5)) == text


def test_a_gain_that_the_null_reward_also_shows_refutes_nothing():
    tables = moved(synthetic_tables.pretraining(), "epochs=0", +0.5)
    assert "Refuted" in verdict(tables)
    assert "Refuted" not in verdict(moved(tables, "null_reward epochs=0", +0.5))


def test_it_takes_all_to_hold_and_one_to_refute():
    word = {"a": claim.HOLDS, "b": claim.HOLDS}
    assert claim.together(word) == claim.HOLDS
    assert claim.together(word | {"a": claim.UNDECIDED}) == claim.UNDECIDED
    assert claim.together(word | {"a": claim.REFUTED, "c": claim.UNDECIDED}) == claim.REFUTED


def test_the_epochs_that_are_enough_are_told():
    tables = synthetic_tables.pretraining()
    assert enough(tables).endswith("REINFORCE, leave-one-out: 1, 3; REBAR (per step): 1, 3.")
    assert "REINFORCE, leave-one-out: 3; REBAR" in enough(moved(tables, "epochs=1", -0.5))


def test_what_learned_is_told_at_every_point():
    found = [a for a in report.said(synthetic_tables.pretraining()) if a.about.startswith("What learned")]
    assert [a.about for a in found] == [f"What learned, epochs = {n}" for n in (0, 1, 3)]
    assert "every control: REBAR (per step) (+0.0" in found[1].text
    assert "shuffled reward (control); maximum likelihood (reference): all." in found[0].text


def test_equal_cost_and_equal_updates_have_an_answer_each():
    tables, name = synthetic_tables.schedule(), "REINFORCE, leave-one-out"
    ends = answer(tables, name)
    assert ends.startswith("discriminator batches per update = 1 ends with the highest goodness, 0.96")
    equal = answer(tables, f"{name}, at equal generator updates")
    assert equal.startswith(
        "After 5 updates: discriminator batches per update = 5 ends with the highest goodness, 0.70"
    )
    assert "at equal cost: 30 batches in all" in answer(tables, "Equal cost")
    assert not answer(synthetic_tables.pretraining(), "Equal cost")
    assert not verdict(tables)


def draw(name, tables):
    with style.theme():
        return figures.load(name).draw(tables)


def line(axes, *condition):
    """Where a condition's points are."""
    colour = style.look(*condition).colour.lower()
    return next(x for x in axes.lines if to_hex(x.get_color()) == colour).get_xydata()


def test_the_figure_of_epochs_has_controls_and_the_start_beside_the_estimators():
    (axes,) = draw("pretraining", synthetic_tables.pretraining()).axes
    beside = [("reinforce_loo", "null_reward"), ("reinforce_loo", "shuffled_reward"), ("rebar", "default")]
    for condition in [*beside, ("maximum_likelihood", "default")]:
        assert len(line(axes, *condition)) == 3
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "3"]
    assert line(axes, "reinforce_loo")[:, 1] == pytest.approx([0.01, 0.97, 0.95], abs=0.02)
    assert line(axes, "reinforce_loo")[:, 0] == pytest.approx(np.log10([1, 2, 4]), abs=0.03)
    start = axes.lines[-2]  # the last is the best that there is
    assert start.get_linestyle() == ":"
    assert start.get_ydata() == pytest.approx([0.16, 0.5, 0.9])


def test_the_figure_of_ratios_has_equal_cost_and_equal_updates():
    cost, updates = draw("schedule", synthetic_tables.schedule()).axes
    assert line(cost, "reinforce_loo")[:, 1] == pytest.approx([0.9, 0.97, 0.7], abs=0.02)
    assert line(updates, "reinforce_loo")[:, 1] == pytest.approx([0.2, 0.3, 0.7], abs=0.02)
    assert updates.get_title().endswith("5 generator updates")
    assert cost.get_ylim() == updates.get_ylim()


@pytest.mark.parametrize("name", ["pretraining", "schedule"])
def test_one_session_is_drawn_and_what_is_no_sweep_is_not(name):
    tables = getattr(synthetic_tables, name)(1)
    assert draw(name, tables)
    other = synthetic_tables.schedule(1) if name == "pretraining" else synthetic_tables.pretraining(1)
    assert draw(name, other) is None
    assert draw(name, tables._replace(metrics=tables.metrics.iloc[:0])) is None


def test_there_may_be_no_step_in_common():
    found = synthetic_tables.schedule().metrics
    table = lineup.points(found[(found["setting"] == "d_per_g=1") | (found["step"] != 5)], "d_per_g")
    assert stats.common(table, "d_per_g").empty
    assert stats.common(table.iloc[:0], "d_per_g").empty
