"""Estimators that roll out: against the papers' formulas taken literally, by what they promise, at extremes.

Every statistical test fails a right estimator once in 1 / ALPHA seeds; the seeds are fixed.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_relaxed import bumpy, extreme, filled_from, markov
from torch.func import grad, vmap

from bench.contract import referee
from bench.contract.referee import networks
from bench.contract.referee import uniforms as noise_for
from bench.contract.verdict import ALPHA
from bench.experiments import grammar
from discgan_core import estimators, tasks, training
from discgan_core.accuracy import flatten
from discgan_core.estimators.arsm import after_swaps, race
from discgan_core.estimators.disarm import antithesis
from discgan_core.game import Game, lstm
from discgan_core.gradients import Problem, draw_gradients, update_gradient
from discgan_core.interface import Estimate, Feedback, State
from discgan_core.models.generator import LSTMPolicy
from discgan_core.randomness import Streams
from discgan_core.rewards import completions
from discgan_core.sequences import inverse_cdf, log_likelihood, one_hot

OPTIONS = {"rollout": {"samples": 2}, "local_expectation": {"samples": 2}, "arsm": {}, "disarm": {}}
V, LENGTH, BATCH = 3, 4, 6


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def uniforms(rng, *shape):
    return torch.from_numpy(rng.uniform(1e-12, 1 - 1e-12, size=shape))


def made(name, **options):
    return estimators.make(name, **OPTIONS[name] | options)


def posed(seed=0, length=LENGTH):
    """Pose the gradient of E[D(s)] of a small generator; gives its parameters too."""
    theta, phi = networks(V, np.random.default_rng(seed))
    return referee.problem(phi, length), theta


def moved(theta, by, seed=7):
    rng = np.random.default_rng(seed)
    return {
        name: value + by * torch.from_numpy(rng.normal(size=value.shape)) for name, value in theta.items()
    }


# Extremes


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=25, deadline=None)
@given(extreme())
def test_rewards_and_gradients_stay_finite(name, drawn):
    theta, pool, _ = drawn
    estimator, (length, vocabulary) = made(name), theta["first"].shape
    shapes = estimator.noise(length, vocabulary)
    noise = {name: filled_from(pool, (3, *shape)) for name, shape in shapes.items()}
    problem = Problem(lambda theta, noise: markov(theta), lambda noise: bumpy)
    gradient, feedback = update_gradient(estimator, problem, theta, noise, State())
    found = {"rewards": feedback.estimate.info["rewards"], **gradient}
    for key, value in found.items():
        assert value.dtype == torch.float32
        assert value.isfinite().all(), f"{name}: {key}"


# What all of them promise


@pytest.mark.parametrize("name", OPTIONS)
def test_rewards_reported_are_those_of_the_samples(name, rng):
    problem, theta = posed()
    noise = noise_for(made(name), V, LENGTH, BATCH, rng)
    policy, reward = problem.policy(theta, noise), problem.reward(noise)
    found = made(name).estimate(policy, reward, noise, State(), None).info["rewards"]
    torch.testing.assert_close(found, reward(one_hot(policy.sample(noise["tokens"]), V, torch.float64)))


@pytest.mark.parametrize("latent", [0, 2])
@pytest.mark.parametrize("name", OPTIONS)
def test_the_mean_of_single_draws_is_the_batch_s_gradient_in_every_session(name, latent, rng):
    estimator, thetas = made(name), [posed(seed)[1] for seed in range(2)]
    start = {"latent": (latent * referee.HIDDEN,)}
    shapes = estimator.noise(LENGTH, V) | start
    noises = [{key: uniforms(rng, BATCH, *shape) for key, shape in shapes.items()} for _ in thetas]
    problem = Problem(lambda theta, noise: lstm(theta, LENGTH, noise), posed()[0].reward)
    one = lambda theta, noise: draw_gradients(estimator, problem, theta, noise, State())[0]  # noqa: E731
    draws = vmap(one)(training.stack(thetas), training.stack(noises))
    for session, (theta, noise) in enumerate(zip(thetas, noises, strict=True)):
        expected, _ = update_gradient(estimator, problem, theta, noise, State())
        assert flatten(expected).norm() > 0
        for key, value in expected.items():
            torch.testing.assert_close(draws[key][session].mean(0), value)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_session_s_gradient_is_its_own_to_the_last_bit(name):
    estimator, sessions = made(name), range(5)
    thetas = training.stack([{k: v.float() for k, v in posed(seed)[1].items()} for seed in sessions])
    phi = {k: v.float() for k, v in networks(V, np.random.default_rng(0))[1].items()}
    noise = Streams("test", sessions).noise(estimator.noise(LENGTH, V), 32)
    problem = referee.problem(phi, LENGTH)

    def gradients(some):
        parts = [{key: value[some] for key, value in tree.items()} for tree in (thetas, noise)]
        return vmap(lambda theta, noise: update_gradient(estimator, problem, theta, noise, State())[0])(
            *parts
        )

    alone, together = gradients(slice(3, 5)), gradients(slice(0, 5))
    for key, value in alone.items():
        assert torch.equal(value, together[key][3:]), key


@pytest.mark.parametrize("name", OPTIONS)
def test_its_calls_are_those_of_its_completions(name):
    task, batch = tasks.make("grammar", 5), 4
    schedule = replace(
        grammar.PRESETS["smoke"].schedule(5), batch=batch, generated=batch, discriminator_steps=0
    )
    schedule = replace(schedule, pretraining_epochs=0, warmup=0, training_set=batch)
    players, _ = training.pretrain(task, schedule, Streams("calls", [0]))
    found = training.calls_per_update(players, task, made(name), schedule)
    completed = {"rollout": 2, "local_expectation": 2 * task.vocabulary, "arsm": task.vocabulary, "disarm": 2}
    # once each to sample, to say how likely samples are and to go on from them; rollout says so twice
    passes = 4 if name == "rollout" else 3
    assert found.generator == pytest.approx(batch * (passes + completed[name] * completions(5) / 5))
    assert found.discriminator == pytest.approx(batch * (2 + completed[name] * completions(6) / 5))


def test_all_tokens_are_tried_only_where_they_are_few():
    for name in ("local_expectation", "arsm"):
        assert made(name).supports(100, 32)
        assert not made(name).supports(1, 33)
    for name in ("rollout", "disarm"):
        assert made(name).supports(40, 5000)


# Rollouts


def values_by_hand(policy, reward, tokens, noise):
    """Complete every prefix token by token."""
    values = []
    for t, part in enumerate(noise.split(list(range(LENGTH, 0, -1)), -1)):
        found = []
        for u in part.unbind(1):
            begun = tokens.clone()
            for place in range(t, LENGTH):
                log_probs = policy.logits(begun)[:, place].log_softmax(-1)
                begun[:, place] = inverse_cdf(log_probs, u[:, place - t])
            found.append(reward(one_hot(begun, V, torch.float64)))
        values.append(torch.stack(found).mean(0))
    return torch.stack([*values, reward(one_hot(tokens, V, torch.float64))], 1)


@pytest.mark.parametrize("rate", [0.0, 0.8])
def test_rollouts_are_what_a_plain_loop_computes(rate, rng):
    problem, theta = posed()
    lagged = moved(theta, 0.5)
    estimator = made("rollout", rate=rate)
    noise = noise_for(estimator, V, LENGTH, BATCH, rng)
    reward, follow = problem.reward(noise), LSTMPolicy(lagged if rate else theta, LENGTH)
    tokens = problem.policy(theta, noise).sample(noise["tokens"])
    v = values_by_hand(follow, reward, tokens, noise["rollouts"])
    for baseline in (True, False):
        weights = v[:, 1:] - v[:, :-1] if baseline else v[:, 1:]

        def by_hand(theta, weights=weights):
            log_probs = LSTMPolicy(theta, LENGTH).logits(tokens).log_softmax(-1)
            return (weights * log_likelihood(log_probs, tokens)).sum(1).mean()

        options = {"rate": rate, "baseline": baseline}
        part = noise if baseline else {**noise, "rollouts": noise["rollouts"][..., LENGTH:]}
        found, _ = update_gradient(made("rollout", **options), problem, theta, part, State(carried=lagged))
        for key, value in grad(by_hand)(theta).items():
            torch.testing.assert_close(found[key], value)


def test_rollouts_by_a_policy_left_behind_are_biased():
    for by, biased in ((0.0, False), (0.5, True)):
        lagged = made("rollout", rate=0.8)._replace(
            init=lambda policy, generator, by=by: State(carried=moved(policy.params, by))
        )
        assert not lagged.unbiased
        assert (referee.judge(lagged, 3, 3).p_value < ALPHA) is biased


def test_the_lagged_policy_starts_at_theta_and_follows_it():
    estimator, theta = made("rollout", rate=0.8), {"w": torch.tensor([1.0, -2.0])}
    state = estimator.init(LSTMPolicy({**theta, "out.bias": torch.zeros(2)}, 1), None)
    assert torch.equal(state.carried["w"], theta["w"])
    for now in ({"w": torch.tensor([2.0, 0.0])}, {"w": torch.tensor([4.0, 1.0])}):
        feedback = Feedback({}, Estimate(torch.zeros(1)), {**now, "out.bias": torch.zeros(2)})
        expected = 0.8 * state.carried["w"] + 0.2 * now["w"]
        state = estimator.adapt(state, feedback)
        torch.testing.assert_close(state.carried["w"], expected)


def test_in_training_the_lagged_policy_follows_every_session_s_updates():
    task, game = tasks.make("grammar", 3), Game()
    schedule = replace(grammar.PRESETS["smoke"].schedule(3), updates=2, batch=32, generated=32, warmup=0)
    start, data = training.pretrain(task, schedule, Streams("t", [0, 1]), game)
    loop = training.adversarial(
        start, data, task, made("rollout", rate=0.8), schedule, Streams("u", [0, 1]), game
    )
    players = next(loop)
    lagged = players.generator
    for now in (players, *loop):
        if now is not players:
            lagged = {key: 0.8 * old + 0.2 * now.generator[key] for key, old in lagged.items()}
        for key, value in lagged.items():
            torch.testing.assert_close(now.state.carried[key], value)
    assert (lagged["out.bias"] - now.generator["out.bias"]).abs().max() > 1e-6


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match=f"rollout: rate is {rate}, and must be"):
        estimators.make("rollout", rate=rate)


# ARSM


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 7), st.integers(0, 2**31))
def test_swaps_change_what_swapping_changes(vocabulary, seed):
    rng = np.random.default_rng(seed)
    q, logits = (torch.from_numpy(rng.normal(size=(4, vocabulary))) for _ in range(2))
    e, log_probs = torch.from_numpy(rng.exponential(size=(4, vocabulary))), (2 * logits).log_softmax(-1)
    found = after_swaps(q, e.log(), log_probs)
    for n, c, j in product(range(4), range(vocabulary), range(vocabulary)):
        order = list(range(vocabulary))
        order[c], order[j] = j, c
        winner = (e[n][order] / log_probs[n].exp()).argmin()
        assert found[n, c, j] == q[n, winner]


def test_a_race_has_the_winner_it_is_given_and_nothing_else_of_it(rng):
    log_probs = torch.tensor([0.1, 0.6, 0.3], dtype=torch.float64).log().expand(20_000, -1)
    tokens = inverse_cdf(log_probs, uniforms(rng, 20_000))
    e = race(log_probs.exp(), tokens, uniforms(rng, 20_000, 3))
    assert torch.equal((e / log_probs.exp()).argmin(-1), tokens)
    for one in e.unbind(-1):
        assert stats.kstest(one.numpy(), "expon").pvalue > ALPHA
    assert stats.spearmanr(e.numpy()).pvalue[np.triu_indices(3, 1)].min() > ALPHA


# DisARM


P = torch.tensor([0.15, 0.4, 0.05, 0.4], dtype=torch.float64)
F = torch.tensor([0.3, -1.0, 2.0, 0.7], dtype=torch.float64)


def coins(log_probs):
    """Give the log-odds of stick-breaking, alpha_i = logit(p_i / sum_{j >= i} p_j)."""
    p = log_probs.exp()
    left = p.flip(-1).cumsum(-1).flip(-1)
    return torch.logit(p[:-1] / left[:-1])


def literal_disarm():
    """List for all pairs of tokens their probability and DisARM's mean gradient by log p, by enumeration.

    (Dong, Mnih and Tucker, 2020: 1/2 (f(b) - f(b~)) (-1)^b~_i 1[b_i != b~_i] sigmoid(|alpha_i|) for coin i.)
    """
    slopes = torch.func.jacrev(coins)(P.log())
    alpha = coins(P.log())
    mass, total = torch.zeros(4, 4).double(), torch.zeros(4, 4, 4).double()
    for b in product([(0, 0), (0, 1), (1, 0), (1, 1)], repeat=3):
        first, second = (torch.tensor(one) for one in zip(*b, strict=True))
        chance = torch.tensor(1.0).double()
        for (one, other), a in zip(b, alpha, strict=True):
            heads = a.sigmoid()
            same = (2 * heads - 1 if one else 1 - 2 * heads).clamp(min=0)
            chance = chance * (same if one == other else torch.minimum(heads, 1 - heads))
        s, t = ([*one.tolist(), 1].index(1) for one in (first, second))
        g = (F[s] - F[t]) / 2 * (-1) ** second * (first != second) * alpha.abs().sigmoid()
        mass[s, t] += chance
        total[s, t] += chance * (g @ slopes)
    return mass, total / mass[..., None].clamp(min=1e-12)


def one_token_draws(cells=128):
    """Give tokens, their antitheses and gradients by the logits, over a grid of both uniforms."""
    grid = (torch.arange(cells).double() + 0.5) / cells
    noise = dict(zip(("tokens", "antithetic"), torch.cartesian_prod(grid, grid).T[..., None], strict=True))
    noise["rollouts"] = torch.empty(cells**2, 0).double()
    problem = Problem(lambda theta, noise: markov(theta), lambda noise: lambda x: x[:, 0] @ F)
    theta = {"first": P.log()[None] + 0.7, "follow": torch.zeros(4, 4).double()}
    gradients = draw_gradients(made("disarm"), problem, theta, noise, State())[0]["first"][:, 0]
    s = inverse_cdf(P.log().expand(cells**2, -1), noise["tokens"][:, 0])
    return s, antithesis(coins(P.log()), s, noise["antithetic"][:, 0]), gradients


def test_antithetic_tokens_and_their_gradients_are_those_of_antithetic_coins():
    mass, expected = literal_disarm()
    torch.testing.assert_close(mass.sum(0), P)
    s, other, gradients = one_token_draws()
    for pair in product(range(4), repeat=2):
        found = (s == pair[0]) & (other == pair[1])
        assert found.double().mean() == pytest.approx(mass[pair].item(), abs=0.02), f"chance of {pair}"
        if mass[pair] > 0.02:
            torch.testing.assert_close(gradients[found], expected[pair].expand(int(found.sum()), -1))
    assert (mass > 0.02).sum() > 8


def test_of_two_values_it_is_disarm_for_one_coin():
    estimator, theta = made("disarm"), {"first": torch.tensor([[0.4, 0.0]]).double()}
    theta["follow"] = torch.zeros(2, 2).double()
    problem = Problem(lambda theta, noise: markov(theta), lambda noise: lambda x: x[:, 0, 0])
    u = torch.linspace(0.01, 0.99, 50).double()[:, None]
    noise = {"tokens": u, "antithetic": u.flip(0), "rollouts": torch.empty(50, 0).double()}
    found = draw_gradients(estimator, problem, theta, noise, State())[0]["first"][:, 0]
    size = torch.sigmoid(torch.tensor(0.4).double()) / 2
    flipped = found[:, 0] != 0
    assert 0 < flipped.sum() < 50
    torch.testing.assert_close(found[flipped], torch.stack([size, -size]).expand(int(flipped.sum()), 2))
