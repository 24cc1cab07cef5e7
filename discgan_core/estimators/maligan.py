"""MaliGAN: maximum likelihood on samples weighted by the discriminator (Che et al., 2017, section 3.2).

    g_hat = sum_i (w_i - b) grad log p_theta(s_i),   w_i = r(s_i) / sum_j r(s_j),   r = D / (1 - D)

s_1 .. s_K are drawn from p_theta. With a perfect discriminator p_theta r is the data's distribution, so g_hat
climbs the likelihood of the data, not E[f(s)]. The baseline b = 1/K is the weights' mean.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.checks import whole
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.rewards import log_odds
from discgan_core.sequences import centred, log_likelihood, one_hot, score, shares


def maligan(samples: int = 32, baseline: bool = True) -> Estimator:
    """Weigh each sample's score by its odds of being real, normalised over the draw.

    Args:
        samples: K, samples to a draw.
        baseline: whether b is 1/K, or zero.
    """
    whole("maligan", 1, samples=samples)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        odds = log_odds(reward, one_hot(tokens, policy.vocabulary, log_probs.dtype))
        w = shares(odds.unflatten(0, (-1, samples)))
        if baseline:
            w = centred(w)
            w = w - w.mean(1, keepdim=True)
        scores = score(log_likelihood(log_probs, tokens)).sum(1).unflatten(0, (-1, samples))
        return Estimate((w * scores).sum(1))

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {"tokens": (length,)},
        samples_per_draw=samples,
        unbiased=False,
        needs=(Need.PROBABILITY,),
    )
