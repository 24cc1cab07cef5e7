"""Maximum likelihood on real data: the reference that needs no reward.

    g_hat = grad log p_theta(x),   x from the data

It is the gradient of another objective than E[f(s)], hence biased for this one by declaration.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.sequences import log_likelihood


def maximum_likelihood() -> Estimator:
    """Climb the data's log-likelihood; draws are real sequences."""

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        if data is None:
            raise ValueError("maximum_likelihood learns from data: give `data` [N, T]")
        log_probs = log_probs_of(policy, data)
        return Estimate(log_likelihood(log_probs, data).sum(1))

    return Estimator(estimate, noise=lambda length, vocabulary: {}, unbiased=False, needs=(Need.DATA,))
