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
        relaxed_logits: the same function of vectors [N, T, V], one-hot or relaxed; for the estimators that
            feed relaxed tokens back.
    """

    def __init__(
        self,
        logits: Callable[[Tensor], Tensor],
        length: int,
        vocabulary: int,
        relaxed_logits: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.logits, self.length, self.vocabulary = logits, length, vocabulary
        self.relaxed_logits = relaxed_logits

    def sample(self, uniforms: Tensor) -> Tensor:
        """Turn uniforms [N, T] into tokens [N, T]; no gradient."""
        tokens = torch.zeros_like(uniforms, dtype=torch.long)
        with torch.no_grad():
            for t in range(self.length):
                log_probs = self.logits(tokens)[:, t].log_softmax(-1)
                tokens[:, t] = inverse_cdf(log_probs, uniforms[:, t])
        return tokens

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Feed x_t = token(t, logits_t) back: [N, T, V].

        Raises:
            ValueError: the policy was made without `relaxed_logits`.
        """
        if self.relaxed_logits is None:
            raise ValueError(
                "FromLogits: this estimator feeds relaxed tokens back; give `relaxed_logits` too"
            )
        like = self.logits(torch.zeros(1, self.length, dtype=torch.long))
        x = [like.new_zeros(batch, self.vocabulary)] * self.length
        for t in range(self.length):
            x[t] = token(t, self.relaxed_logits(torch.stack(x, 1))[:, t])
        return torch.stack(x, 1)
