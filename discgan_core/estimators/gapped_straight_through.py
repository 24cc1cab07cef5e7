"""The gapped straight-through estimator: no Gumbel noise, but a gap to the chosen token (Fan et al., 2022).

    g_hat = grad f(x),   dx_t := d softmax((l_t + m_t) / tau),   l_t = log p(. | x_<t)
    m_t = (max l_t) - l_t at the chosen token,   -(l_t + gap - max l_t)_+ at all others

The perturbation m_t carries no gradient. With it the relaxed token peaks at the chosen one, by the gap at
least, as a straight-through Gumbel-softmax sample does on average, but without its noise.
"""

from __future__ import annotations

import torch
from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import not_negative
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.relaxed import Temperature, carried, straight_through, traits
from discgan_core.sequences import one_hot, soften


def gapped_straight_through(temperature: Temperature = 1.0, gap: float = 1.0) -> Estimator:
    """Relax the chosen token's logits, pushed ahead of the others'.

    Args:
        temperature: tau, or a schedule over updates (`discgan_core.relaxed`).
        gap: the least lead of the chosen token's logit.
    """
    not_negative("gapped_straight_through", gap=gap)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tau = carried(temperature, state)

        def relaxed(t: int, tokens: Tensor, log_probs: Tensor) -> Tensor:
            return soften(log_probs + perturbation(log_probs.detach(), tokens, gap), tau)

        f = rewards.of(reward, straight_through(policy, noise, relaxed))
        return Estimate(f, {"rewards": f})

    return Estimator(
        estimate,
        lambda length, vocabulary: {"tokens": (length,)},
        **traits("gapped_straight_through", temperature),
    )


def perturbation(log_probs: Tensor, tokens: Tensor, gap: float) -> Tensor:
    """Give m_t: lifts the chosen token's logit to the greatest, holds the others `gap` below. [N, V]."""
    chosen = one_hot(tokens, log_probs.shape[-1], torch.bool)
    greatest = log_probs.amax(-1, keepdim=True)
    return torch.where(chosen, greatest - log_probs, -(log_probs + gap - greatest).clamp(min=0))
