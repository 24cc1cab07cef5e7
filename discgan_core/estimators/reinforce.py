"""REINFORCE, the score-function estimator (Williams, 1992; REGAN eq. 4-7).

g_hat = f(s) sum_t grad log p_theta(s_t | s_<t),   s ~ p_theta
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import log_likelihood, score


def reinforce() -> Estimator:
    """Weigh each sampled sequence's score by its reward; one draw is one sample."""

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        f = of_tokens(reward, tokens, log_probs)
        return Estimate(f * score(log_likelihood(log_probs, tokens)).sum(1), {"rewards": f})

    return Estimator(estimate, noise=lambda length, vocabulary: {"tokens": (length,)})
