"""A policy of your own from its logits alone: the shortest way to use the estimators."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from discgan_core.sequences import inverse_cdf


class FromLogits:
    """p_theta(s_t | s_<t) = softmax(logits(s)_t); satisfies `discgan_core.interface.Policy`.

    Sampling asks for the logits once per token; a policy that carries a state does better with a
    `sample` of its own.

    Args:
        logits: tokens [N, T] -> [N, T, V], row t depending on tokens before t only.
        length: T.
        vocabulary: V.
    """

    def __init__(self, logits: Callable[[Tensor], Tensor], length: int, vocabulary: int) -> None:
        self.logits, self.length, self.vocabulary = logits, length, vocabulary

    def sample(self, uniforms: Tensor) -> Tensor:
        """Turn uniforms [N, T] into tokens [N, T]; no gradient."""
        tokens = torch.zeros_like(uniforms, dtype=torch.long)
        with torch.no_grad():
            for t in range(self.length):
                log_probs = self.logits(tokens)[:, t].log_softmax(-1)
                tokens[:, t] = inverse_cdf(log_probs, uniforms[:, t])
        return tokens
