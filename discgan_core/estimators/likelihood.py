"""The likelihood GAN: importance sampling on the data, no sample differentiated (Toth, eq. 4-5, section 4.3).

    L = (1/K) sum_i f(x_i) p_theta(x_i),   x_i real sequences;   g_hat = grad log L, or grad L (eq. 5)

The paper's f is -log(1 - D) and its loss -log(-L) with the sign of f; f must be positive. L is E[f(s)] over
the data's sequences alone, up to their number: where the generator's mass lies elsewhere, so does the
gradient. log L weighs the draw's sequences by w_i = f p / sum f p, of which few are large; `info` says how
many count, `effective_samples` = (sum w_i)^2 / sum w_i^2. With K = 1 all count alike: that is maximum
likelihood.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from discgan_core.checks import whole
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens_positive
from discgan_core.sequences import bounded, log_likelihood


def likelihood(samples: int = 32, logarithm: bool = True, size: int = 1) -> Estimator:
    """Climb the reward of real sequences, weighted by how likely the policy is to write them.

    Args:
        samples: K, real sequences to a draw; eq. 5 is a mean over sequences, so one makes a draw there.
        logarithm: of L, as the paper trains; without it, eq. 5 itself.
        size: how many distinct sequences the data have, a factor of L by which eq. 5 becomes eq. 4.
    """
    whole("likelihood", 1, samples=samples, size=size)

    def terms(policy: Policy, reward: Reward, data: Tensor) -> Tensor:
        log_probs = log_probs_of(policy, data)
        f = of_tokens_positive(reward, data, log_probs)
        return bounded(torch.log(f) + log_likelihood(log_probs, data).sum(1))

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        if data is None:
            raise ValueError("likelihood learns from data: give `data` [N, T]")
        log_terms = terms(policy, reward, data) + math.log(size)
        if not logarithm:
            return Estimate(log_terms.exp())
        groups = log_terms.unflatten(0, (-1, samples))
        w = (groups - groups.amax(1, keepdim=True)).detach().exp()
        count = w.sum(1).square() / w.square().sum(1)
        return Estimate(groups.logsumexp(1) - math.log(samples), {"effective_samples": count})

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {},
        samples_per_draw=samples if logarithm else 1,
        unbiased=False,
        needs=(Need.DATA, Need.POSITIVE),
    )
