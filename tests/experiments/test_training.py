"""Training sessions: alone or in company the same to the last bit, and honest when they fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils._pytree import tree_leaves, tree_structure

from bench.experiments import grammar, temperature
from bench.sessions.pretrained import pretrained
from bench.tables.condition import Condition
from discgan_core import estimators, tasks, training
from discgan_core.randomness import Streams
from discgan_core.tasks import grammar as language

SMALL = replace(grammar.PRESETS["smoke"], lengths=(3, 5), samples=50, bias_draws=32)
KEY = ["session", "step", "metric", "parameter"]


def numbers(sessions, name="rebar", settings=SMALL, length=5, setting="default"):
    pretrained.cache_clear()
    outcome = grammar.run(settings, Condition("grammar", length, name, setting), sessions, "cpu")
    metrics = outcome.metrics[outcome.metrics["metric"] != "seconds"]
    return metrics.sort_values(KEY).reset_index(drop=True)


@pytest.mark.parametrize("name", ["rebar", "relax_sequence", "reinforce_loo", "exact"])
def test_a_session_s_numbers_depend_on_its_seed_alone(name):
    length = 3 if name == "exact" else 5
    together = numbers(range(5), name, length=length)
    for sessions in ([3, 4], [3], [4, 1, 3]):
        beside = numbers(sessions, name, length=length)
        pd.testing.assert_frame_equal(
            beside[beside["session"] == 3].reset_index(drop=True),
            together[together["session"] == 3].reset_index(drop=True),
            check_exact=True,
        )


def test_the_same_command_twice_gives_identical_numbers():
    pd.testing.assert_frame_equal(numbers([0, 1], "relax"), numbers([0, 1], "relax"), check_exact=True)


def test_pretraining_is_kept_from_run_to_run(monkeypatch):
    arguments = ("grammar", 5, replace(SMALL.schedule(5), warmup=3).beginning(), (0, 1), "cpu")
    pretrained.cache_clear()
    players, data = pretrained(*arguments)
    pretrained.cache_clear()
    monkeypatch.setattr(training, "prepare", lambda *_: pytest.fail("was trained again"))
    again, same = pretrained(*arguments)
    assert torch.equal(data, same)
    assert tree_structure(again) == tree_structure(players)
    assert all(map(torch.equal, tree_leaves(again), tree_leaves(players)))


def test_experiments_on_a_task_share_the_pretraining_that_is_the_same():
    pretrained.cache_clear()
    grammar.run(SMALL, Condition("grammar", 5, "reinforce"), [0, 1], "cpu")
    longer = replace(SMALL, updates=4, discriminator_steps=2)
    temperature.run(longer, Condition("grammar", 5, "rebar", "lambda=0.1"), [0, 1], "cpu")
    assert pretrained.cache_info().misses == 1


def test_estimators_meet_the_same_start_and_the_same_noise():
    first, second = numbers([0, 1], "reinforce"), numbers([0, 1], "rebar")
    same = ["goodness", "cross_entropy", "discriminator_loss"]
    chosen = [
        frame[(frame["step"] == 0) & frame["metric"].isin(same)].reset_index(drop=True)
        for frame in (first, second)
    ]
    pd.testing.assert_frame_equal(*chosen, check_exact=True)


def test_rebar_without_its_control_variate_is_reinforce():
    task = tasks.make("grammar", 5)
    schedule = replace(SMALL.schedule(5), updates=2)
    start, data = training.pretrain(task, schedule, Streams("t", [0, 1]))
    ends = [
        list(training.adversarial(start, data, task, estimator, schedule, Streams("u", [0, 1])))[-1]
        for estimator in (estimators.make("rebar", eta=0.0), estimators.make("reinforce"))
    ]
    for name, value in ends[0].generator.items():
        torch.testing.assert_close(value, ends[1].generator[name], atol=1e-5, rtol=0)


def test_relax_starts_as_rebar_and_then_lowers_its_variance():
    """On a fixed problem the control variate must learn; from a loss without a graph it would not."""
    first = {name: numbers([0, 1], name).query("step == 0") for name in ("rebar", "relax")}
    variance = {k: f[f["metric"] == "gradient_log_variance"]["value"].to_numpy() for k, f in first.items()}
    np.testing.assert_allclose(variance["rebar"], variance["relax"], rtol=1e-5)
    longer = replace(SMALL, updates=30, measurements=2, draws=256, generator_rate=1e-9)
    totals = {
        name: numbers(range(4), name, longer).query("step == 30 and parameter == 'total'")["value"].mean()
        for name in ("rebar", "relax")
    }
    assert totals["relax"] < totals["rebar"]


def test_a_session_that_diverges_becomes_a_row_that_says_so():
    wild = replace(SMALL, generator_rate=float("inf"))
    outcome = grammar.run(wild, Condition("grammar", 3, "reinforce"), [0, 1], "cpu")
    assert list(outcome.trials["status"]) == ["diverged", "diverged"]
    assert outcome.trials["error"].str.contains("after update 0").all()
    assert (outcome.metrics["step"] == 0).any()
    assert outcome.metrics["value"].map(np.isfinite).all()


def test_training_improves_on_its_start():
    settings = replace(grammar.STANDARD, sessions=3, measurements=2, draws=4, bias_draws=4)
    table = numbers(range(3), "reinforce_loo", settings, length=3).query("metric == 'goodness'")
    start, end = (table[table["step"] == step]["value"].mean() for step in (0, settings.updates))
    assert start < 0.7
    assert end > 0.85


def test_exact_kl_and_bias_are_measured_where_sequences_can_be_listed():
    assert {"exact_kl", "gradient_bias_squared"} <= set(numbers([0, 1], length=3)["metric"])
    assert not {"exact_kl", "gradient_bias_squared"} & set(numbers([0, 1], length=15)["metric"])


def test_calls_are_counted_by_the_wrapped_models():
    table = (
        numbers([0, 1], "rebar")
        .query(f"step == {SMALL.updates} and session == 0")
        .set_index("metric")["value"]
    )
    batch, updates = SMALL.batch, SMALL.updates
    # sample and score s; judge s, and one step each from z and z~; beside one discriminator batch
    assert table["generator_calls"] == updates * (2 * batch + batch)
    assert table["discriminator_calls"] == updates * (3 * batch + 2 * batch)


def test_conditions_leave_out_what_cannot_run():
    found = grammar.conditions(SMALL, [3, 15], estimators.available())
    assert Condition("grammar", 3, "exact") in found
    assert Condition("grammar", 15, "exact") not in found
    assert Condition("grammar", 15, "reinforce_loo", "null_reward") in found
    assert temperature.conditions(SMALL, [3], ["relax"]) == []
    beside = {(c.estimator, c.setting) for c in temperature.conditions(SMALL, [3], estimators.available())}
    assert {("reinforce_loo", "null_reward"), ("reinforce_loo", "shuffled_reward")} < beside
    assert {("maximum_likelihood", "default"), ("maximum_likelihood", "same_seconds")} < beside
    assert len(beside) == 4 + len(temperature.FORMS) * len(temperature.LAMBDAS)


def test_goodness_counts_alternating_windows():
    strings = {"x+x": 1, "+x-": 1, "xxx": 0, "x++": 0, "x+x-x": 3, "+x-x*": 3, "x+xx+": 1}
    for text, score in strings.items():
        tokens = torch.tensor([["x+-*/".index(symbol) for symbol in text]])
        assert language.goodness(tokens).item() == score, text
    quality = language.quality(torch.tensor([[1, 0, 2], [0, 2, 0]]))
    assert quality["perfect_fraction"].tolist() == [1, 1]
    assert quality["valid_fraction"].tolist() == [0, 1]


def test_the_language_is_what_it_samples():
    tokens = tasks.make("grammar", 15).sample(500, np.random.default_rng(0))
    assert language.quality(tokens)["valid_fraction"].all()
    assert language.enumerated(3).exp().sum().item() == pytest.approx(1)
    with pytest.raises(ValueError, match="at least 3"):
        tasks.make("grammar", 2)
