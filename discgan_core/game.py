"""How generator and discriminator meet: what one climbs, what the other is shown, what the first starts from.

A `Game` is everything about adversarial training that is neither the estimator nor the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from discgan_core.interface import Noise, Params, Reward
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.relaxed import Temperature, relaxed_sequences, temperature_at
from discgan_core.sequences import gumbel, one_hot, soften

RewardFactory = Callable[[Params, Noise], Reward]
"""(the discriminator's parameters, noise) -> f."""

PolicyFactory = Callable[[Params, int, Noise], Any]
"""(the generator's parameters, T, noise) -> a policy."""


def lstm(theta: Params, length: int, noise: Noise) -> LSTMPolicy:
    """Make the LSTM's policy, started from the noise's `latent` if it has one."""
    return LSTMPolicy(theta, length, noise.get("latent"))


def judged(discriminator: Params, noise: Noise) -> Reward:
    """Reward a sequence by D, the discriminator's probability that it is real."""
    return DiscriminatorReward(discriminator)


def log_odds(discriminator: Params, noise: Noise) -> Reward:
    """Reward a sequence by log D/(1-D) (Kusner and Hernandez-Lobato, algorithm 1)."""
    return DiscriminatorReward(discriminator, measure=lambda logits: logits)


def surprise(discriminator: Params, noise: Noise) -> Reward:
    """Reward a sequence by -log(1-D), which is positive (Toth, eq. 3: the generator minimises log(1-D))."""
    return DiscriminatorReward(discriminator, measure=functional.softplus)


def null(discriminator: Params, noise: Noise) -> Reward:
    """Reward a sequence by noise, whatever it is: the control that shows what no information gives.

    Copies of a row stand side by side and have the same; its derivative is 0.
    """
    values = noise["reward"]

    def reward(x: Tensor) -> Tensor:
        copies = math.ceil(len(x) / len(values))
        return values.repeat_interleave(copies)[: len(x)] + 0 * x.flatten(1).sum(1)

    return reward


class Shuffled:
    """f(s_i) = r(s_pi(i)) for a batch s_1..s_N: another reward's values, permuted over the batch by pi.

    The values are r's own, at every stage of training, but say no more of a sequence than of any other of its
    batch: over all pi their mean is the same for each, and that of a gradient with a baseline is zero.

    Args:
        reward: r, of tokens or of vectors.
        lots: uniforms [N], whose order is pi; where more are judged, the copies of a row go together.
    """

    def __init__(self, reward: Reward, lots: Tensor) -> None:
        self.reward, self.order = reward, lots.argsort(stable=True)

    def __call__(self, x: Tensor) -> Tensor:
        """Judge sequences or prefixes x, as r takes them: [M]."""
        return self.reward(x).unflatten(0, (len(self.order), -1))[self.order].flatten()

    of_tokens = __call__


def shuffled(reward: RewardFactory) -> RewardFactory:
    """Reward every sequence as another of its batch: the control whose rewards are right, but go astray."""
    return lambda discriminator, noise: Shuffled(reward(discriminator, noise), noise["reward"])


class View(NamedTuple):
    """How sequences are shown to the discriminator while it trains, after so many generator updates.

    x is tokens [N, T], or vectors [N, T, V]; the same of both kinds.

    Attributes:
        real: (tokens [N, T], V, noise, updates) -> x.
        fake: (policy, noise, updates) -> x.
        real_noise: (T, V) -> shape per sample of the uniforms that `real` reads.
        fake_noise: the same of `fake`.
    """

    real: Callable[[Tensor, int, Noise, Tensor], Tensor]
    fake: Callable[[LSTMPolicy, Noise, Tensor], Tensor]
    real_noise: Callable[[int, int], dict[str, tuple[int, ...]]]
    fake_noise: Callable[[int, int], dict[str, tuple[int, ...]]]


def hard_real(tokens: Tensor, vocabulary: int, noise: Noise, updates: Tensor) -> Tensor:
    """Show tokens as they are."""
    return tokens


def hard_fake(policy: LSTMPolicy, noise: Noise, updates: Tensor) -> Tensor:
    """Show samples as they are."""
    return policy.sample(noise["tokens"])


def gumbels(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Ask for the Gumbel noise of relaxed sequences."""
    return {"z": (length, vocabulary)}


HARD = View(hard_real, hard_fake, lambda *_: {}, lambda length, _: {"tokens": (length,)})


def relaxed(real_temperature: Temperature, fake_temperature: Temperature, right: float = 0.9) -> View:
    """Show both kinds as draws of the Gumbel-softmax (Kusner and Hernandez-Lobato, section 4).

    A real token is smoothed first: probability `right` on its own symbol, the rest spread evenly.

    Args:
        real_temperature: tau of real sequences.
        fake_temperature: tau of generated ones.
        right: the probability left on the right symbol.
    """

    def real(tokens: Tensor, vocabulary: int, noise: Noise, updates: Tensor) -> Tensor:
        g = gumbel(noise["z"])
        odds = math.log(right) - math.log((1 - right) / (vocabulary - 1))
        return soften(
            odds * one_hot(tokens, vocabulary, g.dtype) + g, temperature_at(real_temperature, updates)
        )

    def fake(policy: LSTMPolicy, noise: Noise, updates: Tensor) -> Tensor:
        return relaxed_sequences(policy, noise["z"], temperature_at(fake_temperature, updates))

    return View(real, fake, gumbels, gumbels)


class Game(NamedTuple):
    """The rules, the same for both players throughout.

    Attributes:
        reward: what the generator climbs.
        view: what the discriminator is shown.
        latent: how many of the generator's two states start as noise: none, h_0, or both.
        init: (V, hidden, generator) -> the generator's parameters.
        init_discriminator: the same of the discriminator's.
        policy: what the generator's parameters are those of.
    """

    reward: RewardFactory = judged
    view: View = HARD
    latent: int = 0
    init: Callable[[int, int, Generator], Params] = init_generator
    init_discriminator: Callable[[int, int, Generator], Params] = init_discriminator
    policy: PolicyFactory = lstm

    def latent_noise(self, hidden: int) -> dict[str, tuple[int, ...]]:
        """Ask for the noise that a sample of the generator starts from, uniform in (0, 1)."""
        return {"latent": (self.latent * hidden,)} if self.latent else {}


REGAN = Game()
"""Sequences are tokens, D itself is the reward, and the generator starts from zero."""
