"""Strings of several lengths: an end mark, after which nothing but the end mark follows.

A sequence still has T tokens; what stands behind its first end mark is padding, of probability 1, so that it
adds nothing to the score of the string. Tokens may be given as whole numbers or as vectors, one-hot or
relaxed: a relaxed token is an end mark to the extent x_end.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from discgan_core.checks import wide


def alive(x: Tensor, end: int) -> Float[Tensor, "N t"]:
    """Give a_t = prod_{j < t} (1 - x_j,end): 1 up to the first end mark and on it, 0 behind it.

    Args:
        x: tokens [N, t], or vectors [N, t, V].
        end: the end mark.
    """
    going_on = 1 - x[..., end] if x.is_floating_point() else (x != end).float()
    return torch.cat([torch.ones_like(going_on[:, :1]), going_on[:, :-1].cumprod(1)], 1)


def ended(logits: Float[Tensor, "N T V"], x: Tensor, end: int) -> Float[Tensor, "N T V"]:
    """Let a policy's logits allow nothing but the end mark behind an end mark.

        p'_t = a_t p_t + (1 - a_t) one_hot(end)

    Args:
        logits: of p.
        x: what the policy reads, tokens [N, T] or vectors [N, T, V].
        end: the end mark.

    Returns:
        log p', up to a constant; -inf where hard tokens forbid.
    """
    others = torch.arange(logits.shape[-1], device=logits.device) != end
    a = alive(x, end)[..., None]
    if not x.is_floating_point():
        return logits.masked_fill((a == 0) & others, -torch.inf)
    p = a * wide(logits).softmax(-1) + (1 - a) * ~others
    return p.clamp(min=torch.finfo(p.dtype).tiny).log()
