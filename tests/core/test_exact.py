"""The exact gradient by reading every prefix once, against every sequence read by itself."""

import numpy as np
import pytest
import torch
from torch.func import grad, vmap
from torch.testing import assert_close

from discgan_core import estimators, exact
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import State
from discgan_core.meter import Meter, MeteredPolicy, MeteredReward
from discgan_core.models import tree
from discgan_core.models.chain import ChainPolicy
from discgan_core.models.discriminator import (
    DiscriminatorReward,
    init_discriminator,
    init_embedded_discriminator,
)
from discgan_core.models.from_logits import FromLogits
from discgan_core.models.generator import LSTMPolicy, init_embedded_generator, init_generator, init_with_cell
from discgan_core.policies import log_probs_of, log_probs_of_all
from discgan_core.sequences import all_sequences, log_likelihood

V, T, H = 3, 5, 4
CLOSE = {"rtol": 0, "atol": 1e-10}
GENERATORS = [init_generator, init_embedded_generator, init_with_cell]
DISCRIMINATORS = [init_discriminator, init_embedded_discriminator]


def drawn(init, vocabulary=V, seed=0):
    made = init(vocabulary, H, np.random.default_rng(seed))
    return {name: 3 * value.double() for name, value in made.items()}


@pytest.fixture
def reward():
    return DiscriminatorReward(drawn(init_discriminator, seed=1))


def one_by_one(theta, reward, length=T, vocabulary=V):
    tokens = all_sequences(length, vocabulary)
    log_p = log_likelihood(log_probs_of(LSTMPolicy(theta, length), tokens), tokens).sum(1)
    return (log_p.exp() * reward.of_tokens(tokens)).sum()


def by_tree(theta, reward, length=T):
    return exact.expected_reward(LSTMPolicy(theta, length), reward)


def agree(theta, reward, **size):
    read = {name: value for name, value in size.items() if name == "length"}
    assert_close(by_tree(theta, reward, **read), one_by_one(theta, reward, **size), **CLOSE)
    found, true = grad(by_tree)(theta, reward, **read), grad(one_by_one)(theta, reward, **size)
    assert_close(found, true, **CLOSE)


@pytest.mark.parametrize("init", GENERATORS)
@pytest.mark.parametrize("judge", DISCRIMINATORS)
@pytest.mark.parametrize("size", [(3, 5), (2, 7), (5, 1), (4, 2)])
def test_value_and_gradient_are_those_of_sequences_read_one_by_one(init, judge, size):
    vocabulary, length = size
    reward = DiscriminatorReward(drawn(judge, vocabulary, seed=1))
    agree(drawn(init, vocabulary), reward, length=length, vocabulary=vocabulary)


@pytest.mark.parametrize("piece", [1, 4, 81])
def test_pieces_make_no_difference(piece, reward, monkeypatch):
    monkeypatch.setattr(exact, "PIECE", piece)
    agree(drawn(init_generator), reward)


def test_pieces_have_a_gradient_for_backward_and_within_vmap_too(reward, monkeypatch):
    monkeypatch.setattr(exact, "PIECE", 10)
    theta = drawn(init_generator)
    true = grad(one_by_one)(theta, reward)
    leaves = {name: value.clone().requires_grad_() for name, value in theta.items()}
    by_tree(leaves, reward).backward()
    assert_close({name: leaf.grad for name, leaf in leaves.items()}, true, **CLOSE)
    stacked = {name: torch.stack([value, 2 * value]) for name, value in theta.items()}
    found = vmap(grad(lambda th: by_tree(th, reward)))(stacked)
    assert_close({name: value[0] for name, value in found.items()}, true, **CLOSE)


@pytest.mark.parametrize("start", [(), (2,), (0, 1), (2, 2, 0, 1, 1)])
def test_a_beginning_has_the_sequences_that_begin_so(start, reward):
    tokens = all_sequences(T, V)
    mine = (tokens[:, : len(start)] == torch.tensor(start)).all(1)
    policy = LSTMPolicy(drawn(init_generator), T)
    assert_close(log_probs_of_all(policy, start), policy.log_likelihood(tokens[mine]).sum(1))
    assert_close(reward.of_all(T, start), reward.of_tokens(tokens[mine]))


def test_a_second_derivative_of_one_piece_is_that_of_sequences_read_one_by_one(reward):
    theta = drawn(init_generator)

    def size(value_of):
        return lambda th: sum(g.square().sum() for g in grad(value_of)(th, reward).values())

    assert_close(grad(size(by_tree))(theta), grad(size(one_by_one))(theta), **CLOSE)


def test_in_pieces_a_second_derivative_is_refused_and_never_zero(reward, monkeypatch):
    monkeypatch.setattr(exact, "PIECE", 10)
    size = lambda th: sum(g.square().sum() for g in grad(by_tree)(th, reward).values())  # noqa: E731
    with pytest.raises(RuntimeError, match="no second derivative"):
        grad(size)(drawn(init_generator))


class Opposite(DiscriminatorReward):
    def __call__(self, x):
        return 1 - super().__call__(x)

    of_tokens = __call__


class Even(LSTMPolicy):
    def logits(self, tokens):
        return 0 * super().logits(tokens)


def test_a_subclass_is_asked_its_own_way(reward):
    theta = drawn(init_generator)
    policy, other = LSTMPolicy(theta, T), Opposite(reward.params)
    assert_close(exact.expected_reward(policy, other), 1 - exact.expected_reward(policy, reward), **CLOSE)
    tokens = all_sequences(T, V)
    assert_close(exact.expected_reward(Even(theta, T), reward), reward.of_tokens(tokens).mean(), **CLOSE)
    meter = Meter()
    found = exact.expected_reward(
        MeteredPolicy(Even(theta, T), meter), MeteredReward(other, meter, tokens.new_empty(0, V))
    )
    assert_close(found, 1 - reward.of_tokens(tokens).mean(), **CLOSE)


@pytest.mark.parametrize("shape", [(1,), (V**T, 1)])
def test_what_a_model_says_of_all_sequences_is_looked_at(shape, reward, monkeypatch):
    monkeypatch.setattr(DiscriminatorReward, "of_all", lambda *_: torch.zeros(shape).double())
    with pytest.raises(ValueError, match="of_all gives"):
        exact.expected_reward(LSTMPolicy(drawn(init_generator), T), reward)


def test_without_at_and_with_forbidden_tokens_pieces_are_right_too(reward, monkeypatch):
    own = LSTMPolicy(drawn(init_generator), T)
    whole = exact.expected_reward(own, reward)
    monkeypatch.setattr(exact, "PIECE", 10)
    assert_close(
        exact.expected_reward(FromLogits(own.logits, T, V, params=own.params), reward), whole, **CLOSE
    )
    chain = {"first": torch.zeros(V).double(), "table": torch.zeros(V, V).double()}
    chain["table"][0, 1] = chain["first"][2] = -torch.inf
    of_any = lambda x: reward(x)  # noqa: E731
    value, tokens = exact.expected_reward(ChainPolicy(chain, T), of_any), all_sequences(T, V)
    log_p = log_likelihood(log_probs_of(ChainPolicy(chain, T), tokens), tokens).sum(1)
    assert_close(value, (log_p.exp() * reward.of_tokens(tokens)).sum(), **CLOSE)


def test_other_policies_and_rewards_are_asked_for_a_list(reward):
    own = LSTMPolicy(drawn(init_generator), T)
    plain = FromLogits(own.logits, T, V, params=own.params)
    assert not hasattr(plain, "of_all")
    assert_close(
        exact.expected_reward(plain, lambda x: reward(x)), exact.expected_reward(own, reward), **CLOSE
    )


def test_a_generator_that_starts_from_noise_is_refused(reward):
    latent = torch.zeros(7, H, dtype=torch.float64)
    with pytest.raises(ValueError, match="starts from noise"):
        exact.expected_reward(LSTMPolicy(drawn(init_generator), T, latent), reward)


def test_what_takes_too_long_is_said_beforehand(reward):
    long = LSTMPolicy(drawn(init_generator), 40)
    with pytest.raises(ValueError, match=r"3\^40 sequences would take .* more than the 60 s"):
        exact.expected_reward(long, reward)
    with pytest.raises(ValueError, match="than the 1e-06 s"):
        exact.expected_reward(LSTMPolicy(drawn(init_generator), T), reward, within=1e-6)


def test_the_estimator_runs_where_its_seconds_allow():
    assert estimators.make("exact").supports(8, 5)
    assert not estimators.make("exact").supports(9, 5)
    assert estimators.make("exact", seconds=20.0).supports(10, 5)


def test_the_estimator_gives_the_gradient_and_every_sequence_is_a_call(reward):
    theta, meter = drawn(init_generator), Meter()
    aim = Problem(
        lambda th, noise: MeteredPolicy(LSTMPolicy(th, T), meter),
        lambda noise: MeteredReward(reward, meter, torch.empty(0, V)),
    )
    found, _ = update_gradient(estimators.make("exact"), aim, theta, {}, State())
    assert_close(found, grad(one_by_one)(theta, reward), **CLOSE)
    assert meter.calls == (V**T, V**T)


def moved(found):
    h, c = (state[:, : found.number].roll(1, 1) for state in found[:2])
    return tree.root((h, c))


def mutant(name):
    """A tree with one error in it, as a hand might make it."""
    after, along, inputs = tree.after, tree.along, tree.inputs
    other = {
        "tokens in another order": ("inputs", lambda params: inputs(params).flip(1)),
        "cells of another parent": (
            "after",
            lambda params, before, place: after(
                params, tree.root((before.h[:, : before.number], before.c[:, : before.number].flip(1))), place
            ),
        ),
        "no bias": ("inputs", lambda params: inputs({**params, "lstm.bias": 0 * params["lstm.bias"]})),
        "one place too few": (
            "along",
            lambda params, state, read: along(params, state, [*read][:-1] or [None]),
        ),
        "states beside their own prefixes": (
            "after",
            lambda params, before, place: moved(after(params, before, place)),
        ),
    }
    return other[name]


@pytest.mark.parametrize(
    "error",
    [
        "tokens in another order",
        "cells of another parent",
        "no bias",
        "one place too few",
        "states beside their own prefixes",
    ],
)
def test_planted_errors_are_seen(error, reward, monkeypatch):
    monkeypatch.setattr(tree, *mutant(error))
    with pytest.raises((AssertionError, RuntimeError, ValueError)):
        agree(drawn(init_generator), reward)


def test_a_session_of_length_6(benchmark):
    theta = init_generator(5, 32, np.random.default_rng(0))
    reward = DiscriminatorReward(init_discriminator(5, 32, np.random.default_rng(1)))
    benchmark(grad(lambda th: by_tree(th, reward, 6)), theta)
