"""What the estimators with a relaxed control variate share: samples with their z, and lambda and eta."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from discgan_core.interface import Noise, Params, Policy
from discgan_core.policies import log_probs_of
from discgan_core.sequences import gumbel_given, gumbel_with, log_likelihood, one_hot, score


def gumbels(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Ask for the noise of the tokens, of z and of z~."""
    return {"tokens": (length,), "z": (length, vocabulary), "z_tilde": (length, vocabulary)}


class Draws(NamedTuple):
    """Samples with the Gumbel-perturbed log-probabilities behind them, and in their stead.

    Attributes:
        x: hard sequences [N, T, V].
        scores: zero, with the gradient of log p(s_t | s_<t), [N, T].
        z: the reparameterised z_t whose argmax is s_t, [N, T, V].
        z_tilde: z~_t ~ p(z_t | s_t), a second draw given the same token, [N, T, V].
    """

    x: Tensor
    scores: Tensor
    z: Tensor
    z_tilde: Tensor


def sample(policy: Policy, noise: Noise) -> Draws:
    """Sample sequences with noise of the shapes that `gumbels` asks for."""
    tokens = policy.sample(noise["tokens"])
    log_probs = log_probs_of(policy, tokens)
    return Draws(
        one_hot(tokens, policy.vocabulary, log_probs.dtype),
        score(log_likelihood(log_probs, tokens)),
        gumbel_with(log_probs, tokens, noise["z"]),
        gumbel_given(log_probs, tokens, noise["z_tilde"]),
    )


class Relaxation(NamedTuple):
    """The temperature lambda of the relaxation and the weight eta of the control variate.

    Attributes:
        temperature: lambda > 0.
        eta: at 0 nothing is left of the control variate.
        learned: whether both are trained, from the values given, to lower the estimate's variance.
    """

    temperature: float
    eta: float
    learned: bool

    def init(self) -> Params:
        """Give what is to be learned: `log_temperature` and `eta`, or nothing."""
        if not self.learned:
            return {}
        return {
            "log_temperature": torch.tensor(math.log(self.temperature)),
            "eta": torch.tensor(float(self.eta)),
        }

    def read(self, learned: Params) -> tuple[Tensor | float, Tensor | float]:
        """Give lambda and eta as they stand."""
        if not self.learned:
            return self.temperature, self.eta
        return learned["log_temperature"].exp(), learned["eta"]
