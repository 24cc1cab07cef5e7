"""REINFORCE with a leave-one-out baseline (Kool, van Hoof and Welling, 2019).

    g_hat = 1/k sum_i (f(s^i) - 1/(k-1) sum_{j != i} f(s^j)) grad log p_theta(s^i),   s^1..s^k ~ p_theta

The baseline of a sample is the mean reward of the others, which do not depend on it: no bias. VarGrad
(Richter et al., 2020) is no file of its own: it descends half the sample variance of log p_theta - f, which
gives, number by number, what this gives for the reward f - log p_theta, and so for what f adds to it.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.checks import whole
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import centred, log_likelihood, mean_of_others, score


def reinforce_loo(samples: int = 8) -> Estimator:
    """Weigh each score by the reward's excess over that of the other samples of the draw.

    Args:
        samples: k, at least 2; a batch of N makes N/k independent draws.
    """
    whole("reinforce_loo", 2, samples=samples)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        f = of_tokens(reward, tokens, log_probs)
        groups = centred(f.reshape(-1, samples))
        scores = score(log_likelihood(log_probs, tokens)).sum(1).reshape(-1, samples)
        return Estimate(((groups - mean_of_others(groups)) * scores).mean(1), {"rewards": f})

    return Estimator(
        estimate, noise=lambda length, vocabulary: {"tokens": (length,)}, samples_per_draw=samples
    )
