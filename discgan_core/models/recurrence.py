"""The LSTM's recurrence as differentiable primitives with batching rules; `lstm.py` is the way in.

Every tensor here carries a stack axis L (sessions) and has features before the batch, so that each gate
is one contiguous block: sequences [T, L, features, N], weight [L, 4H, F]. The hidden state, the input and
a row of ones stand on top of one another, F = H + inputs + 1, so that a step is ONE multiply. An input may
be tokens [T, L, 1, N] in the place of their unit vectors.

The kernels run below all of torch.func's transformations, on plain tensors, hence may write in place. A
step's equations are in `step.py`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from discgan_core.models.step import advance, doubled, plain, spread, take_in

FEW = 32
"""Columns of a batch that count as few, see `outer`."""


class Unroll(Function):
    """(x, weight, h0, c0) -> hidden [T, L, H, N], cell [T, L, H, N], gates [T, L, 4H, N], tanh(cell)."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Run the recurrence, keeping what the adjoint needs."""
        length, stack, _, batch = x.shape
        hidden, rows = h.shape[1], weight.shape[2]
        weight, joint = doubled(weight), h.new_ones(stack, rows, batch)
        states, cells, gates, squashed = (
            h.new_empty(length, stack, size * hidden, batch) for size in (1, 1, 4, 1)
        )
        for t in range(length):
            joint[:, :hidden] = h
            take_in(x[t], joint[:, hidden:-1])
            h, c = advance(weight, joint, c, gates[t], cells[t], squashed[t], states[t])
        return states, cells, gates, squashed

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Save everything for the adjoint."""
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(output[2], output[3])
        ctx.save_for_backward(*inputs, *output)

    @staticmethod
    def backward(ctx: Any, g_states: Tensor | None, g_cells: Tensor | None, *_: None) -> tuple[Any, ...]:
        """Back-propagate through time once, then take each gradient in few multiplies."""
        x, weight, h0, _, states, *_ = saved = ctx.saved_tensors
        if g_states is None:
            g_states = torch.zeros_like(states)
        delta, g_h0, g_c0 = Adjoint.apply(g_states, g_cells, *saved)
        hidden, g_x, g_weight = h0.shape[1], None, None
        if ctx.needs_input_grad[0]:
            # step by step: under vmap, one multiply of all steps would first copy delta
            back = weight[:, :, hidden:-1].transpose(1, 2)
            g_x = torch.stack([back @ d for d in delta])
        if ctx.needs_input_grad[1]:
            g_weight = outer(delta, h0, states, x, weight.shape[2] - hidden - 1)
        return g_x, g_weight, g_h0, g_c0

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Unroll, info.batch_size, in_dims, args, weights=(1,))


class Adjoint(Function):
    """Gradients of the states -> gradients of the pre-activations [T, L, 4H, N], of h0 and of c0."""

    @staticmethod
    def forward(
        g_states: Tensor,
        g_cells: Tensor | None,
        x: Tensor,
        weight: Tensor,
        h0: Tensor,
        c0: Tensor,
        states: Tensor,
        cells: Tensor,
        gates: Tensor,
        squashed: Tensor,
    ) -> tuple[Tensor, ...]:
        """Back-propagate through time."""
        hidden = c0.shape[1]
        recurrent = weight[:, :, :hidden].transpose(1, 2)
        g_h, g_c, deltas = torch.zeros_like(h0), torch.zeros_like(c0), torch.empty_like(gates)
        for t in reversed(range(len(gates))):
            g_h += g_states[t]
            if g_cells is not None:
                g_c += g_cells[t]
            before = cells[t - 1] if t else c0
            retreat(g_h, g_c, before, gates[t], squashed[t], deltas[t])
            torch.bmm(recurrent, deltas[t], out=g_h)
        return deltas, g_h, g_c

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Keep everything: the adjoint may itself be differentiated."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        """Differentiate once more: by the tangent if only the first two arguments vary, or by autograd."""
        g_states, g_cells, *rest = ctx.saved_tensors
        if any(ctx.needs_input_grad[2:6]):
            x, weight, h0, c0 = rest[:4]
            vectors = spread(x, weight.shape[2] - h0.shape[1] - 1).to(weight.dtype)
            arguments = [g_states, torch.zeros_like(g_states) if g_cells is None else g_cells, vectors]
            found = torch.func.vjp(plain_adjoint, *arguments, weight, h0, c0)[1](cotangents)
            first, second, *others = found
            if not x.is_floating_point():
                others[0] = None
        else:
            first, second = Tangent.apply(*cotangents, *rest)
            others = [None] * 4
        return first, None if g_cells is None else second, *others, *[None] * 4

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Adjoint, info.batch_size, in_dims, args, weights=(3,))


def retreat(g_h: Tensor, g_c: Tensor, before: Tensor, gates: Tensor, squashed: Tensor, delta: Tensor) -> None:
    """Turn the gradients of h' and c' into those of the pre-activations (delta) and of c (g_c, in place).

    With s = tanh(c'):  g_c' += g_h o (1 - s^2),  and for each gate  delta = g_gate * its own slope:
    delta_o = g_h s o (1 - o),  delta_g = g_c' i (1 - g^2),  delta_i = g_c' g i (1 - i),
    delta_f = g_c' c f (1 - f),  g_c = g_c' f.
    """
    i, f, o, g = gates.split(g_c.shape[1], 1)
    d_i, d_f, d_o, d_g = delta.split(g_c.shape[1], 1)
    through = torch.mul(g_h, o)
    g_c += through
    through *= squashed
    g_c.addcmul_(through, squashed, value=-1)
    torch.addcmul(through, through, o, value=-1, out=d_o)
    torch.mul(g_c, i, out=d_g)
    torch.mul(d_g, g, out=d_i)
    d_g.addcmul_(d_i, g, value=-1)
    d_i.addcmul_(d_i, i, value=-1)
    g_c *= f
    torch.mul(g_c, before, out=d_f)
    d_f.addcmul_(d_f, f, value=-1)


class Tangent(Function):
    """Changes of the pre-activations, of h0 and of c0 -> changes of the states and cells [T, L, H, N].

    The transpose of `Adjoint`, which is linear in the states' gradients.
    """

    @staticmethod
    def forward(
        d_pre: Tensor,
        d_h: Tensor,
        d_c: Tensor,
        x: Tensor,
        weight: Tensor,
        h0: Tensor,
        c0: Tensor,
        states: Tensor,
        cells: Tensor,
        gates: Tensor,
        squashed: Tensor,
    ) -> tuple[Tensor, ...]:
        """Run the recurrence's derivative forwards; a gate's change is its slope times d_a."""
        hidden = c0.shape[1]
        recurrent = weight[:, :, :hidden].contiguous()
        d_states, d_cells = torch.empty_like(states), torch.empty_like(cells)
        for t in range(len(gates)):
            i, f, o, g = gates[t].split(hidden, 1)
            before = cells[t - 1] if t else c0
            d_a = torch.baddbmm(d_pre[t], recurrent, d_h)
            sigmoids = gates[t][:, : 3 * hidden]
            d_a[:, : 3 * hidden].mul_(sigmoids - sigmoids * sigmoids)
            d_i, d_f, d_o, d_g = d_a.split(hidden, 1)
            d_g.addcmul_(d_g, g * g, value=-1)
            d_c = torch.mul(d_c, f, out=d_cells[t])
            d_c.addcmul_(before, d_f).addcmul_(i, d_g).addcmul_(g, d_i)
            d_h = torch.mul(squashed[t], d_o, out=d_states[t])
            d_h.addcmul_(o * d_c, 1 - squashed[t] * squashed[t])
        return d_states, d_cells

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Keep nothing."""

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Any, ...]:
        """Refuse: nothing here needs a third derivative."""
        raise RuntimeError("lstm: a third derivative is not implemented; differentiate twice at most")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Tangent, info.batch_size, in_dims, args, weights=(4,))


def plain_adjoint(
    g_states: Tensor, g_cells: Tensor, x: Tensor, weight: Tensor, h0: Tensor, c0: Tensor
) -> tuple[Tensor, ...]:
    """The same map as `Adjoint`, made by autograd from plain operations, so differentiable by everything."""

    def run(pre: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        states, cells = [], []
        for t in range(len(x)):
            joint = torch.cat([h, x[t], torch.ones_like(x[t, :, :1])], 1)
            h, c = plain(pre[t] + weight @ joint, c, 1)
            states.append(h)
            cells.append(c)
        return torch.stack(states), torch.stack(cells)

    zeros = x.new_zeros(len(x), *weight.shape[:2], x.shape[-1])
    gradients: tuple[Tensor, ...] = torch.func.vjp(run, zeros, h0, c0)[1]((g_states, g_cells))
    return gradients


def outer(delta: Tensor, h0: Tensor, states: Tensor, x: Tensor, inputs: int) -> Tensor:
    """Give the weight's gradient, sum_t delta_t [h_{t-1}; x_t; 1]': [L, 4H, F].

    A large batch is multiplied step by step, in cache; a few columns (one draw's), or one step, at once.
    """
    if delta.shape[-1] < FEW or len(delta) == 1:
        return torch.einsum("tlgn,tlfn->lgf", delta, joints(h0, states, x, inputs))
    found: Tensor = Outer.apply(delta, h0, states, x, inputs)
    return found


def joints(h0: Tensor, states: Tensor, x: Tensor, inputs: int) -> Tensor:
    """Stack what every step multiplied, [h_{t-1}; x_t; 1]: [T, L, F, N]."""
    vectors = spread(x, inputs).to(states.dtype)
    return torch.cat([torch.cat([h0[None], states[:-1]]), vectors, torch.ones_like(states[:, :, :1])], 2)


class Outer(Function):
    """(delta, h0, states, x, inputs) -> sum_t delta_t [h_{t-1}; x_t; 1]' [L, 4H, F]."""

    @staticmethod
    def forward(delta: Tensor, h0: Tensor, states: Tensor, x: Tensor, inputs: int) -> Tensor:
        """Add up step by step; what a step multiplied is made anew, which is faster than to have kept it."""
        (_, stack, gates, batch), hidden = delta.shape, h0.shape[1]
        joint = h0.new_ones(stack, hidden + inputs + 1, batch)
        total = h0.new_zeros(stack, gates, joint.shape[1])
        for d, h, step in zip(delta, (h0, *states), x, strict=False):
            joint[:, :hidden] = h
            take_in(step, joint[:, hidden:-1])
            total.baddbmm_(d, joint.transpose(1, 2))
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the factors."""
        *factors, ctx.inputs = inputs
        ctx.save_for_backward(*factors)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        """Multiply by the other factor."""
        delta, h0, states, x = ctx.saved_tensors
        hidden = h0.shape[1]
        g_joints = g.transpose(1, 2) @ delta
        g_before, g_x = g_joints[:, :, :hidden], g_joints[:, :, hidden:-1]
        g_states = torch.cat([g_before[1:], torch.zeros_like(g_before[:1])])
        g_delta = g @ joints(h0, states, x, ctx.inputs)
        return g_delta, g_before[0], g_states, g_x if x.is_floating_point() else None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> tuple[Any, ...]:
        """Whatever the axis is of, it joins the stack: there is nothing without a batch in this product."""
        pairs = zip(args[:-1], in_dims, strict=False)
        found = Outer.apply(*(into_stack(info.batch_size, *pair) for pair in pairs), args[-1])
        return found.unflatten(0, (info.batch_size, -1)), 0


def into_stack(size: int, arg: Tensor, dim: int | None) -> Tensor:
    """Fold an axis of a size into the stack, the third axis from the end."""
    arg = arg.expand(size, *arg.shape) if dim is None else arg.movedim(dim, 0)
    return arg.movedim(0, -4).flatten(-4, -3)


def batched(
    function: type[Function],
    size: int,
    in_dims: tuple[int | None, ...],
    args: tuple[Tensor | None, ...],
    weights: tuple[int, ...],
) -> tuple[Any, ...]:
    """Apply `function` to arguments with one more axis, by folding it into the stack or into the batch.

    The stack is the third axis from the end, the batch the last.

    Args:
        function: one of this file's primitives.
        size: of the new axis.
        in_dims: where it is in each argument; None where an argument lacks it.
        args: the arguments.
        weights: which arguments have no batch; if all of these lack the axis, it joins the batch.
    """
    shared = all(in_dims[index] is None for index in weights)

    def fold(index: int, arg: Tensor | None, dim: int | None) -> Tensor | None:
        if arg is None or (shared and index in weights):
            return arg
        if not shared:
            return into_stack(size, arg, dim)
        arg = arg[..., None].expand(*arg.shape, size) if dim is None else arg.movedim(dim, -1)
        return arg.flatten(-2)

    out = function.apply(*(fold(n, *pair) for n, pair in enumerate(zip(args, in_dims, strict=True))))
    if shared:
        return tuple(o.unflatten(-1, (-1, size)) for o in out), tuple(o.ndim for o in out)
    return tuple(o.unflatten(-3, (size, -1)) for o in out), tuple(o.ndim - 3 for o in out)
