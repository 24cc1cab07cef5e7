"""ReinMax: straight-through of second order, by Heun's method (Liu et al., 2023, algorithm 2).

    g_hat = grad f(x),   dx_t := (2 J(pi_1) - J(pi_0) / 2) d log p_t,   J(pi) = diag(pi) - pi pi'
    pi_0 = p_t,   pi_1 = (one_hot(s_t) + softmax(log p_t / tau)) / 2

For a single token and tau = 1 it is unbiased where f is quadratic.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core import rewards
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.relaxed import Temperature, carried, straight_through, traits
from discgan_core.sequences import one_hot, soften, softmax_slope


def reinmax(temperature: Temperature = 1.0) -> Estimator:
    """Weigh the softmax's derivative at two points, as Heun's method does.

    Args:
        temperature: tau, or a schedule over updates (`discgan_core.relaxed`); its authors prefer 1 or more.
    """

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tau = carried(temperature, state)

        def relaxed(t: int, tokens: Tensor, log_probs: Tensor) -> Tensor:
            pi_0 = log_probs.exp()
            pi_1 = (one_hot(tokens, policy.vocabulary, pi_0.dtype) + soften(log_probs, tau)) / 2
            return 2 * softmax_slope(pi_1, log_probs) - softmax_slope(pi_0, log_probs) / 2

        f = rewards.of(reward, straight_through(policy, noise, relaxed))
        return Estimate(f, {"rewards": f})

    return Estimator(
        estimate, lambda length, vocabulary: {"tokens": (length,)}, **traits("reinmax", temperature)
    )
