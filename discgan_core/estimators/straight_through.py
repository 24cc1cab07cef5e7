"""Straight-through Gumbel-softmax: hard tokens forwards, relaxed ones backwards (Jang et al., 2017).

    g_hat = grad f(x),   x_t = one_hot(s_t),   dx_t := d softmax(z_t / tau),   s_t = argmax z_t

with z_t = log p(. | x_<t) + Gumbel noise; the gradient also flows through x_t into the later steps' p.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core import rewards
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.relaxed import Temperature, carried, traits
from discgan_core.relaxed import straight_through as sample
from discgan_core.sequences import gumbel_with, soften


def straight_through(temperature: Temperature = 1.0) -> Estimator:
    """Let the gradient pass as if the tokens had been relaxed.

    Args:
        temperature: tau, or a schedule over updates (`discgan_core.relaxed`).
    """

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tau = carried(temperature, state)

        def relaxed(t: int, tokens: Tensor, log_probs: Tensor) -> Tensor:
            return soften(gumbel_with(log_probs, tokens, noise["z"][:, t]), tau)

        f = rewards.of(reward, sample(policy, noise, relaxed))
        return Estimate(f, {"rewards": f})

    def noise_shapes(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
        return {"tokens": (length,), "z": (length, vocabulary)}

    return Estimator(estimate, noise_shapes, **traits("straight_through", temperature))
