"""The generator: a one-layer LSTM that reads its own tokens and predicts the next.

p(s_t | s_<t) = softmax(W h_t + b),   h_t = LSTM(h_{t-1}, s_{t-1}),   with s_0 the zero vector.
"""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core.interface import Params
from discgan_core.models.lstm import generate, init_lstm, lstm, uniform
from discgan_core.sequences import one_hot


def init_generator(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw the LSTM's weights and the output layer's, `out.weight` [V, H] and `out.bias` [V]."""
    return {
        **init_lstm(vocabulary, hidden, generator),
        "out.weight": uniform((vocabulary, hidden), hidden, generator),
        "out.bias": uniform((vocabulary,), hidden, generator),
    }


class LSTMPolicy:
    """p_theta(s_1..s_T) as an LSTM; satisfies `discgan_core.interface.Policy`.

    Args:
        params: theta, as `init_generator` makes it.
        length: T.
    """

    def __init__(self, params: Params, length: int) -> None:
        self.params = params
        self.length = length
        self.vocabulary = len(params["out.bias"])
        self.device = params["out.bias"].device

    def sample(self, uniforms: Tensor) -> Tensor:
        """Turn uniforms [N, T] into tokens [N, T]; no gradient."""
        return generate(self.params, uniforms)

    def logits(self, tokens: Tensor) -> Tensor:
        """Give the next token's logits after every prefix of tokens [N, T]: [N, T, V]."""
        x = one_hot(tokens, self.vocabulary, self.params["out.bias"].dtype)
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
        h, _ = lstm(self.params, before)
        return (self.params["out.weight"] @ h).permute(2, 0, 1) + self.params["out.bias"]
