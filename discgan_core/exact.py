"""The referee: expectations under a policy by enumeration of all V^T sequences, hence exact.

J(theta) = sum_s p_theta(s) f(s),   grad J by autograd
"""

from __future__ import annotations

from torch import Tensor

from discgan_core.interface import Policy, Reward
from discgan_core.sequences import all_sequences, log_likelihood, one_hot

LIMIT = 20_000
"""Sequences at most: a length and vocabulary with more are refused."""


def enumerable(length: int, vocabulary: int) -> bool:
    """Tell whether V^T sequences are few enough to list."""
    return vocabulary**length <= LIMIT


def sequence_log_probs(policy: Policy) -> tuple[Tensor, Tensor]:
    """List all sequences [V^T, T] with their log p_theta [V^T].

    Raises:
        ValueError: there are more than `LIMIT` of them.
    """
    if not enumerable(policy.length, policy.vocabulary):
        size = f"{policy.vocabulary}^{policy.length}"
        raise ValueError(f"{size} sequences are too many to enumerate; the limit is {LIMIT}")
    tokens = all_sequences(policy.length, policy.vocabulary, getattr(policy, "device", None))
    return tokens, log_likelihood(policy.logits(tokens).log_softmax(-1), tokens).sum(1)


def expected_reward(policy: Policy, reward: Reward) -> Tensor:
    """Give J(theta) = E[f(s)], a differentiable scalar.

    Args:
        policy: p_theta.
        reward: f.

    Raises:
        ValueError: there are too many sequences.
    """
    tokens, log_probs = sequence_log_probs(policy)
    return log_probs.exp() @ reward(one_hot(tokens, policy.vocabulary, log_probs.dtype))


def data_divergence(policy: Policy, log_data: Tensor) -> Tensor:
    """Give KL(data || p_theta) in nats, for the data's log-probabilities [V^T] (-inf where never seen)."""
    _, log_probs = sequence_log_probs(policy)
    seen = log_data > -float("inf")
    gaps = (log_data - log_probs).where(seen, 0.0)
    return (log_data.exp() * gaps).sum()
