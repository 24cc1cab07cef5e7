"""The exact gradient: a ceiling to train against, where all V^T sequences can be gone through.

g_hat = grad sum_s p_theta(s) f(s)
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.checks import positive
from discgan_core.exact import expected_reward
from discgan_core.exact import seconds as predicted
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State


def exact(seconds: float = 1.0) -> Estimator:
    """Sum over all sequences; every draw is the gradient itself.

    Args:
        seconds: that a gradient may take, as `discgan_core.exact.seconds` predicts them.
    """
    positive("exact", seconds=seconds)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        return Estimate(expected_reward(policy, reward, seconds)[None])

    def supports(length: int, vocabulary: int) -> bool:
        return predicted(length, vocabulary) <= seconds

    return Estimator(estimate, noise=lambda length, vocabulary: {}, supports=supports)
