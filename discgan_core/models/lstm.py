"""The LSTM: the one piece of network code written by hand, because everything waits for it.

`nn.LSTM` can be neither vmapped over sessions nor differentiated twice on every device. Here a whole
sequence is one differentiable primitive with batching rules of its own:

* vmapped with its weights (sessions), it becomes one stacked matrix multiply per step;
* vmapped without them (draws, samples), the new axis joins the batch, and only the weights' gradient
  is taken apart again, so per-draw gradients cost about as much as one gradient.

Inside, features come before the batch, [features, batch], so that each gate is one contiguous block,
and the input and a row of ones stand under the hidden state, so that a step is ONE multiply:

    a = weight [h; x; 1],   i, f, o = sigmoid(a_i, a_f, a_o),   g = tanh(a_g)
    c' = f c + i g,         h' = o tanh(c')                      (Hochreiter and Schmidhuber, 1997)
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor
from torch.autograd import Function

Params = dict[str, Tensor]


def init_lstm(inputs: int, hidden: int, generator: Generator) -> Params:
    """Draw uniform weights in +-1/sqrt(hidden), as `nn.LSTM` does, with one bias vector per gate.

    Args:
        inputs: features of one token's input.
        hidden: units.
        generator: the session's stream for this model.

    Returns:
        `lstm.input` [4H, inputs], `lstm.recurrent` [4H, H], `lstm.bias` [4H]; gates in order i, f, o, g.
    """
    shapes = {"input": (4 * hidden, inputs), "recurrent": (4 * hidden, hidden), "bias": (4 * hidden,)}
    return {f"lstm.{name}": uniform(shape, hidden, generator) for name, shape in shapes.items()}


def uniform(shape: tuple[int, ...], fan_in: int, generator: Generator) -> Tensor:
    """Draw U(-1/sqrt(fan_in), 1/sqrt(fan_in)) of the given shape from the generator's stream."""
    return torch.from_numpy(generator.uniform(-1, 1, shape) / fan_in**0.5).to(torch.get_default_dtype())


def joint_weight(params: Params) -> Tensor:
    """Stack recurrent, input and bias weights side by side: [4H, H + inputs + 1]."""
    recurrent, inputs, bias = (params[f"lstm.{name}"] for name in ("recurrent", "input", "bias"))
    return torch.cat([recurrent, inputs, bias[:, None]], 1)


def tanh(x: Tensor) -> Tensor:
    """tanh(x) = 2 sigmoid(2x) - 1: on CPUs torch vectorises sigmoid six times better than tanh."""
    return 2 * torch.sigmoid(2 * x) - 1


def cell(pre: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One step from its pre-activations: [..., 4H, N], [..., H, N] -> h', c', gates [..., 4H, N], tanh(c')."""
    hidden = c.shape[-2]
    gates = torch.cat([torch.sigmoid(pre[..., : 3 * hidden, :]), tanh(pre[..., 3 * hidden :, :])], -2)
    i, f, o, g = gates.split(hidden, -2)
    c = torch.addcmul(f * c, i, g)
    squashed = tanh(c)
    return o * squashed, c, gates, squashed


def step(weight: Tensor, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Advance by one token: x [inputs, N], h and c [H, N] -> h', c' [H, N]."""
    ones = x.new_ones(1, x.shape[-1])
    h, c, *_ = cell(weight @ torch.cat([h, x, ones], -2), c)
    return h, c


def lstm(params: Params, x: Tensor) -> tuple[Tensor, Tensor]:
    """Run over whole sequences from a zero state.

    Args:
        params: as `init_lstm` makes them.
        x: inputs [N, T, inputs].

    Returns:
        hidden and cell states after each token, [T, H, N] both.
    """
    weight = joint_weight(params)
    start = x.new_zeros(1, weight.shape[0] // 4, x.shape[0])
    h, c, *_ = Unroll.apply(x.permute(1, 2, 0)[:, None], weight[None], start, start)
    return h[:, 0], c[:, 0]


# Below, every tensor carries a stack axis L (sessions): sequences [T, L, features, N], weight [L, 4H, F].


class Unroll(Function):
    """(x, weight, h0, c0) -> hidden [T, L, H, N], cell [T, L, H, N], gates [T, L, 4H, N], tanh(cell)."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Run the recurrence."""
        length, stack, inputs, batch = x.shape
        hidden = h.shape[1]
        joint = x.new_ones(stack, hidden + inputs + 1, batch)
        states, cells, gates, squashed = (
            x.new_empty(length, stack, rows * hidden, batch) for rows in (1, 1, 4, 1)
        )
        for t in range(length):
            joint[:, :hidden] = h
            joint[:, hidden:-1] = x[t]
            a = torch.bmm(weight, joint, out=gates[t])
            a[:, 3 * hidden :].mul_(2)
            a.sigmoid_()
            a[:, 3 * hidden :].mul_(2).sub_(1)
            i, f, o, g = a.split(hidden, 1)
            c = torch.mul(f, c, out=cells[t]).addcmul_(i, g)
            s = torch.mul(c, 2, out=squashed[t]).sigmoid_().mul_(2).sub_(1)
            h = torch.mul(o, s, out=states[t])
        return states, cells, gates, squashed

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Keep what the adjoint needs."""
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(output[2], output[3])
        ctx.save_for_backward(*inputs, *output)

    @staticmethod
    def backward(ctx: Any, g_states: Tensor | None, g_cells: Tensor | None, *_: None) -> tuple[Any, ...]:
        """Back-propagate through time once, then take each gradient in one multiply."""
        x, weight, h0, c0, states, cells, gates, squashed = ctx.saved_tensors
        g_states = torch.zeros_like(states) if g_states is None else g_states
        g_cells = torch.zeros_like(cells) if g_cells is None else g_cells
        saved = x, weight, h0, c0, states, cells, gates, squashed
        delta, g_h0, g_c0 = Adjoint.apply(g_states, g_cells, *saved)
        hidden = h0.shape[1]
        g_x = g_weight = None
        if ctx.needs_input_grad[0]:
            g_x = weight[:, :, hidden:-1].transpose(1, 2) @ delta
        if ctx.needs_input_grad[1]:
            previous = torch.cat([h0[None], states[:-1]])
            ones = torch.ones_like(x[:, :, :1])
            g_weight = outer(delta, torch.cat([previous, x, ones], 2))
        return g_x, g_weight, g_h0, g_c0

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Unroll, info.batch_size, in_dims, args, weight=1, sequences=(0,))


class Adjoint(Function):
    """Gradients of the states -> gradients of the pre-activations [T, L, 4H, N], of h0 and of c0."""

    @staticmethod
    def forward(*args: Tensor) -> tuple[Tensor, ...]:
        """Run the recurrence backwards."""
        return adjoint(*args)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Keep everything: the adjoint may itself be differentiated."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        """Differentiate the linear map where only it varies, else the whole composition by autograd."""
        g_states, g_cells, *saved = ctx.saved_tensors
        if not any(ctx.needs_input_grad[2:6]):
            _, pull = torch.func.vjp(lambda *g: adjoint(*g, *saved), g_states, g_cells)
            return *pull(cotangents), *[None] * 8
        _, pull = torch.func.vjp(plain_adjoint, g_states, g_cells, *saved[:4])
        return *pull(cotangents), *[None] * 4

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Tensor) -> tuple[Any, ...]:
        """Sessions join the stack, anything else joins the batch."""
        return batched(Adjoint, info.batch_size, in_dims, args, weight=3, sequences=(0, 1, 2, 6, 7, 8, 9))


def adjoint(
    g_states: Tensor,
    g_cells: Tensor,
    x: Tensor,
    weight: Tensor,
    h0: Tensor,
    c0: Tensor,
    states: Tensor,
    cells: Tensor,
    gates: Tensor,
    squashed: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Back-propagation through time: linear in the first two arguments."""
    hidden = c0.shape[1]
    recurrent = weight[:, :, :hidden].transpose(1, 2)
    g_h, g_c = torch.zeros_like(h0), torch.zeros_like(c0)
    deltas = []
    for t in reversed(range(len(gates))):
        i, f, o, g = gates[t].split(hidden, 1)
        before = cells[t - 1] if t else c0
        g_h = g_h + g_states[t]
        g_o = g_h * o
        g_c = g_c + g_cells[t] + g_o - g_o * squashed[t] * squashed[t]
        to_i, to_g = g_c * g, g_c * i
        delta = torch.cat(
            [
                to_i * (i - i * i),
                g_c * before * (f - f * f),
                g_h * squashed[t] * (o - o * o),
                to_g - to_g * g * g,
            ],
            1,
        )
        deltas.append(delta)
        g_c = g_c * f
        g_h = recurrent @ delta
    return torch.stack(deltas[::-1]), g_h, g_c


def plain_adjoint(
    g_states: Tensor, g_cells: Tensor, x: Tensor, weight: Tensor, h0: Tensor, c0: Tensor
) -> tuple[Tensor, ...]:
    """The same as `adjoint`, written so that autograd can differentiate it by the weights too."""

    def run(pre: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        states, cells = [], []
        for t in range(len(x)):
            ones = torch.ones_like(x[t, :, :1])
            h, c, *_ = cell(pre[t] + weight @ torch.cat([h, x[t], ones], 1), c)
            states.append(h)
            cells.append(c)
        return torch.stack(states), torch.stack(cells)

    zeros = x.new_zeros(len(x), *weight.shape[:2], x.shape[-1])
    _, pull = torch.func.vjp(run, zeros, h0, c0)
    return pull((g_states, g_cells))


def outer(delta: Tensor, joint: Tensor) -> Tensor:
    """Sum over steps and batch of delta joint': [T, L, 4H, N], [T, L, F, N] -> [L, 4H, F]."""
    total = delta[0] @ joint[0].transpose(1, 2)
    for t in range(1, len(delta)):
        total = total + delta[t] @ joint[t].transpose(1, 2)
    return total


def batched(
    function: type[Function],
    size: int,
    in_dims: tuple[int | None, ...],
    args: tuple[Tensor, ...],
    weight: int,
    sequences: tuple[int, ...],
) -> tuple[Any, ...]:
    """Apply `function` to arguments with one more axis, by folding it into the stack or into the batch."""
    shared = in_dims[weight] is None

    def fold(index: int, arg: Tensor, dim: int | None) -> Tensor:
        if shared and index == weight:
            return arg
        arg = arg.expand(size, *arg.shape) if dim is None else arg.movedim(dim, 0)
        if shared:
            return arg.movedim(0, -1).flatten(-2)
        at = 1 if index in sequences else 0
        return arg.movedim(0, at).flatten(at, at + 1)

    def unfold(out: Tensor) -> Tensor:
        return out.unflatten(-1, (-1, size)) if shared else out.unflatten(out.ndim - 3, (size, -1))

    out = function.apply(*(fold(n, *pair) for n, pair in enumerate(zip(args, in_dims, strict=True))))
    return tuple(map(unfold, out)), tuple(o.ndim if shared else o.ndim - 3 for o in out)
