"""An estimator with a problem to estimate the gradient of: small networks, noise and data, all seeded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from bench.contract import referee
from discgan_core.gradients import Problem, draw_gradients, sequences_per_draw, update_gradient
from discgan_core.interface import Estimate, Estimator, Feedback, Params, State

SIZES = [(4, 1), (3, 3), (2, 4), (6, 3), (6, 15), (27, 10)]
"""Vocabularies and lengths that are tried, as far as the estimator supports them."""


class Broken(Exception):
    """What of its contract an estimator does not keep, in words."""


class Case(NamedTuple):
    """Everything of one session that tensors hold: vmap it over sessions.

    Attributes:
        theta: the generator.
        discriminator: the discriminator, whose D is the reward.
        state: of the estimator.
        noise: uniforms [N, ...], as the estimator asks for.
        data: real sequences [N, T].
    """

    theta: Params
    discriminator: Params
    state: State
    noise: dict[str, Tensor]
    data: Tensor

    def problem(self) -> Problem:
        """Pose the gradient."""
        return referee.problem(self.discriminator, self.data.shape[-1])

    def estimate(self, estimator: Estimator) -> Estimate:
        """Estimate once, as a policy's user would."""
        aim = self.problem()
        policy, reward = aim.policy(self.theta, self.noise), aim.reward(self.noise)
        return estimator.estimate(policy, reward, self.noise, self.state, self.data)

    def update(self, estimator: Estimator) -> tuple[Params, Feedback]:
        """Estimate the gradient, and what the estimator adapts to."""
        return update_gradient(estimator, self.problem(), self.theta, self.noise, self.state, self.data)

    def draws(self, estimator: Estimator) -> Params:
        """Give every draw by itself."""
        return draw_gradients(estimator, self.problem(), self.theta, self.noise, self.state, self.data)[0]

    def sequences(self, estimator: Estimator) -> int:
        """Count the sequences that a draw takes."""
        return sequences_per_draw(estimator, self.problem(), self.theta, self.noise, self.state, self.data)


def make(estimator: Estimator, vocabulary: int, length: int, draws: int = 8, seed: int = 0) -> Case:
    """Make a case in float64, of so many draws."""
    rng = np.random.default_rng([seed, vocabulary, length])
    theta, discriminator = referee.networks(vocabulary, rng)
    policy = referee.problem(discriminator, length).policy(theta, {})
    state = referee.moved(estimator.init(policy, rng), rng)
    rows = draws * estimator.samples_per_draw
    noise = referee.uniforms(estimator, vocabulary, length, rows, rng)
    data = torch.from_numpy(rng.integers(vocabulary, size=(rows, length)))
    return Case(theta, discriminator, state, noise, data)


def some(estimator: Estimator) -> Case:
    """Make a case of the first size of more than one token that the estimator supports."""
    sizes = supported(estimator)
    return make(estimator, *next((size for size in sizes if size[1] > 1), sizes[0]))


def supported(estimator: Estimator) -> list[tuple[int, int]]:
    """List the vocabularies and lengths at which the estimator says that it can run.

    Raises:
        Broken: it supports none.
    """
    found = [(v, t) for v, t in SIZES if estimator.supports(t, v)]
    if not found:
        sizes = ", ".join(f"{t} of {v}" for v, t in SIZES)
        raise Broken(f"supports(length, vocabulary) says no to every length and vocabulary tried: {sizes}")
    return found


def gap(one: object, other: object) -> float:
    """Give the largest difference between two trees of tensors of one form, relative to the largest entry."""
    differences: list[float] = []

    def compare(a: Tensor, b: Tensor) -> Tensor:
        size = max(float(b.abs().max()), 1e-12) if b.numel() else 1.0
        differences.append(float((a - b).abs().max()) / size if b.numel() else 0.0)
        return a

    tree_map(compare, one, other)
    return max(differences, default=0.0)
