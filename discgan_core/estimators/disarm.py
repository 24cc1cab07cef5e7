"""DisARM for categorical tokens, by stick-breaking (Dong, Mnih and Tucker, 2020 and 2021), token by token.

A token is the first success of V - 1 coins, of log-odds alpha_i = log p_i - log sum_{j>i} p_j. A second
token s~_t comes from antithetic coins (u~ = 1 - u). Of the two, let l be the lesser and h the greater:

    g_hat = sum_t 1/2 (Q(s_<t, l) - Q(s_<t, h)) (sigmoid(|alpha_l|) grad alpha_l - grad log p(h | s_t > l))

and nothing where they are the same. The first term is DisARM's for coin l, the only one of which both
tokens know and which tells them apart; l does not know the coins from there to h, and DisARM's mean
over what l leaves open of them is the second. Q is one rollout for each of the two, by the same uniforms.
"""

from __future__ import annotations

import torch
from torch import Tensor

from discgan_core import rewards
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.sequences import bounded, log_likelihood


def disarm() -> Estimator:
    """Compare the token of every place with its antithesis."""

    def noise_shapes(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
        return {"tokens": (length,), "antithetic": (length,), "rollouts": (rewards.completions(length),)}

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        log_probs = bounded(log_probs_of(policy, tokens))
        log_beyond = log_probs.flip(-1).logcumsumexp(-1).flip(-1)[..., 1:]
        alpha = log_probs[..., :-1] - log_beyond
        other = antithesis(alpha.detach(), tokens, noise["antithetic"])
        low, high = torch.minimum(tokens, other), torch.maximum(tokens, other)
        shared = noise["rollouts"][:, None].expand(-1, 2, -1)
        q = rewards.action_values(policy, reward, tokens, torch.stack([low, high], -1), shared)
        coin = low.clamp(max=policy.vocabulary - 2)
        weight = (q[..., 0] - q[..., 1]).where(low < high, 0) / 2
        split, given = log_likelihood(alpha, coin), log_likelihood(log_beyond, coin)
        steps = split.detach().abs().sigmoid() * split - (log_likelihood(log_probs, high) - given)
        f = rewards.of_tokens(reward, tokens, log_probs)
        return Estimate((weight * steps).sum(1), {"rewards": f})

    return Estimator(estimate, noise_shapes)


def antithesis(alpha: Tensor, tokens: Tensor, uniforms: Tensor) -> Tensor:
    """Draw the token of the antithetic coins, given the token of the coins themselves.

    Coin i of the second token falls as its law is given coin i of the first, which is a failure before
    s, a success at s, and unknown beyond. It fails with probability max(0, 1 - exp alpha_i) before,
    min(1, exp -alpha_i) at, and sigmoid(-alpha_i) beyond s.

    Args:
        alpha: log-odds [..., V - 1].
        tokens: s [...].
        uniforms: [...].
    """
    coins, s = torch.arange(alpha.shape[-1], device=alpha.device), tokens[..., None]
    at = torch.where(coins == s, torch.exp(-alpha.clamp(min=0)), torch.sigmoid(-alpha))
    fails = torch.where(coins < s, -torch.expm1(alpha.clamp(max=0)), at)
    return (uniforms[..., None] < fails.cumprod(-1)).sum(-1)
