"""Self-normalised importance sampling on the data (Owen, 2013, section 9.2; proposal: the data).

    g_hat = grad sum_i w_i f(x_i),   w_i = p_theta(x_i) / sum_j p_theta(x_j),   x_1 .. x_K real sequences

An estimate of E[f(s)] given that s is one of the data's sequences, each as likely to be drawn: the constant
that eq. 5 of the likelihood GAN lacks is estimated from the same batch.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.checks import whole
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import bounded, expected, log_likelihood


def self_normalised(samples: int = 32) -> Estimator:
    """Differentiate the weighted mean reward of real sequences, weights summing to one.

    Args:
        samples: K, real sequences to a draw.
    """
    whole("self_normalised", 1, samples=samples)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        if data is None:
            raise ValueError("self_normalised learns from data: give `data` [N, T]")
        log_probs = log_probs_of(policy, data)
        f = of_tokens(reward, data, log_probs).unflatten(0, (-1, samples))
        w = bounded(log_likelihood(log_probs, data).sum(1).unflatten(0, (-1, samples))).softmax(1)
        return Estimate(expected(w, f))

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {},
        samples_per_draw=samples,
        unbiased=False,
        needs=(Need.DATA,),
    )
