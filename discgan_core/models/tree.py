"""All sequences that begin in some way, in lexicographic order: an LSTM reads each prefix once.

Of V^T sequences there are V^t prefixes of length t. What a step multiplies its state by is the same for all
tokens that may come next, so it is multiplied once for all of them: W [h; x_v; 1] = W_h h + (W_x x_v + b).

Plain operations, on tensors with features first and prefixes last: they may be vmapped, and differentiated
as often as one likes. States are filled up to whole vectors (`discgan_core.randomness` says why), matrix
products too, which round in another way where their columns do not begin on whole ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import pad

from discgan_core.interface import Params
from discgan_core.models.lstm import EMBEDDING, Start
from discgan_core.models.step import plain

Place = int | None
"""The token that stands there; None where it may be any."""

WHOLE = 32


class Prefixes(NamedTuple):
    """States after all prefixes that there are.

    Attributes:
        h: hidden, [H, M and what fills it up].
        c: cell, the same.
        number: M.
    """

    h: Tensor
    c: Tensor
    number: int

    def read_off(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Give W h + b after every prefix: weight [K, H], bias [K] -> [K, M]."""
        return (weight @ self.filled().h)[:, : self.number] + bias[:, None]

    def filled(self) -> Prefixes:
        """Give no more than it takes to fill up whole vectors."""
        size = self.number + -self.number % WHOLE
        return self._replace(h=self.h[:, :size], c=self.c[:, :size])


def places(start: Sequence[int], length: int) -> list[Place]:
    """Say what stands at each place of the sequences of a length that begin with some tokens."""
    return [*chain(start, repeat(None, length - len(start)))]


def along(params: Params, before: Prefixes, read: Iterable[Place]) -> Iterator[Prefixes]:
    """Read on from some prefixes, one place after another: first gives `before`, then what each comes to."""
    yield before
    for place in read:
        yield (before := after(params, before, place))


def after(params: Params, before: Prefixes, place: Place) -> Prefixes:
    """Read one token more: the one given, or each of the V after every prefix, side by side."""
    (h, c, number), each = before.filled(), inputs(params)
    if place is not None:
        each = each[:, place, None]
    h, c = plain((params["lstm.recurrent"] @ h)[:, :, None] + each[:, None], c[:, :, None], -3)
    return Prefixes(h.flatten(1), c.flatten(1), number * each.shape[1])


def after_nothing(params: Params, start: Start) -> Prefixes:
    """Read the zero vector, which stands before the first token a generator writes."""
    h, c, number = root(start)
    h, c = plain(params["lstm.recurrent"] @ h + params["lstm.bias"][:, None], c, -2)
    return Prefixes(h, c, number)


def root(start: Start) -> Prefixes:
    """Give the states before anything is read."""
    h, c = start
    more = -h.shape[1] % WHOLE
    return Prefixes(pad(h, (0, more)), pad(c, (0, more)), h.shape[1])


def inputs(params: Params) -> Tensor:
    """Give W_x x_v + b of every token v: [4H, V]."""
    table = params["lstm.input"]
    if EMBEDDING in params:
        table = table @ params[EMBEDDING].T
    return table + params["lstm.bias"][:, None]
