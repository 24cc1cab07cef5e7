"""Asking a policy: what it gives is looked at, and log-probabilities are float32 at least."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from discgan_core.checks import of_shape, offers, readable, wide
from discgan_core.contexts import contexts_of, per_context_repeated
from discgan_core.interface import Policy
from discgan_core.sequences import beginning, log_likelihood


def log_probs_of(policy: Policy, tokens: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
    """Give log p(. | s_<t) of tokens s; -inf where a token is forbidden.

    Raises:
        ValueError: the policy gives something else.
    """
    return log_softmax(logits_of(policy, tokens))


def logits_of(policy: Policy, tokens: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
    """Give them before they are normalised; as `log_probs_of`."""
    logits, shape = policy.logits(tokens), [*tokens.shape, policy.vocabulary]
    of_shape(logits, shape, f"policy.logits gives {{}} for tokens {list(tokens.shape)}; it must give {{}}")
    return logits


def log_probs_of_all(policy: Policy, start: Sequence[int] = (), contexts: int = 1) -> Float[Tensor, " M"]:
    """Give log p(s) of all sequences that begin with k tokens, in lexicographic order: [V^(T - k)].

    A policy with a method `of_all`, start -> the same, does it its own way; any other is asked for its logits
    of a list. Where there are P contexts the list is gone through for each in turn: [P V^(T - k)].
    """
    if offers(policy, "of_all", "logits"):
        size = policy.vocabulary ** (policy.length - len(start)) * contexts_of(policy)
        log_probs: Tensor = policy.of_all(start)  # type: ignore[attr-defined]
        of_shape(log_probs, [size], "policy.of_all gives {}; it must give {}")
        return per_context_repeated(log_probs, contexts_of(policy), contexts)
    tokens = beginning(start, policy.length, policy.vocabulary, like(policy).device).repeat(contexts, 1)
    return log_likelihood(wide(logits_of(policy, tokens)).log_softmax(-1), tokens).sum(1)


def log_softmax(logits: Float[Tensor, "*n V"]) -> Float[Tensor, "*n V"]:
    """Normalise logits [..., V], as `usable` has them."""
    return usable(logits).log_softmax(-1)


NO_NUMBERS = (
    "policy's logits are NaN, +inf or all -inf somewhere: a step too large, a division by zero? A place must "
    "allow some token"
)


def usable(logits: Float[Tensor, "*n V"]) -> Float[Tensor, "*n V"]:
    """Give logits [..., V] as float32 at least.

    Raises:
        ValueError: they are NaN, or forbid every token.
    """
    if readable(logits) and not logits.amax(-1).isfinite().all():
        raise ValueError(NO_NUMBERS)
    return wide(logits)


def like(policy: Policy) -> Tensor:
    """Give an empty tensor of the policy's type and on its device: that of theta, or of its logits."""
    for value in getattr(policy, "params", {}).values():
        return value.new_empty(0)
    device = getattr(policy, "device", None)
    tokens = torch.zeros(contexts_of(policy), policy.length, dtype=torch.long, device=device)
    with torch.no_grad():
        return logits_of(policy, tokens).new_empty(0)
