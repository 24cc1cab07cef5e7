"""Gumbel-softmax, relaxed tokens fed back (Jang et al., 2017; Kusner and Hernandez-Lobato, 2016).

    g_hat = grad f(y(theta)),   y_t = softmax((log p(. | y_<t) + g_t) / tau),   g_t Gumbel noise

Biased: the gradient is that of E[f(y)], whose y are no one-hot vectors, and f and p are asked about points
of the simplex that no sequence is. The bias falls with tau while the variance grows.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core import rewards
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.relaxed import Temperature, carried, relaxed_sequences, traits


def gumbel_softmax(temperature: Temperature = 1.0) -> Estimator:
    """Differentiate the reward of relaxed sequences.

    Args:
        temperature: tau, or a schedule over updates (`discgan_core.relaxed`).
    """

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        y = relaxed_sequences(policy, noise["z"], carried(temperature, state))
        f = rewards.of(reward, y)
        return Estimate(f, {"rewards": f})

    return Estimator(
        estimate,
        lambda length, vocabulary: {"z": (length, vocabulary)},
        **traits("gumbel_softmax", temperature),
    )
