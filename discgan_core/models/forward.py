"""The recurrence where no gradient is wanted: sampling, and reading to the end; nothing is kept of the way.

Shapes, equations and batching rules as in `recurrence.py`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from discgan_core.models.recurrence import advance, batched, spread


class Running:
    """A recurrence under way: the states, and room for what a step makes."""

    def __init__(self, weight: Tensor, h: Tensor, c: Tensor) -> None:
        self.weight, self.h, self.c = weight, h.clone(), c.clone()
        stack, self.hidden, batch = h.shape
        self.gates, self.squashed = h.new_empty(stack, 4 * self.hidden, batch), torch.empty_like(h)
        self.joint = h.new_ones(stack, weight.shape[2], batch)

    def step(self, x: Tensor) -> Tensor:
        """Take in tokens [L, 1, N] or vectors [L, inputs, N], and give the hidden states [L, H, N]."""
        self.joint[:, : self.hidden] = self.h
        self.joint[:, self.hidden : -1] = spread(x, self.weight.shape[2] - self.hidden - 1)
        advance(self.weight, self.joint, self.c, self.gates, self.c, self.squashed, self.h)
        return self.h


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
        """Sample token by token: the smallest v with u < P(s_t <= v)."""
        tokens = uniforms.new_empty(uniforms.shape, dtype=torch.long)
        running, x = Running(weight, h0, c0), first
        for t in range(len(uniforms)):
            logits = torch.baddbmm(output[:, :, -1:], output[:, :, :-1], running.step(x))
            below = logits.sub_(logits.amax(1, keepdim=True)).exp_().cumsum(1)
            passed = below[:, :-1] <= uniforms[t] * below[:, -1:]
            torch.sum(passed, 1, keepdim=True, out=tokens[t])
            x = tokens[t] if table is None else rows_of(table, tokens[t])
        return (tokens,)

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


def rows_of(table: Tensor, tokens: Tensor) -> Tensor:
    """Pick each token's row: table [L, V, inputs], tokens [L, 1, N] -> [L, inputs, N]."""
    index = tokens.transpose(1, 2).expand(-1, -1, table.shape[2])
    return table.gather(1, index).transpose(1, 2)


class Read(Function):
    """(x [T, L, inputs, N], weight, h0, c0) -> the last hidden states [L, H, N], without a gradient."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, h0: Tensor, c0: Tensor) -> tuple[Tensor]:
        """Run the recurrence and keep nothing."""
        running = Running(weight, h0, c0)
        for t in range(len(x)):
            running.step(x[t])
        return (running.h,)

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
