"""The generator: a one-layer LSTM that reads its own tokens and predicts the next.

p(s_t | s_<t, z) = softmax(W h_t + b),   h_t = LSTM(h_{t-1}, s_{t-1}),   with s_0 the zero vector.

The state before the first token is zero, or noise z of which every sample has its own (Kusner and
Hernandez-Lobato, 2016): z = (h_0, c_0), or h_0 alone beside a c_0 that is zero or learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from discgan_core.interface import Continue, Params
from discgan_core.models import output, tree
from discgan_core.models.lstm import (
    EMBEDDING,
    Start,
    embedded,
    generate,
    init_embedding,
    init_lstm,
    joint_weight,
    lstm,
    repeated,
    uniform,
    unroll,
    zeros,
)

CELL = "start.cell"
"""The name of a learned c_0 among the parameters, [H]."""


def init_generator(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw the LSTM's weights and the output layer's, `out.weight` [V, H] and `out.bias` [V]."""
    return {
        **init_lstm(vocabulary, hidden, generator),
        **init_output(vocabulary, hidden, generator),
    }


def init_output(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw the output layer's weights alone."""
    return {
        "out.weight": uniform((vocabulary, hidden), hidden, generator),
        "out.bias": uniform((vocabulary,), hidden, generator),
    }


def init_embedded_generator(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw a generator that reads tokens as rows of a table `embedding` [V, H]."""
    return {
        EMBEDDING: init_embedding(vocabulary, hidden, generator),
        **init_lstm(hidden, hidden, generator),
        **init_output(vocabulary, hidden, generator),
    }


def init_with_cell(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw what `init_generator` draws, and a learned initial cell state, `start.cell` [H]."""
    return {
        **init_generator(vocabulary, hidden, generator),
        CELL: uniform((hidden,), hidden, generator),
    }


class LSTMPolicy:
    """p_theta(s_1..s_T | z) as an LSTM; satisfies `discgan_core.interface.Policy`.

    Args:
        params: theta, as `init_generator` makes it.
        length: T.
        latent: z, [N, 2H] for both states, [N, H] for h_0 alone, [N, 0] or None for neither.
    """

    def __init__(self, params: Params, length: int, latent: Tensor | None = None) -> None:
        self.params, self.length, self.latent = params, length, latent
        self.vocabulary = len(params["out.bias"])
        self.device = params["out.bias"].device

    def start(self, batch: int) -> Start:
        """Give the state before the first token."""
        h, c = zeros(self.params, batch)
        hidden = len(h)
        if CELL in self.params:
            c = self.params[CELL][:, None].expand(-1, batch)
        if self.latent is not None and self.latent.shape[1] > 0:
            h = self.latent[:, :hidden].T
        if self.latent is not None and self.latent.shape[1] > hidden:
            c = self.latent[:, hidden:].T
        return h, c

    def sample(self, uniforms: Tensor) -> Tensor:
        """Turn uniforms [N, T] into tokens [N, T]; no gradient."""
        return generate(self.params, uniforms, self.start(len(uniforms)))

    def logits(self, tokens: Tensor) -> Tensor:
        """Give the next token's logits after every prefix of tokens [N, T]: [N, T, V]."""
        h, _ = self.states(tokens)
        return h.permute(2, 0, 1) @ self.params["out.weight"].T + self.params["out.bias"]

    def log_likelihood(self, tokens: Tensor) -> Tensor:
        """Give log p(s_t | s_<t) of tokens [N, T], differentiable once: [N, T]."""
        h, _ = self.states(tokens)
        return output.log_likelihood(self.params["out.weight"], self.params["out.bias"], h, tokens)

    def states(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Give hidden and cell states before each of tokens [N, T]: [T, H, N] both."""
        before = functional.pad(tokens[:, :-1], (1, 0), value=-1)
        return lstm(self.params, before, self.start(len(tokens)))

    def after(self, tokens: Tensor) -> Continue:
        """Go on from the prefixes of tokens [N, T], which are read once."""
        h, c = (s.detach() for s in self.states(tokens))

        def go_on(t: int, choices: Tensor, uniforms: Tensor) -> Tensor:
            start = repeated((h[t], c[t]), choices.shape[1])
            # the state before token t has not seen it: a step over it first
            rest = generate(self.params, uniforms.flatten(0, 1), start, choices.flatten())
            return torch.cat([choices[..., None], rest.unflatten(0, choices.shape)], -1)

        return go_on

    def of_all(self, start: Sequence[int]) -> Tensor:
        """Give log p of all sequences that begin with k tokens, in lexicographic order: [V^(T - k)].

        Raises:
            ValueError: every sample starts from noise of its own.
        """
        if self.latent is not None and self.latent.shape[1]:
            raise ValueError("a generator that starts from noise gives a sequence no one probability")
        total = self.params["out.bias"].new_zeros(1)
        places = tree.places(start, self.length)
        before = tree.along(self.params, tree.after_nothing(self.params, self.start(1)), places)
        for place, states in zip(places, before, strict=False):  # what follows the last is not read
            each = states.read_off(self.params["out.weight"], self.params["out.bias"]).T.log_softmax(-1)
            total = (total[:, None] + (each if place is None else each[:, place, None])).flatten()
        return total

    def at(self, params: Params) -> LSTMPolicy:
        """Give the same policy with other parameters."""
        return LSTMPolicy(params, self.length, self.latent)

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Feed back x_t = token(t, logits_t), relaxed or hard, with its gradient: [N, T, V]."""
        weight, (h, c) = joint_weight(self.params), self.start(batch)
        x = h.new_zeros(batch, self.vocabulary)
        sequence = []
        for t in range(self.length):
            states, cells = unroll(embedded(self.params, x).T[None], weight, h, c)
            h, c = states[0], cells[0]
            x = token(t, (self.params["out.weight"] @ h).T + self.params["out.bias"])
            sequence.append(x)
        return torch.stack(sequence, 1)
