"""The referee: expectations under a policy by enumeration of all V^T sequences, hence exact.

J(theta) = sum_s p_theta(s) f(s),   grad J by autograd
"""

from __future__ import annotations

import torch
from torch import Tensor

from discgan_core.checks import readable, wide
from discgan_core.contexts import contexts_of
from discgan_core.interface import Policy, Reward
from discgan_core.policies import NO_NUMBERS, like, logits_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import all_sequences, log_likelihood

LIMIT = 20_000
"""Sequences at most: a length and vocabulary with more are refused."""

ROUND = 64
"""Sequences are listed in multiples of this."""


def enumerable(length: int, vocabulary: int) -> bool:
    """Tell whether V^T sequences are few enough to list."""
    return vocabulary**length <= LIMIT


def sequence_log_probs(policy: Policy, contexts: int = 1) -> tuple[Tensor, Tensor]:
    """List all sequences with their log p_theta: [M, T] and [M], M being V^T rounded up to `ROUND`.

    Where there are P contexts they are listed for each in turn: [P M, T] and [P M].

    The rows that fill up are copies with log p = -inf, so they count for nothing. They are there
    because the last places of a tensor that does not fill whole vectors get other last digits, and a
    session's numbers must not depend on whether it is the last of a stack.

    Raises:
        ValueError: there are more than `LIMIT` sequences.
    """
    if not enumerable(policy.length, policy.vocabulary):
        size = f"{policy.vocabulary}^{policy.length}"
        raise ValueError(f"{size} sequences are too many to enumerate; the limit is {LIMIT}")
    tokens = all_sequences(policy.length, policy.vocabulary, like(policy).device)
    filled = torch.cat([tokens, tokens[:1].expand(-len(tokens) % ROUND, -1)])
    real = torch.arange(len(filled), device=filled.device) < len(tokens)
    contexts = max(contexts, contexts_of(policy))
    filled, real = filled.repeat(contexts, 1), real.repeat(contexts)
    log_probs = log_likelihood(wide(logits_of(policy, filled)).log_softmax(-1), filled).sum(1)
    return filled, log_probs.where(real, -torch.inf)


def expected_reward(policy: Policy, reward: Reward) -> Tensor:
    """Give J(theta) = E[f(s)], a differentiable scalar; over contexts, where there are any, their mean.

    Args:
        policy: p_theta.
        reward: f.

    Raises:
        ValueError: there are too many sequences, or the policy is none.
    """
    tokens, log_probs = sequence_log_probs(policy, contexts_of(reward))
    if readable(log_probs) and log_probs.isnan().any():
        raise ValueError(NO_NUMBERS)
    f = of_tokens(reward, tokens, log_probs.new_empty(0, policy.vocabulary))
    return (log_probs.exp() * f).sum() / max(contexts_of(policy), contexts_of(reward))


def data_divergence(policy: Policy, log_data: Tensor) -> Tensor:
    """Give KL(data || p_theta) in nats, for the data's log-probabilities [V^T] (-inf where never seen)."""
    _, log_probs = sequence_log_probs(policy)
    log_probs = log_probs[: len(log_data)]
    gaps = (log_data - log_probs).where(log_data > -torch.inf, 0.0)
    return (log_data.exp() * gaps).sum()
