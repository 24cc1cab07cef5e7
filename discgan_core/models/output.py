"""The output layer where only the given tokens' log-probabilities are wanted.

    log p(s_m) = W_s . h_m + b_s - log sum_v exp(W_v . h_m + b_v)
    d log p(s_m) / d h_m = W_s - sum_v p_mv W_v,      d log p(s_m) / d W_v = (1[s_m = v] - p_mv) h_m

Places m are taken in pieces that fit a processor's cache, and both derivatives are matrix multiplies with p
as it was: at V = 5,000 a maximum-likelihood update takes a third of what log-probabilities of all V take it.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

PIECE = 1 << 19
"""Logits in a piece, about."""


def log_likelihood(
    weight: Float[Tensor, "V H"],
    bias: Float[Tensor, " V"],
    h: Float[Tensor, "T H N"],
    tokens: Int[Tensor, "N T"],
) -> Float[Tensor, "N T"]:
    """Give log softmax(W h + b) at the tokens: differentiable once, by weights and states."""
    length, _, batch = h.shape
    states = torch.cat([h.transpose(1, 2), h.new_ones(length, batch, 1)], 2).flatten(0, 1)
    # filled up to whole vectors: see `discgan_core.randomness`
    more = -len(states) % 32
    output, chosen = torch.cat([weight, bias[:, None]], 1), tokens.T.flatten()
    found, *_ = Chosen.apply(
        functional.pad(states, (0, 0, 0, more)), output, functional.pad(chosen, (0, more))
    )
    return found[: length * batch].unflatten(0, (length, batch)).T


class Chosen(Function):
    """(states [M, H + 1] with ones at the end, output [V, H + 1], tokens [M]) -> log p [M], pieces of p."""

    generate_vmap_rule = True

    @staticmethod
    def forward(states: Tensor, output: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
        """Keep p, [rows, V] of each piece, for the derivatives."""
        rows, found, kept = size(len(output)), [], []
        for h, s in zip(states.split(rows), tokens.split(rows), strict=True):
            logits = h @ output.T
            p = logits.softmax(-1)
            # the likeliest token's p is at least 1 / V: its logarithm is safe
            normaliser = logits.amax(-1) - p.amax(-1).log()
            found.append(logits.gather(-1, s[:, None])[:, 0] - normaliser)
            kept.append(p)
        return torch.cat(found), *kept

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Save everything but log p."""
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs, *output[1:])

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: None) -> tuple[Tensor, Tensor, None]:
        """Weigh each place's derivatives by its gradient g [M]."""
        states, output, tokens, *kept = ctx.saved_tensors
        weighted = g[:, None] * states
        g_output = torch.zeros_like(output).index_add(0, tokens, weighted)
        for p, h in zip(kept, weighted.split(size(len(output))), strict=True):
            g_output = g_output - p.T @ h
        expected = torch.cat([p @ output for p in kept])
        return g[:, None] * (output[tokens] - expected), g_output, None


def size(vocabulary: int) -> int:
    """Give the places of a piece, a multiple of 32 (`discgan_core.randomness` says why)."""
    return max(32, PIECE // vocabulary // 32 * 32)
