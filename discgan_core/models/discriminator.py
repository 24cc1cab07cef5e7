"""The discriminator: a many-to-one LSTM; its output on a sequence is the generator's reward.

D(x) = sigmoid(w h_t + b),   h_t = LSTM(h_{t-1}, x_t), read after the last token given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from discgan_core.interface import Judge, Params
from discgan_core.models import tree
from discgan_core.models.lstm import (
    EMBEDDING,
    branch,
    init_embedding,
    init_lstm,
    lstm,
    read,
    repeated,
    uniform,
    zeros,
    zeros_before,
)


def init_discriminator(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw the LSTM's weights and the head's, `out.weight` [1, H] and `out.bias` [1]."""
    return {
        **init_lstm(vocabulary, hidden, generator),
        "out.weight": uniform((1, hidden), hidden, generator),
        "out.bias": uniform((1,), hidden, generator),
    }


def init_embedded_discriminator(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw a discriminator that reads tokens as rows of a table `embedding` [V, H]."""
    return {
        EMBEDDING: init_embedding(vocabulary, hidden, generator),
        **init_discriminator(hidden, hidden, generator),
    }


def discriminator_logits(params: Params, x: Tensor) -> Tensor:
    """Give log D/(1-D) of sequences or prefixes x, tokens [N, t] or vectors [N, t, V]: [N]."""
    h, _ = lstm(params, x)
    return head(params, h[-1])


def head(params: Params, h: Tensor) -> Tensor:
    """Read the logit off hidden states [..., H, N]: [..., N]."""
    return (params["out.weight"] @ h)[..., 0, :] + params["out.bias"]


def discriminator_loss(params: Params, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean binary cross-entropy over real and generated sequences, and the accuracy.

    Args:
        params: of the discriminator.
        real: x [N, T, V], or tokens [N, T].
        fake: as many tokens or vectors as wanted, of the same kind.

    Returns:
        -(mean log D(real) + mean log(1 - D(fake))) / 2 in nats, and the fraction of each kind judged
        rightly, averaged over the two.
    """
    on_real, on_fake = discriminator_logits(params, torch.cat([real, fake])).tensor_split([len(real)])
    loss = functional.softplus(-on_real).mean() + functional.softplus(on_fake).mean()
    right = (on_real > 0).to(loss.dtype).mean() + (on_fake <= 0).to(loss.dtype).mean()
    return loss / 2, right / 2


class DiscriminatorReward:
    """f(x) = D(x), the probability of being real; satisfies `discgan_core.interface.Reward`.

    Args:
        params: of the discriminator.
        measure: of log D/(1-D), in place of the sigmoid that makes it D.
    """

    def __init__(self, params: Params, measure: Callable[[Tensor], Tensor] = torch.sigmoid) -> None:
        self.params, self.measure = params, measure

    def __call__(self, x: Tensor) -> Tensor:
        """Judge sequences or prefixes x, vectors [N, t, V] or tokens [N, t]: [N]."""
        return self.measure(self.log_odds(x))

    of_tokens = __call__

    def log_odds(self, x: Tensor) -> Tensor:
        """Give log D/(1-D) of sequences or prefixes x: [N]."""
        return discriminator_logits(self.params, x)

    def of_all(self, length: int, start: Sequence[int]) -> Tensor:
        """Judge all sequences of a length that begin with k tokens, in lexicographic order: [V^(T - k)]."""
        root = tree.root(zeros(self.params, 1))
        *_, states = tree.along(self.params, root, tree.places(start, length))
        # filled up to whole vectors: see `discgan_core.randomness`
        return self.measure(head(self.params, states.h))[: states.number]

    def along(self, x: Tensor, relaxed: Tensor) -> tuple[Tensor, Tensor]:
        """Judge x [N, T, V] and all its prefixes that end in relaxed [K, N, T, V]: [N] and [K, N, T].

        The network reads x once; every relaxed token costs one step from the state before it.
        """
        h, c = lstm(self.params, x)
        ends = branch(self.params, relaxed, zeros_before(h), zeros_before(c))
        judged = head(self.params, ends).movedim(-1, 1)
        return self.measure(head(self.params, h[-1])), self.measure(judged)

    def after(self, tokens: Tensor) -> Judge:
        """Judge what may follow the prefixes of tokens [N, T]; these are read once. No gradient."""
        before = [zeros_before(s.detach()) for s in lstm(self.params, tokens)]

        def judge(t: int, rest: Tensor) -> Tensor:
            start = repeated((before[0][t], before[1][t]), rest.shape[1])
            h = read(self.params, rest.flatten(0, 1), start)
            return self.measure(head(self.params, h)).unflatten(0, rest.shape[:2])

        return judge
