"""One step of the LSTM, in place.

    a = weight [h; x; 1],   i, f, o = sigmoid(a_i, a_f, a_o),   g = tanh(a_g)
    c' = f c + i g,         h' = o tanh(c')                      (Hochreiter and Schmidhuber, 1997)

Shapes as in `recurrence.py`. tanh(x) is computed as 2 sigmoid(2x) - 1, which torch vectorises six times
better on CPUs.
"""

from __future__ import annotations

import torch
from torch import Tensor

MINUS_ONE = torch.tensor(-1.0)


def spread(x: Tensor, inputs: int) -> Tensor:
    """Tell tokens [..., 1, N] apart as unit vectors [..., V, N]; vectors stay what they are."""
    return x if x.is_floating_point() else x == torch.arange(inputs, device=x.device)[:, None]


def take_in(x: Tensor, rows: Tensor) -> None:
    """Write vectors [L, inputs, N], or tokens [L, 1, N] as their unit vectors, into rows [L, inputs, N]."""
    if x.is_floating_point():
        rows.copy_(x)
    else:
        # numbers of the rows' own type: four times as fast as whole ones (measured)
        every = torch.arange(rows.shape[1], device=x.device, dtype=rows.dtype)
        torch.eq(x.to(rows.dtype), every[:, None], out=rows)


def doubled(weight: Tensor) -> Tensor:
    """Double the rows of the gate g, as `advance` wants them: exact, and one pass over the gates less."""
    hidden = weight.shape[1] // 4
    return torch.cat([weight[:, : 3 * hidden], 2 * weight[:, 3 * hidden :]], 1)


def tanh_from(sigmoids: Tensor) -> Tensor:
    """Turn sigmoid(2x) into tanh(x), in place and in one pass."""
    return torch.add(MINUS_ONE, sigmoids, alpha=2, out=sigmoids)


def plain(a: Tensor, c: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Give h' and c' of pre-activations a and c, features on an axis, by operations with derivatives."""
    a_ifo, a_g = a.tensor_split([3 * c.shape[axis]], axis)
    i, f, o = a_ifo.sigmoid().chunk(3, axis)
    c = f * c + i * (2 * (2 * a_g).sigmoid() - 1)
    return o * (2 * (2 * c).sigmoid() - 1), c


def advance(
    weight: Tensor,
    joint: Tensor,
    c: Tensor,
    gates: Tensor,
    cell: Tensor,
    squashed: Tensor,
    state: Tensor,
) -> tuple[Tensor, Tensor]:
    """Take one step by `doubled` weights, writing gates, c', tanh(c') and h' into the last four arguments."""
    i, f, o, g = torch.bmm(weight, joint, out=gates).sigmoid_().chunk(4, 1)
    torch.mul(f, c, out=cell).addcmul_(i, tanh_from(g))
    tanh_from(torch.mul(cell, 2, out=squashed).sigmoid_())
    return torch.mul(o, squashed, out=state), cell
