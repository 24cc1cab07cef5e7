"""Gumbel-Rao, the Rao-Blackwellised straight-through Gumbel-softmax (Paulus et al., 2021).

    g_hat = grad f(x),   dx_t := (1/K) sum_k d softmax(z_t^k / tau),   z_t^k ~ p(z_t | argmax z_t = s_t)

The expectation given the token of what the straight-through estimator adds at random, by K samples: the
same mean for a single token, less variance, and no more evaluations of f.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import whole
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.relaxed import Temperature, carried, straight_through, traits
from discgan_core.sequences import gumbel_with, soften


def gumbel_rao(temperature: Temperature = 1.0, samples: int = 10) -> Estimator:
    """Average the relaxed token over the Gumbel noise that its hard token leaves open.

    Args:
        temperature: tau, or a schedule over updates (`discgan_core.relaxed`).
        samples: K.
    """
    whole("gumbel_rao", 1, samples=samples)

    def noise_shapes(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
        return {"tokens": (length,), "z_given": (length, samples, vocabulary)}

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tau = carried(temperature, state)

        def relaxed(t: int, tokens: Tensor, log_probs: Tensor) -> Tensor:
            given = tokens[:, None].expand(-1, samples), noise["z_given"][:, t]
            z = gumbel_with(log_probs[:, None].expand(-1, samples, -1), *given)
            return soften(z, tau).mean(1)

        f = rewards.of(reward, straight_through(policy, noise, relaxed))
        return Estimate(f, {"rewards": f})

    return Estimator(estimate, noise_shapes, **traits("gumbel_rao", temperature))
