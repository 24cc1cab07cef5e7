"""Local expectation gradients: the sum over the current token is exact (Titsias and Lázaro-Gredilla, 2015).

    g_hat = sum_t sum_v Q(s_<t, v) grad p(v | s_<t),   s ~ p_theta
    Q(s_<t, v) = 1/K sum_k f(s_<t, v, s^k_t+1 .. s^k_T)

Only the prefix and what follows the token are sampled; one token is no sample at all. Policy gradients call
it all actions (Sutton et al., 2000).
"""

from __future__ import annotations

from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import whole
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.sequences import expected


def local_expectation(samples: int = 1) -> Estimator:
    """Try every token at every place of a sample.

    Args:
        samples: K, completions after each.
    """
    whole("local_expectation", 1, samples=samples)

    def noise_shapes(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
        return {"tokens": (length,), "rollouts": (samples, rewards.completions(length))}

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        p = log_probs_of(policy, tokens).exp()
        q = rewards.all_action_values(policy, reward, tokens, noise["rollouts"])
        f = rewards.of_tokens(reward, tokens, p)
        return Estimate(expected(p, q).sum(1), {"rewards": f})

    return Estimator(estimate, noise_shapes, supports=rewards.few_values)
