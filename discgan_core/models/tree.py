"""All sequences that begin in some way, in lexicographic order: an LSTM reads each prefix once.

Of V^T sequences there are V^t prefixes of length t. What a step multiplies its state by is the same for all
tokens that may come next, so it is multiplied once for all of them: W [h; x_v; 1] = W_h h + (W_x x_v + b).

Plain operations, on tensors with features first and prefixes last: they may be vmapped, and differentiated
as often as one likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from math import gcd

from torch import Tensor
from torch.nn.functional import pad

from discgan_core.interface import Params
from discgan_core.models.lstm import EMBEDDING, Start
from discgan_core.models.step import plain

Place = int | None
"""The token that stands there; None where it may be any."""


def places(start: Sequence[int], length: int) -> list[Place]:
    """Say what stands at each place of the sequences of a length that begin with some tokens."""
    return [*chain(start, repeat(None, length - len(start)))]


def along(params: Params, state: Start, read: Iterable[Place]) -> Iterator[Start]:
    """Read on from some prefixes, one place after another.

    Args:
        params: of the LSTM.
        state: hidden and cell states after the prefixes, [H, M] both.
        read: what stands next.

    Yields:
        the states that there are: first `state`, then [H, M] or [H, M V] after every place in turn.
    """
    yield state
    for place in read:
        yield (state := after(params, state, place))


def after(params: Params, state: Start, place: Place) -> Start:
    """Read one token more: the one given, or each of the V after every prefix, side by side."""
    (h, c), each = state, inputs(params)
    if place is not None:
        each = each[:, place, None]
    pre = (params["lstm.recurrent"] @ h)[:, :, None] + each[:, None]
    return filled(pre.flatten(1), c[:, :, None].expand(-1, -1, each.shape[1]).flatten(1))


def after_nothing(params: Params, state: Start) -> Start:
    """Read the zero vector, which stands before the first token a generator writes."""
    h, c = state
    return filled(params["lstm.recurrent"] @ h + params["lstm.bias"][:, None], c)


def filled(a: Tensor, c: Tensor) -> Start:
    """Take a step as `plain`, filled up to whole vectors: see `discgan_core.randomness`."""
    hidden, count = c.shape
    more = (0, -count % (32 // gcd(32, hidden)))
    h, c = plain(pad(a, more), pad(c, more))
    return h[:, :count], c[:, :count]


def inputs(params: Params) -> Tensor:
    """Give W_x x_v + b of every token v: [4H, V]."""
    table = params["lstm.input"]
    if EMBEDDING in params:
        table = table @ params[EMBEDDING].T
    return table + params["lstm.bias"][:, None]
