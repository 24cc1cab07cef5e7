"""The recurrence where no gradient is wanted: sampling, and reading to the end; nothing is kept of the way.

Shapes, equations and batching rules as in `recurrence.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from discgan_core.checks import wide
from discgan_core.models.recurrence import batched
from discgan_core.models.step import advance, doubled, take_in


class Running:
    """A recurrence under way: its state, and room for what a step makes.

    The hidden state lies in `joint`, [h; x; 1], where the next step reads it.
    """

    def __init__(self, weight: Tensor, h: Tensor, c: Tensor) -> None:
        stack, hidden, batch = h.shape
        self.weight, self.joint = doubled(weight), h.new_ones(stack, weight.shape[2], batch)
        self.h, self.x = self.joint[:, :hidden].copy_(h), self.joint[:, hidden:-1]
        self.c, self.gates = c.clone(), h.new_empty(stack, 4 * hidden, batch)
        self.squashed = torch.empty_like(self.c)

    def step(self, x: Tensor) -> Tensor:
        """Take in tokens [L, 1, N] or vectors [L, inputs, N], and give the hidden states [L, H, N]."""
        take_in(x, self.x)
        advance(self.weight, self.joint, self.c, self.gates, self.c, self.squashed, self.h)
        return self.h


COLUMNS = 4096
"""States worked on at once, about: what a step makes of them stays in cache."""


def few_at_a_time(kernel: Callable[..., Tensor], first: Tensor, *others: Tensor | None) -> Tensor:
    """Run a kernel of `Generate`'s or `Read`'s arguments on part of the stack after part.

    A part has at least two sessions, for one alone is multiplied by other code, with other last digits.
    """
    stack, batch = first.shape[-3], first.shape[-1]
    parts = max(1, min(stack // 2, stack * batch // COLUMNS))
    split = [[None] * parts if a is None else a.tensor_split(parts, -3) for a in (first, *others)]
    return torch.cat([kernel(*part) for part in zip(*split, strict=True)], -3)


class Generate(Function):
    """(uniforms [T, L, 1, N], weight, output [L, V, H + 1], h0, c0, first x, table or None) -> tokens.

    Tokens [T, L, 1, N] are fed back as their unit vectors, or as their rows of the table [L, V, inputs].
    """

    @staticmethod
    def forward(
        uniforms: Tensor,
        weight: Tensor,
        output: Tensor,
        h0: Tensor,
        c0: Tensor,
        first: Tensor,
        table: Tensor | None,
    ) -> tuple[Tensor]:
        """Sample token by token."""
        return (few_at_a_time(sampled, uniforms, weight, output, h0, c0, first, table),)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Let no gradient through."""
        ctx.mark_non_differentiable(*output)

    @staticmethod
    def backward(ctx: Any, *_: None) -> tuple[None, ...]:
        """Tokens have no gradient."""
        return (None,) * 7

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Generate, info.batch_size, in_dims, args, weights=(1, 2, 6))


def sampled(
    uniforms: Tensor, weight: Tensor, output: Tensor, h: Tensor, c: Tensor, x: Tensor, table: Tensor | None
) -> Tensor:
    """Give tokens, each drawn given those before it; arguments as of `Generate`."""
    tokens = uniforms.new_empty(uniforms.shape, dtype=torch.long)
    running = Running(weight, h, c)
    for t in range(len(uniforms)):
        logits = torch.baddbmm(output[:, :, -1:], output[:, :, :-1], running.step(x))
        tokens[t] = drawn(logits, uniforms[t])
        x = tokens[t] if table is None else rows_of(table, tokens[t])
    return tokens


def drawn(logits: Tensor, uniforms: Tensor) -> Tensor:
    """Draw the smallest v with u < P(s <= v): u [L, 1, N] -> s [L, 1, N]; overwrites the logits [L, V, N]."""
    p = logits.sub_(logits.amax(1, keepdim=True)).exp_()
    # sums run along rows that lie in one piece: at V = 5,000 half the time and less
    below = wide(p.transpose(1, 2).contiguous()).cumsum_(-1)
    total = below[..., -1:]
    # held below the total: the token that reaches it has a probability, those behind it have none
    passed = torch.minimum(uniforms.transpose(1, 2) * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(below, passed, right=True).clamp_(max=p.shape[1] - 1).transpose(1, 2)


def rows_of(table: Tensor, tokens: Tensor) -> Tensor:
    """Pick each token's row: table [L, V, inputs], tokens [L, 1, N] -> [L, inputs, N]."""
    index = tokens.transpose(1, 2).expand(-1, -1, table.shape[2])
    return table.gather(1, index).transpose(1, 2)


class Read(Function):
    """(x [T, L, inputs, N], weight, h0, c0) -> the last hidden states [L, H, N], without a gradient."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, h0: Tensor, c0: Tensor) -> tuple[Tensor]:
        """Run the recurrence and keep nothing."""
        return (few_at_a_time(last, x, weight, h0, c0),)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Let no gradient through."""
        ctx.mark_non_differentiable(*output)

    @staticmethod
    def backward(ctx: Any, *_: None) -> tuple[None, ...]:
        """Nothing was kept to go back by."""
        return (None,) * 4

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Read, info.batch_size, in_dims, args, weights=(1,))


def last(x: Tensor, weight: Tensor, h: Tensor, c: Tensor) -> Tensor:
    """Give the last hidden states; arguments as of `Read`."""
    running = Running(weight, h, c)
    for t in range(len(x)):
        running.step(x[t])
    return running.h
