"""Policy gradient by Monte-Carlo rollouts, as in SeqGAN (Yu, Zhang, Wang and Yu, 2017, eq. 4 and 7).

    g_hat = sum_t (V_t - V_t-1) grad log p(s_t | s_<t),   s ~ p_theta
    V_t = 1/K sum_k f(s_1 .. s_t, s^k_t+1 .. s^k_T) for t < T,   V_T = f(s)

Every prefix is completed K times, anew. V_t is the action value Q(s_<t, s_t), and V_t-1, whose completions
do not know s_t, its baseline. SeqGAN has no baseline, and completes by a lagged copy of the policy,
theta' <- rate theta' + (1 - rate) theta after every update, which is biased.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import not_negative, whole
from discgan_core.interface import Estimate, Estimator, Feedback, Need, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.sequences import inverse_cdf, log_likelihood, score


def rollout(samples: int = 16, rate: float = 0.0, baseline: bool = True) -> Estimator:
    """Weigh each token's score by what it adds to the value of the sequence begun.

    Args:
        samples: K.
        rate: how much of the lagged policy stays at an update, 0.8 in SeqGAN; at 0 there is none.
        baseline: whether to subtract V_t-1.
    """
    whole("rollout", 1, samples=samples)
    not_negative("rollout", rate=rate)
    if rate >= 1:
        raise ValueError(
            f"rollout: rate is {rate}, and must be below 1: at 1 the lagged policy stays as it is"
        )

    def noise_shapes(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
        return {"tokens": (length,), "rollouts": (samples, rewards.completions(length + baseline))}

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        f = rewards.of_tokens(reward, tokens, log_probs)
        follow = policy.at(state.carried) if rate else policy
        begun = prefix_rewards(follow, reward, tokens, noise["rollouts"], from_place=0 if baseline else 1)
        # what all rewards have in common goes before means are taken, and so cancels exactly
        level = f if baseline else torch.zeros_like(f)
        v = torch.stack([*((r - level[:, None]).mean(1) for r in begun), f - level], 1)
        advantages = v.diff(dim=1) if baseline else v
        return Estimate((advantages * score(log_likelihood(log_probs, tokens))).sum(1), {"rewards": f})

    return Estimator(estimate, noise_shapes, unbiased=rate == 0, **lagged(rate))


def prefix_rewards(
    policy: Policy, reward: Reward, tokens: Tensor, uniforms: Tensor, from_place: int
) -> list[Tensor]:
    """Give the rewards of what the policy makes of each prefix s_<t, [N, K], for t from a place (from 0) on.

    Args:
        policy: which completes.
        reward: f.
        tokens: s [N, T].
        uniforms: [N, K, U], first those of the shortest prefix.
        from_place: where the shortest prefix ends.
    """
    log_probs = log_probs_of(policy, tokens).detach()
    value, places = rewards.completed(policy, reward, tokens, log_probs), range(from_place, policy.length)
    noises = uniforms.split([policy.length - t for t in places], -1)
    return [
        value(t, inverse_cdf(log_probs[:, t, None], noise[..., 0]), noise[..., 1:])
        for t, noise in zip(places, noises, strict=True)
    ]


def lagged(rate: float) -> dict[str, Any]:
    """Carry a copy of theta that follows it at the given rate, if there is one."""

    def init(policy: Policy, generator: Generator) -> State:
        return State(carried=policy.params)

    def adapt(state: State, feedback: Feedback) -> State:
        now = feedback.theta
        return State(carried={k: rate * old + (1 - rate) * now[k] for k, old in state.carried.items()})

    return {"init": init, "adapt": adapt, "needs": (Need.PARAMETERS,)} if rate else {}
