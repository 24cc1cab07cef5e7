"""The referee as a test: draws of an estimator against the enumerated gradient, all parameters at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.func import grad
from torch.nn import functional

from bench.contract.verdict import Batch, Sample, Verdict
from discgan_core import exact, gradients
from discgan_core.accuracy import flatten
from discgan_core.gradients import Problem
from discgan_core.interface import Estimator, Params, State
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.policies import log_probs_of_all

HIDDEN = 4
CHUNK = 2000
"""Draws whose gradients are held at once."""
OFTEN = 2
"""What is expected in a chunk of a sequence whose frequency is told apart."""
FINE = 0.02
"""A bias, in |g|, that it will do to see."""


def double(tree: Params, scale: float = 1.0) -> Params:
    """Take a model to float64, with weights large enough for a policy far from uniform."""
    return {name: value.double() * scale for name, value in tree.items()}


def networks(vocabulary: int, rng: np.random.Generator) -> tuple[Params, Params]:
    """Draw the parameters of a small generator and a small discriminator."""
    theta = double(init_generator(vocabulary, HIDDEN, rng), 3.0)
    return theta, double(init_discriminator(vocabulary, HIDDEN, rng), 3.0)


def problem(discriminator: Params, length: int) -> Problem:
    """Pose the gradient of E[D(s)] for sequences of that length."""
    return Problem(
        lambda theta, noise: LSTMPolicy(theta, length), lambda noise: DiscriminatorReward(discriminator)
    )


def judge(
    estimator: Estimator, vocabulary: int, length: int, draws: int = 20_000, most: int = 0, seed: int = 0
) -> Verdict:
    """Draw, and compare with the enumerated gradient.

    Args:
        estimator: which is judged.
        vocabulary: V.
        length: T; V^T sequences are listed.
        draws: how many at least.
        most: how many at most, for a power that is `FINE`.
        seed: of networks and noise.
    """
    rng = np.random.default_rng([seed, vocabulary, length])
    theta, discriminator = networks(vocabulary, rng)
    aim = problem(discriminator, length)
    truth = grad(lambda th: exact.expected_reward(aim.policy(th, {}), aim.reward({})))(theta)
    state = moved(estimator.init(aim.policy(theta, {}), rng), rng)
    batches = drawn(estimator, aim, theta, state, (vocabulary, length), rng)
    first = next(batches)
    sample = Sample(flatten(truth).numpy(), first.gradients, rng)
    sample.add(first)
    wanted = float(draws)
    while sample.count < wanted and sample.varies:
        sample.add(next(batches))
        if sample.count >= draws == wanted:
            wanted = min(most, draws * (sample.verdict().power / FINE) ** 2)
    return sample.verdict()


def drawn(
    estimator: Estimator,
    problem: Problem,
    theta: Params,
    state: State,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Draw batches without end; `size` is V and T."""
    policy, (vocabulary, length) = problem.policy(theta, {}), size
    chances = log_probs_of_all(policy).exp()
    rows = CHUNK * estimator.samples_per_draw
    while True:
        noise = uniforms(estimator, vocabulary, length, rows, rng)
        data = torch.from_numpy(rng.integers(vocabulary, size=(rows, length)))
        arguments = (estimator, problem, theta, noise, state, data)
        found = flatten(gradients.draw_gradients(*arguments)[0], 1)
        known = (
            luck(policy.sample(noise["tokens"]), chances, len(found))
            if "tokens" in noise
            else torch.zeros(len(found), 0)
        )
        yield Batch(found.numpy(), known.numpy(), gradients.sequences_per_draw(*arguments))


def luck(tokens: Tensor, chances: Tensor, draws: int) -> Tensor:
    """Give how much more of each draw's tokens [N, T] is a sequence than its chance [V^T]: [draws, m].

    The mean is zero, whatever an estimator does. Of sequences too rare for a normal law nothing is told.
    """
    vocabulary = round(len(chances) ** (1 / tokens.shape[1]))
    index = (tokens * vocabulary ** torch.arange(tokens.shape[1]).flip(0)).sum(1)
    shares = functional.one_hot(index, len(chances)).double().unflatten(0, (draws, -1)).mean(1)
    return (shares - chances)[:, chances * CHUNK > OFTEN][:, 1:]  # all of them add up to zero


def moved(state: State, rng: np.random.Generator) -> State:
    """Move what is learned away from its start, where part of an estimator may stand still."""
    return state._replace(
        learned={
            name: v.double() + 0.005 * torch.from_numpy(rng.normal(size=v.shape))
            for name, v in state.learned.items()
        }
    )


def uniforms(
    estimator: Estimator, vocabulary: int, length: int, rows: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Draw what an estimator asks for, [rows, ...], in float64."""
    return {
        name: torch.from_numpy(rng.uniform(1e-12, 1 - 1e-12, size=(rows, *shape)))
        for name, shape in estimator.noise(length, vocabulary).items()
    }
