"""Accuracy of gradients: what is corrected for noise, predicted for budgets, and kept on disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.experiments import gradient_quality
from bench.sessions import checkpoints
from bench.sessions.measure import Gradients
from bench.sessions.truth import trajectory, true_gradients
from bench.tables.condition import Condition
from discgan_core import accuracy, estimators, exact, tasks, training
from discgan_core.accuracy import TOTAL, flatten
from discgan_core.randomness import Streams

G = {"a": torch.tensor([1.0, -2.0]), "b": torch.tensor([[0.5], [-1.0], [0.25]])}
BIAS, SPREAD = 0.4, 3.0
Z = 4.5
"""Standard errors; a normal variable is farther off once in 150,000 times."""


def draws_of(count, seed):
    """Draws with mean g + BIAS, every entry with the standard deviation SPREAD."""
    rng = np.random.default_rng(seed)
    return {
        name: g + BIAS + SPREAD * torch.from_numpy(rng.normal(size=(count, *g.shape)))
        for name, g in G.items()
    }


def like():
    return {name: g[None] for name, g in G.items()}


def test_squares_are_corrected_for_the_noise_of_draws():
    truth, found = flatten(G), []
    for seed in range(400):
        sums = accuracy.moments(draws_of(20, 1000 + seed), truth)
        found.append(accuracy.accuracy(sums, truth, like()))
    sizes = {"a": 2, "b": 3, TOTAL: 5}
    norms = {"a": 5.0, "b": 1.3125, TOTAL: 6.3125}
    for name, size in sizes.items():
        expected = {"bias_squared": size * BIAS**2, "norm_squared": norms[name], "variance": size * SPREAD**2}
        for field, value in expected.items():
            sample = torch.stack([getattr(f[name], field) for f in found])
            error = sample.std() / len(sample) ** 0.5
            assert (sample.mean() - value).abs() <= Z * error + 1e-9, (name, field)


def test_sums_add_up():
    truth, draws = flatten(G), draws_of(64, 0)
    halves = [{name: g[part] for name, g in draws.items()} for part in (slice(0, 24), slice(24, 64))]
    parts = [accuracy.moments(half, truth) for half in halves]
    for whole, *pieces in zip(accuracy.moments(draws, truth), *parts, strict=True):
        torch.testing.assert_close(whole, sum(pieces))


@pytest.mark.parametrize("n", [1, 6, 30])
def test_the_prediction_for_a_budget_is_what_means_of_so_many_draws_come_to(n):
    truth = flatten(G)
    many = flatten(draws_of(n * 20_000, 5), 1).unflatten(0, (-1, n)).mean(1)
    error = (many - truth).square().sum(1)
    cosine = accuracy.cosine(many, truth)
    signs = (many.sign() == truth.sign()).double().mean(1)
    at = [
        accuracy.at_budget(accuracy.moments(draws_of(100, seed), truth), truth, torch.tensor(float(n)))
        for seed in range(300)
    ]
    for field, sample, slack in (("error", error, 0.0), ("signs", signs, 0.003), ("cosine", cosine, 0.06)):
        predicted = torch.stack([getattr(a, field) for a in at])
        spread = (sample.var() / len(sample) + predicted.var() / len(predicted)).sqrt()
        assert (predicted.mean() - sample.mean()).abs() <= Z * spread + slack, field


def test_below_one_draw_only_the_error_is_predicted():
    truth = flatten(G)
    found = accuracy.at_budget(accuracy.moments(draws_of(100, 0), truth), truth, torch.tensor(0.5))
    assert found.error > 0
    assert found.cosine.isnan()
    assert found.signs.isnan()


def test_a_gradient_without_noise_is_right_at_every_budget():
    truth = flatten(G)
    draws = {name: g.expand(3, *g.shape) for name, g in G.items()}
    found = accuracy.at_budget(accuracy.moments(draws, truth), truth, torch.tensor(500.0))
    assert found.error == pytest.approx(0, abs=1e-12)
    assert found.cosine == pytest.approx(1)
    assert found.signs == 1


def test_kept_tensors_are_made_once_and_anew_when_what_they_depend_on_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCGAN_BENCH_CACHE", str(tmp_path))
    made = []

    def make():
        made.append(1)
        return {"x": torch.arange(3.0)}

    path = checkpoints.path_of("three", [1, 2])
    for _ in range(2):
        (found,) = checkpoints.kept({path: make})
        assert found["x"].tolist() == [0, 1, 2]
    assert len(made) == 1
    assert checkpoints.path_of("three", [1, 3]) != path
    monkeypatch.setattr(checkpoints, "code", lambda: "other code")
    assert checkpoints.path_of("three", [1, 2]) != path


def test_the_truth_is_exact_by_going_through_all_sequences_or_by_recursion():
    found = [gradient_quality.task_of(length) for length in gradient_quality.LENGTHS]
    assert found == ["grammar"] * 3 + ["chain"] * 3
    settings = gradient_quality.PRESETS["standard"]
    for preset in gradient_quality.PRESETS.values():
        assert not hasattr(preset, "few"), "as many sessions at every length"
    tasks = {(c.task, c.length) for c in gradient_quality.conditions(settings, (6, 100), ["reinforce"])}
    assert tasks == {("grammar", 6), ("chain", 100)}


@pytest.mark.parametrize("length", [3, 15])
def test_a_true_gradient_is_kept_and_is_that_of_its_session(length):
    settings, name = gradient_quality.PRESETS["smoke"], gradient_quality.task_of(length)
    task = tasks.make(name, length)
    game, schedule = (
        gradient_quality.rules(task, name),
        gradient_quality.schedule(settings, name, length),
    )
    (players,) = trajectory(name, schedule, [1], task, (0, 1), "cpu", game).values()
    draws = Gradients(task, estimators.make("reinforce"), game, Streams("t", (0, 1)))
    for _ in range(2):
        found = true_gradients(draws, players, "t")
        torch.testing.assert_close(found, draws.exact(players))
    both = zip(training.each(players.generator), training.each(players.discriminator), strict=True)
    for truth, (theta, phi) in zip(found, both, strict=True):
        value = lambda th, phi=phi: exact.expected_reward(  # noqa: E731
            game.policy(th, length, {}), game.reward(phi, {})
        )
        torch.testing.assert_close(truth, flatten(torch.func.grad(value)(theta)))


@pytest.mark.parametrize(("task", "length"), [("grammar", 3), ("chain", 15)])
def test_a_session_s_gradient_quality_does_not_depend_on_the_stack(task, length):
    smoke = gradient_quality.PRESETS["smoke"]
    settings = replace(smoke, checkpoints=((3, (0.0, 0.5, 1.0)),))
    condition = Condition(task, length, "rebar")
    tables = [
        gradient_quality.run(settings, condition, sessions, "cpu").metrics for sessions in ((1, 2), (0, 1, 2))
    ]
    one, other = (
        t[(t["session"] == 1) & ~t["parameter"].str.contains("seconds")]
        .sort_values(["step", "metric", "parameter"])
        .reset_index(drop=True)
        for t in tables
    )
    assert len(one) > 50
    assert one.equals(other)


def test_estimators_are_held_against_the_true_gradient():
    settings = gradient_quality.PRESETS["smoke"]
    found = {}
    for name in ("exact", "reinforce_loo"):
        table = gradient_quality.run(settings, Condition("grammar", 3, name), (0, 1), "cpu").metrics
        rows = table[(table["metric"] == "cosine_at_budget") & (table["parameter"] == "discriminator_calls")]
        found[name] = rows["value"]
    assert found["exact"].to_numpy() == pytest.approx(1)
    assert (found["reinforce_loo"] > 0.5).all()
