"""Accuracy of gradients: what is corrected for noise, predicted for budgets, and kept on disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.experiments import gradient_quality
from bench.sessions import checkpoints
from bench.sessions.truth import reference
from bench.tables.condition import Condition
from discgan_core import accuracy, exact
from discgan_core.accuracy import TOTAL, Truth, flatten
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.generator import LSTMPolicy, init_generator
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


def truth_of(noise=0.0, seed=None):
    gradient = flatten(G)
    if seed is not None:
        gradient = gradient + noise * torch.from_numpy(np.random.default_rng(seed).normal(size=len(gradient)))
    return Truth(gradient, torch.full_like(gradient, noise**2))


def like():
    return {name: g[None] for name, g in G.items()}


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_squares_are_corrected_for_the_noise_of_draws_and_of_the_truth(noise):
    found = []
    for seed in range(400):
        truth = truth_of(noise, seed)
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
    truth, draws = truth_of(), draws_of(64, 0)
    halves = [{name: g[part] for name, g in draws.items()} for part in (slice(0, 24), slice(24, 64))]
    parts = [accuracy.moments(half, truth) for half in halves]
    for whole, *pieces in zip(accuracy.moments(draws, truth), *parts, strict=True):
        torch.testing.assert_close(whole, sum(pieces))


@pytest.mark.parametrize("n", [1, 6, 30])
def test_the_prediction_for_a_budget_is_what_means_of_so_many_draws_come_to(n):
    truth = truth_of()
    many = flatten(draws_of(n * 20_000, 5), 1).unflatten(0, (-1, n)).mean(1)
    error = (many - truth.gradient).square().sum(1)
    cosine = accuracy.cosine(many, truth.gradient)
    signs = (many.sign() == truth.gradient.sign()).double().mean(1)
    at = [
        accuracy.at_budget(accuracy.moments(draws_of(100, seed), truth), truth, torch.tensor(float(n)))
        for seed in range(300)
    ]
    for field, sample, slack in (("error", error, 0.0), ("signs", signs, 0.003), ("cosine", cosine, 0.06)):
        predicted = torch.stack([getattr(a, field) for a in at])
        spread = (sample.var() / len(sample) + predicted.var() / len(predicted)).sqrt()
        assert (predicted.mean() - sample.mean()).abs() <= Z * spread + slack, field


def test_below_one_draw_only_the_error_is_predicted():
    truth = truth_of()
    found = accuracy.at_budget(accuracy.moments(draws_of(100, 0), truth), truth, torch.tensor(0.5))
    assert found.error > 0
    assert found.cosine.isnan()
    assert found.signs.isnan()


def test_a_gradient_without_noise_is_right_at_every_budget():
    truth = truth_of()
    draws = {name: g.expand(3, *g.shape) for name, g in G.items()}
    found = accuracy.at_budget(accuracy.moments(draws, truth), truth, torch.tensor(500.0))
    assert found.error == pytest.approx(0, abs=1e-12)
    assert found.cosine == pytest.approx(1)
    assert found.signs == 1


def test_the_reference_is_the_enumerated_gradient_within_its_own_error():
    """The squared distance in standard errors, whose mean is 1 for each parameter."""
    rng = np.random.default_rng(0)
    theta = {name: 2 * value for name, value in init_generator(3, 4, rng).items()}
    phi = {name: 3 * value for name, value in init_discriminator(3, 4, rng).items()}
    found = reference(1 << 18, 3, theta, phi, Streams("reference", [0]))
    policy = lambda params: LSTMPolicy(params, 3)  # noqa: E731
    judge = DiscriminatorReward(phi)
    truth = flatten(torch.func.grad(lambda p: exact.expected_reward(policy(p), judge))(theta))
    assert found["noise"].sum() < 1e-3 * truth.square().sum()
    off = (found["gradient"] - truth).square() / found["noise"]
    assert off.mean() < 2.5
    assert off.max() < 25


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


def test_a_session_s_gradient_quality_does_not_depend_on_the_stack():
    smoke = gradient_quality.PRESETS["smoke"]
    settings = replace(smoke, checkpoints=((3, (0.0, 0.5, 1.0)),))
    condition = Condition("grammar", 3, "rebar")
    tables = [
        gradient_quality.run(settings, condition, sessions, "cpu").metrics for sessions in ((1, 2), (0, 1, 2))
    ]
    one, other = (
        t[(t["session"] == 1) & ~t["parameter"].str.contains("seconds")]
        .sort_values(["step", "metric", "parameter"])
        .reset_index(drop=True)
        for t in tables
    )
    assert len(one) > 100
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
