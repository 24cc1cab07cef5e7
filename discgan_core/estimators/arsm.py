"""ARSM, augment-REINFORCE-swap-merge (Yin, Yue and Zhou, 2019), applied token by token.

    g_hat = sum_t sum_c g_tc grad log p(c | s_<t)
    g_c = sum_j (F_cj - 1/V sum_m F_mj) (1/V - pi_j),   F_cj = Q(s_<t, argmin_i pi_i^(c<->j) / p_i)

pi is Dirichlet(1, .. 1), that is exponential variables e over their sum, and (c<->j) swaps two of its
entries. The token itself is s_t = argmin_i pi_i / p_i, and pi is drawn given it. g_c is the gradient by
the c-th logit; it adds up to zero over c, so log-probabilities will do as logits. Q is one rollout for each
value of the token. As all of them are rolled out, `local_expectation`, the mean of this over pi, varies less
at the same cost; the authors save those that no swap leads to.
"""

from __future__ import annotations

import torch
from torch import Tensor

from discgan_core import rewards
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.policies import log_probs_of
from discgan_core.sequences import bounded, centred, one_hot


def arsm() -> Estimator:
    """Weigh each logit by what swaps in the token's exponential race would bring."""

    def noise_shapes(length: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
        return {
            "tokens": (length,),
            "race": (length, vocabulary),
            "rollouts": (1, rewards.completions(length)),
        }

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens = policy.sample(noise["tokens"])
        log_probs = bounded(log_probs_of(policy, tokens))
        q = centred(rewards.all_action_values(policy, reward, tokens, noise["rollouts"]))
        e = race(log_probs.detach().exp(), tokens, noise["race"])
        swapped = after_swaps(q, e.log(), log_probs.detach())
        pi = e / e.sum(-1, keepdim=True)
        merged = (swapped - swapped.mean(-2, keepdim=True)) @ (1 / policy.vocabulary - pi)[..., None]
        f = rewards.of_tokens(reward, tokens, log_probs)
        return Estimate((merged[..., 0] * log_probs).sum((1, 2)), {"rewards": f})

    return Estimator(estimate, noise_shapes, supports=rewards.few_values)


def race(p: Tensor, tokens: Tensor, uniforms: Tensor) -> Tensor:
    """Draw e, exponential variables of rate 1, given that the token s wins the race, s = argmin_i e_i / p_i.

    With x = -log v:  e_s = p_s x_s,   e_i = x_i + p_i x_s for i != s.

    Args:
        p: [..., V].
        tokens: s [...].
        uniforms: v [..., V].
    """
    x = -uniforms.log()
    winner = one_hot(tokens, p.shape[-1], torch.bool)
    return x.where(~winner, 0) + p * x.gather(-1, tokens[..., None])


def after_swaps(q: Tensor, log_e: Tensor, log_probs: Tensor) -> Tensor:
    """Give F_cj, the value of the token that wins once c and j have swapped their e: [..., V, V].

    Who is neither c nor j finishes as before, and the first of these is among the three fastest of all.

    Args:
        q: value of each token [..., V].
        log_e: [..., V].
        log_probs: log p [..., V].
    """
    finish = log_e - log_probs
    c = log_e[..., None, :] - log_probs[..., :, None]  # c's finish with j's e; j's with c's is the transpose
    j = c.transpose(-1, -2)
    rest, value = torch.full_like(c, torch.inf), torch.zeros_like(c)
    for runner in finish.argsort(-1)[..., :3].flip(-1).split(1, -1):
        swaps = one_hot(runner[..., 0], q.shape[-1], torch.bool)
        swaps = swaps[..., :, None] | swaps[..., None, :]
        rest = rest.where(swaps, finish.gather(-1, runner)[..., None])
        value = value.where(swaps, q.gather(-1, runner)[..., None])
    of_pair = q[..., :, None].where(c < j, q[..., None, :])
    return value.where(rest < torch.minimum(c, j), of_pair)
