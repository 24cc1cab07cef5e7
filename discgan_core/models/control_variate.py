"""The learned part c_hat_phi of RELAX's control variate: one convolution over the sequence, then a sum.

    c_hat(z)_t = v . tanh(W [z_{t-w+1} .. z_t] + b) + a_t

The output starts at zero (v = 0, a = 0), so that RELAX starts as REBAR.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

from discgan_core.interface import Params
from discgan_core.models.lstm import uniform


def init_control_variate(
    length: int, vocabulary: int, generator: Generator, width: int = 3, filters: int = 16
) -> Params:
    """Draw W `conv.weight` [F, w, V] and b `conv.bias` [F]; v `out.weight` [F] and a `out.bias` [T] are zero.

    Args:
        length: T.
        vocabulary: V.
        generator: the session's stream for the estimator.
        width: w, tokens that a filter sees.
        filters: F.
    """
    fan_in = width * vocabulary
    return {
        "conv.weight": uniform((filters, width, vocabulary), fan_in, generator),
        "conv.bias": uniform((filters,), fan_in, generator),
        "out.weight": torch.zeros(filters),
        "out.bias": torch.zeros(length),
    }


def whole_sequence(params: Params, z: Float[Tensor, "N T V"]) -> Float[Tensor, " N"]:
    """Sum c_hat(z)_t over t: z [N, T, V] -> [N]."""
    return along_sequence(params, z, z).sum(-1)


def along_sequence(
    params: Params, x: Float[Tensor, "N T V"], z: Float[Tensor, "N T V"]
) -> Float[Tensor, "N T"]:
    """Give c_hat_t of the window that ends in z_t behind hard tokens: x, z [N, T, V] -> [N, T]."""
    weight = params["conv.weight"]
    width, length = weight.shape[1], x.shape[1]
    start = x.new_zeros(x.shape[0], width - 1, x.shape[2])
    padded = torch.cat([start, x[:, :-1]], 1)
    hidden = z @ weight[:, -1].T + params["conv.bias"]
    for lag in range(width - 1):
        hidden = hidden + padded[:, lag : lag + length] @ weight[:, lag].T
    return torch.tanh(hidden) @ params["out.weight"] + params["out.bias"]
