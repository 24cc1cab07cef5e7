"""The referee: expectations under a policy over all V^T sequences, hence exact.

    J(theta) = sum_s p_theta(s) f(s),   grad J by autograd

Sequences are gone through in lexicographic order, those that begin alike at once; models that can read each
prefix once do (`of_all`), and others are asked for a list. A first-order policy under a reward that a finite
automaton computes has a recursion of its own, at any length (`discgan_core.automata`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.func import grad_and_value
from torch.nn.functional import pad

from discgan_core.checks import offers, readable
from discgan_core.contexts import contexts_of
from discgan_core.interface import Params, Policy, Reward
from discgan_core.policies import NO_NUMBERS, log_probs_of_all
from discgan_core.rewards import of_all

LISTED = 20_000
"""Sequences at most of a list that is held whole."""

PIECE = 20_000
"""Sequences at most that are gone through at once, so that memory stays small and in cache."""

PER_SEQUENCE = 1e-6
"""Seconds that a sequence takes, about: of value and gradient, for two LSTMs of 32 units on one core."""

LIMIT = 60.0
"""Seconds at most, unless more are allowed."""


def enumerable(length: int, vocabulary: int) -> bool:
    """Tell whether V^T sequences are few enough to hold a list of them."""
    return vocabulary**length <= LISTED


def seconds(length: int, vocabulary: int) -> float:
    """Predict what J and its gradient take, with two LSTMs of 32 units on one core."""
    return PER_SEQUENCE * vocabulary**length


def expected_reward(policy: Policy, reward: Reward, within: float = LIMIT) -> Tensor:
    """Give J(theta) = E[f(s)], a differentiable scalar; over contexts, where there are any, their mean.

    Where there are many sequences and the policy has parameters, its gradient by them is taken piece by
    piece: they have one derivative then, and no second.

    Args:
        policy: p_theta.
        reward: f.
        within: seconds that it may take, as `seconds` predicts them.

    Raises:
        ValueError: it would take longer, or the policy is none.
    """
    if offers(policy, "first_order", "logits") and offers(reward, "expected", "__call__", "of_tokens"):
        return by_recursion(policy, reward)
    _require(policy.length, policy.vocabulary, within)
    starts = beginnings(policy.length, policy.vocabulary)
    if len(starts) == 1 or not movable(policy):
        return torch.stack([of_those(policy, reward, start) for start in starts]).sum()
    return piece_by_piece(policy, reward, starts)


def movable(policy: Policy) -> bool:
    """Tell whether the policy has parameters, and can be had at others."""
    try:
        return bool(policy.params) and policy.at(policy.params) is not None
    except ValueError:  # made without `at`
        return False


def by_recursion(chain: Any, automaton: Any) -> Tensor:
    """Give J of a first-order policy under an automaton."""
    found: Tensor = automaton.expected(*chain.first_order(), chain.length)
    return found


def beginnings(length: int, vocabulary: int) -> list[tuple[int, ...]]:
    """Give the fewest beginnings of one length that leave each a piece's sequences at most."""
    free = next(n for n in range(length, -1, -1) if vocabulary**n <= PIECE)
    return [*product(range(vocabulary), repeat=length - free)]


def of_those(policy: Policy, reward: Reward, start: Sequence[int]) -> Tensor:
    """Give the part of J that sequences with a beginning have."""
    contexts = max(contexts_of(policy), contexts_of(reward))
    log_p = log_probs_of_all(policy, start, contexts)
    if readable(log_p) and log_p.isnan().any():
        raise ValueError(NO_NUMBERS)
    f = of_all(reward, policy.length, start, log_p.new_empty(0, policy.vocabulary), contexts)
    # filled up to whole vectors: see `discgan_core.randomness`
    more = -len(log_p) % 32
    return (pad(log_p, (0, more), value=-torch.inf).exp() * pad(f, (0, more))).sum() / contexts


def piece_by_piece(policy: Policy, reward: Reward, starts: Sequence[Sequence[int]]) -> Tensor:
    """Give J, of which the gradient by theta is known already; it has no second one."""
    theta: Params = {name: value.detach() for name, value in policy.params.items()}
    parts = (
        grad_and_value(lambda params, start=start: of_those(policy.at(params), reward, start))(theta)
        for start in starts
    )
    gradient, value = next(parts)
    for more, also in parts:
        gradient, value = {name: g + more[name] for name, g in gradient.items()}, value + also
    names = sorted(gradient)
    found: Tensor = Known.apply(value, *(policy.params[n] for n in names), *(gradient[n] for n in names))
    return found


class Known(Function):
    """(J, theta, grad J) -> J, with that gradient by theta."""

    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, *both: Tensor) -> Tensor:
        """Give J."""
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep theta and the gradient."""
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradient."""
        both = ctx.saved_tensors
        half = len(both) // 2
        found = (Once.apply(g, *pair) for pair in zip(both[:half], both[half:], strict=True))
        return None, *found, *[None] * half


class Once(Function):
    """(g, theta, grad J) -> g grad J, which cannot be differentiated."""

    generate_vmap_rule = True

    @staticmethod
    def forward(g: Tensor, theta: Tensor, gradient: Tensor) -> Tensor:
        """Multiply."""
        return g * gradient

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep nothing."""

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[None, ...]:
        """Refuse."""
        raise RuntimeError(
            "exact: so many sequences are gone through in pieces, and have no second derivative: take a "
            "shorter length"
        )


def _require(length: int, vocabulary: int, within: float) -> None:
    takes = seconds(length, vocabulary)
    if takes > within:
        raise ValueError(
            f"{vocabulary}^{length} sequences would take {takes:,.0f} s to go through, more than the "
            f"{within:g} s that are allowed: take a shorter length, or allow more by `within`"
        )


def data_divergence(policy: Policy, log_data: Tensor) -> Tensor:
    """Give KL(data || p_theta) in nats, for the data's log-probabilities [V^T] (-inf where never seen)."""
    gaps = (log_data - log_probs_of_all(policy)).where(log_data > -torch.inf, 0.0)
    return (log_data.exp() * gaps).sum()
