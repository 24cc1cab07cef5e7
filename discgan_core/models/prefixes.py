"""Very many strings of one generator: those that begin alike are drawn, and read, together.

A prefix that n strings share is continued by one multinomial draw, n_v ~ Multinomial(n, p(. | prefix)), which
is n independent draws of the next token; and an LSTM reads it once. A million strings of a trained generator
have a twentieth to a sixth as many distinct prefixes as tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from discgan_core.interface import Params
from discgan_core.models.discriminator import head
from discgan_core.models.generator import LSTMPolicy
from discgan_core.models.lstm import Start, embedded, features_first, joint_weight, unroll, zeros

PIECE = 4096
"""Prefixes that are continued at once, at most: their states stay in cache."""


class Level(NamedTuple):
    """The distinct prefixes of one length.

    Attributes:
        parents: where each one's own prefix is among those of the level before, [M].
        tokens: its last token, [M].
    """

    parents: Tensor
    tokens: Tensor


def levels(strings: Int[Tensor, "N T"]) -> list[Level]:
    """Find the distinct prefixes of every length 1..T of strings in lexicographic order."""
    differs = strings[1:] != strings[:-1]
    new = torch.cat([torch.ones_like(strings[:1], dtype=torch.bool), differs.cumsum(1) > 0]).T
    where = new.cumsum(1) - 1
    above = torch.cat([torch.zeros_like(where[:1]), where[:-1]])
    return [Level(up[first], s[first]) for up, s, first in zip(above, strings.T, new, strict=True)]


def states(params: Params, start: Start, tree: Iterable[Level]) -> Iterator[Start]:
    """Run an LSTM along a tree from the root's state, [H, 1] both: every level's states [H, M] in turn."""
    weight = joint_weight(params)
    for parents, tokens in tree:
        inputs = features_first(embedded(params, tokens[:, None]), 2)
        (h,), (c,) = unroll(inputs, weight, *(s.index_select(1, parents) for s in start))
        yield (start := (h, c))


def root(policy: LSTMPolicy) -> tuple[Start, Level]:
    """Give a generator's start, and the level at which it has read the zero vector and no token."""
    one = torch.zeros(1, dtype=torch.long, device=policy.device)
    return policy.start(1), Level(one, one - 1)


def draw(
    policy: LSTMPolicy, count: int, generator: np.random.Generator
) -> Iterator[tuple[Int[Tensor, "N T"], Int[Tensor, " N"]]]:
    """Draw `count` strings; no gradient.

    Args:
        policy: of one session; one that starts from noise is not for this.
        count: n.
        generator: of the multinomial draws.

    Yields:
        distinct strings in lexicographic order, and how often each was drawn; together all n.
    """
    start, first = root(policy)
    (top,) = states(policy.params, start, [first])
    pending = [(first.tokens.new_empty(1, 0), np.array([count]), top)]
    while pending:
        prefixes, times, (h, c) = pending.pop()
        logits = (policy.params["out.weight"] @ h).T + policy.params["out.bias"]
        drawn = generator.multinomial(times, logits.double().softmax(1).cpu().numpy())
        parents, tokens = (torch.from_numpy(index).to(h.device) for index in drawn.nonzero())
        longer, often = torch.cat([prefixes[parents], tokens[:, None]], 1), drawn[drawn > 0]
        if longer.shape[1] == policy.length:
            yield longer, torch.from_numpy(often).to(h.device)
            continue
        (after,) = states(policy.params, (h, c), [Level(parents, tokens)])
        parts = -(-len(longer) // PIECE)
        pieces = (longer.tensor_split(parts), np.array_split(often, parts))
        pairs = zip(*(s.tensor_split(parts, 1) for s in after), strict=True)
        pending += zip(*pieces, pairs, strict=True)


def log_likelihood(policy: LSTMPolicy, strings: Int[Tensor, "N T"]) -> Float[Tensor, " N"]:
    """Give log p(s) of strings in lexicographic order, differentiable by the parameters."""
    start, first = root(policy)
    tree = levels(strings)
    total = policy.params["out.bias"].new_zeros(1)
    for (h, _), level in zip(states(policy.params, start, [first, *tree]), tree, strict=False):
        logits = (policy.params["out.weight"] @ h).T + policy.params["out.bias"]
        each = (total[:, None] + logits.log_softmax(1)).flatten()
        total = each.index_select(0, level.parents * policy.vocabulary + level.tokens)
    return total


def log_odds(params: Params, strings: Int[Tensor, "N T"]) -> Float[Tensor, " N"]:
    """Give a discriminator's log D/(1-D) of strings in lexicographic order."""
    *_, (h, _) = states(params, zeros(params, 1), levels(strings))
    return head(params, h)
