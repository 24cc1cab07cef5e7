"""The referee as a test: draws of an estimator against the enumerated gradient, all parameters at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.func import grad

from discgan_core import exact, gradients
from discgan_core.accuracy import flatten
from discgan_core.gradients import Problem
from discgan_core.interface import Estimator, Params, State
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.generator import LSTMPolicy, init_generator

DIRECTIONS = 24
ALPHA = 1e-4
"""A true estimator fails one test in 10,000."""
HIDDEN = 4
CHUNK = 2000
"""Draws whose gradients are held at once."""


class Verdict(NamedTuple):
    """How an estimator's mean compares with the truth."""

    p_value: float  # of "the mean is the exact gradient", Hotelling's T^2
    relative_bias: float  # |mean - g| / |g|
    relative_noise: float  # what sampling error alone would give
    z: float  # of the error along the exact gradient, in standard errors
    variance: float  # per sample, relative to |g|^2


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


def judge(estimator: Estimator, vocabulary: int, length: int, draws: int = 20_000, seed: int = 0) -> Verdict:
    """Draw, and compare with the enumerated gradient.

    The draws are projected on random directions in the space of all parameters, scaled so that each
    parameter's standard error counts the same; Hotelling's T^2 then has an F distribution if the mean
    is the exact gradient.
    """
    rng = np.random.default_rng([seed, vocabulary, length])
    theta, discriminator = networks(vocabulary, rng)
    aim = problem(discriminator, length)
    truth = grad(lambda th: exact.expected_reward(aim.policy(th, {}), aim.reward({})))(theta)
    sample = flat_draws(estimator, aim, theta, vocabulary, length, draws, rng)
    return compare(sample, flatten(truth).numpy(), estimator.samples_per_draw, rng)


def flat_draws(
    estimator: Estimator,
    problem: Problem,
    theta: Params,
    vocabulary: int,
    length: int,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Give per-draw gradients, all parameters side by side: [draws, parameters]."""
    state = moved(estimator.init(problem.policy(theta, {}), rng), rng)
    parts: list[Tensor] = []
    while sum(map(len, parts)) < draws:
        rows = CHUNK * estimator.samples_per_draw
        noise = uniforms(estimator, vocabulary, length, rows, rng)
        data = torch.from_numpy(rng.integers(vocabulary, size=(rows, length)))
        arguments = (estimator, problem, theta, noise, state, data)
        parts.append(flatten(gradients.draw_gradients(*arguments)[0], 1))
        if len(parts[-1]) == 1:
            break
    return torch.cat(parts).numpy()


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


def compare(
    sample: np.ndarray, truth: np.ndarray, samples_per_draw: int, rng: np.random.Generator
) -> Verdict:
    """Test the mean of draws [n, parameters] against the truth."""
    count, error = len(sample), sample.mean(0) - truth
    size = np.linalg.norm(truth)
    if count == 1 or np.ptp(sample, axis=0).max() < 1e-12:
        bias = float(np.linalg.norm(error) / size)
        return Verdict(float(bias < 1e-9), bias, 0.0, 0.0, 0.0)
    spread = sample.std(0, ddof=1)
    directions = rng.normal(size=(sample.shape[1], DIRECTIONS)) / np.maximum(spread, 1e-12)[:, None]
    projected = (sample - truth) @ directions
    p_value = hotelling(projected)
    along = (sample - truth) @ (truth / size)
    return Verdict(
        p_value=p_value,
        relative_bias=float(np.linalg.norm(error) / size),
        relative_noise=float(np.sqrt((spread**2).sum() / count) / size),
        z=float(along.mean() / along.std(ddof=1) * np.sqrt(count)),
        variance=float((spread**2).sum() * samples_per_draw / size**2),
    )


def hotelling(errors: np.ndarray) -> float:
    """Test whether rows of errors [n, k] have mean zero; few distinct sequences fill fewer dimensions.

    Where the errors do not vary at all, a mean other than zero is certain to be none of sampling's.
    """
    count, mean = len(errors), errors.mean(0)
    values, vectors = np.linalg.eigh(np.cov(errors.T))
    varies = values > 1e-10 * values.max()
    part = vectors.T @ mean
    if (np.abs(part[~varies]) > 1e-4 * np.sqrt(values.max())).any():
        return 0.0
    rank = int(varies.sum())
    t_squared = count * (part[varies] ** 2 / values[varies]).sum()
    return float(stats.f.sf(t_squared * (count - rank) / (rank * (count - 1)), rank, count - rank))
