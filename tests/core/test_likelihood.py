"""Importance sampling on the data: what it estimates, and where it may be trusted."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.func import grad

from bench.contract.referee import ALPHA, compare, double
from bench.experiments import coverage
from discgan_core import estimators, exact
from discgan_core.accuracy import flatten
from discgan_core.game import log_odds as odds_reward
from discgan_core.game import surprise
from discgan_core.gradients import Problem, draw_gradients
from discgan_core.interface import State
from discgan_core.meter import Meter, MeteredReward
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.from_logits import FromLogits
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.rewards import log_odds
from discgan_core.sequences import all_sequences, one_hot

V, T = 3, 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def problem(rng):
    theta, phi = (double(init(V, 4, rng), 3.0) for init in (init_generator, init_discriminator))
    return theta, Problem(lambda th, noise: LSTMPolicy(th, T), lambda noise: DiscriminatorReward(phi))


def draws(estimator, theta, problem, data, noise=None):
    noise = noise or {"unused": torch.zeros(len(data))}
    return flatten(draw_gradients(estimator, problem, theta, noise, State(), data)[0], 1).numpy()


def truth(theta, problem):
    objective = lambda th: exact.expected_reward(problem.policy(th, {}), problem.reward({}))  # noqa: E731
    return flatten(grad(objective)(theta)).numpy()


def test_eq4_on_all_sequences_is_unbiased_and_on_some_is_not(problem, rng):
    """Given the data's number, eq. 5 is eq. 4; a uniform proposal over everything covers everything."""
    theta, aim = problem
    everything = all_sequences(T, V)
    for data, unbiased in ((everything, True), (everything[: V**T // 3], False)):
        estimator = estimators.make("likelihood", logarithm=False, size=len(data))
        rows = data[torch.from_numpy(rng.integers(len(data), size=20_000))]
        verdict = compare(draws(estimator, theta, aim, rows), truth(theta, aim), 1, rng)
        assert (verdict.p_value > ALPHA) == unbiased, verdict


def test_the_logarithm_divides_the_gradient_by_the_batch_s_own_mean(problem, rng):
    theta, aim = problem
    data = torch.from_numpy(rng.integers(V, size=(8, T)))
    plain = draws(estimators.make("likelihood", logarithm=False), theta, aim, data).mean(0)
    log_l = estimators.make("likelihood", samples=8)
    estimate = log_l.estimate(aim.policy(theta, {}), aim.reward({}), {}, State(), data)
    found = draws(log_l, theta, aim, data)[0]
    np.testing.assert_allclose(found, plain / estimate.surrogate.exp().item(), rtol=1e-9)


def test_likelihoods_of_1e_minus_30_keep_their_gradient():
    """In float32: one sequence in the batch, p = 1e-30, so grad log L is grad log p, not 0 and not NaN."""
    length = 10
    weights = torch.tensor([0.0, math.log(1e-3)], requires_grad=True)
    policy = FromLogits(lambda tokens: weights.expand(*tokens.shape, 2), length, 2)
    data = torch.ones(4, length, dtype=torch.long)
    estimator = estimators.make("likelihood", samples=4)
    surrogate = estimator.estimate(
        policy, lambda x: x.new_full(x.shape[:1], 0.5), {}, State(), data
    ).surrogate
    surrogate.sum().backward()
    assert surrogate.item() == pytest.approx(length * math.log(1e-3 / 1.001) + math.log(0.5), rel=1e-5)
    assert weights.grad.tolist() == pytest.approx([-length / 1.001, length / 1.001], rel=1e-4)


def test_self_normalised_does_not_depend_on_the_likelihoods_scale(problem, rng):
    """Weights sum to one: with a constant reward there is nothing to climb."""
    theta, aim = problem
    data = torch.from_numpy(rng.integers(V, size=(64, T)))
    constant = aim._replace(reward=lambda noise: lambda x: x.new_full(x.shape[:1], 0.7))
    found = draws(estimators.make("self_normalised", samples=32), theta, constant, data)
    assert np.abs(found).max() < 1e-12


def test_maligan_s_weights_are_the_odds_and_its_baseline_their_mean(problem, rng):
    theta, aim = problem
    noise = {"tokens": torch.from_numpy(rng.uniform(0.01, 0.99, size=(6, T)))}
    arguments = aim.policy(theta, {}), aim.reward({}), noise, State(), None
    tokens = arguments[0].sample(noise["tokens"])
    f = arguments[1](one_hot(tokens, V, torch.float64))
    w = (f / (1 - f)) / (f / (1 - f)).sum()

    def by_hand(th, weights):
        log_p = LSTMPolicy(th, T).logits(tokens).log_softmax(-1).gather(-1, tokens[..., None])[..., 0].sum(1)
        return (weights * log_p).sum()

    for baseline, weights in ((False, w), (True, w - 1 / 6)):
        estimator = estimators.make("maligan", samples=6, baseline=baseline)
        found = draws(estimator, theta, aim, torch.zeros(6, T, dtype=torch.long), noise)[0]
        np.testing.assert_allclose(found, flatten(grad(by_hand)(theta, weights)).numpy(), atol=1e-12)


def test_rewards_know_their_odds(rng):
    phi = double(init_discriminator(V, 4, rng))
    x = one_hot(all_sequences(T, V), V, torch.float64)
    d = DiscriminatorReward(phi)(x)
    for reward in (
        lambda x: d,
        odds_reward(phi, {}),
        surprise(phi, {}),
        MeteredReward(surprise(phi, {}), Meter(), phi["lstm.bias"].new_empty(V)),
    ):
        torch.testing.assert_close(log_odds(reward, x), torch.logit(d))
    torch.testing.assert_close(surprise(phi, {})(x), -torch.log1p(-d))


@pytest.mark.parametrize("name", ["likelihood", "self_normalised"])
def test_without_data_they_say_so(name):
    policy = FromLogits(lambda tokens: torch.zeros(*tokens.shape, V), T, V)
    with pytest.raises(ValueError, match="learns from real sequences"):
        estimators.make(name).estimate(policy, lambda x: x[:, 0, 0], {}, State(), None)


def test_coverage_is_complete_at_one_and_nested_below():
    few, more, everything = (set(coverage.lot(125, f).tolist()) for f in (0.03, 0.3, 1.0))
    assert few < more < everything == set(range(125))
    settings = coverage.PRESETS["smoke"]
    found = coverage.conditions(settings, [3, 15], estimators.available())
    assert {condition.length for condition in found} == {3}
    outcome = coverage.run(settings, next(c for c in found if c.setting == "eq5 covered=1"), [0, 1], "cpu")
    table = outcome.metrics.set_index("metric")["value"]
    assert table["covered_mass"].to_numpy() == pytest.approx(1.0)
    assert {"gradient_bias_squared", "gradient_cosine", "gradient_variance"} <= set(table.index)
