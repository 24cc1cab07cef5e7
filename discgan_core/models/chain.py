"""A first-order policy: every token depends on the one before it alone.

p(s_1) = softmax(first),   p(s_t | s_{t-1}) = softmax(table[s_{t-1}])

The smallest policy with a memory, and one of which expectations are known at any length
(`discgan_core.automata`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from numpy.random import Generator
from torch import Tensor

from discgan_core.checks import wide
from discgan_core.interface import Continue, Params
from discgan_core.policies import log_softmax
from discgan_core.sequences import bounded


def init_chain(vocabulary: int, generator: Generator, spread: float = 1.0) -> Params:
    """Draw normal logits of this standard deviation, `first` [V] and `table` [V, V]."""
    shapes = {"first": (vocabulary,), "table": (vocabulary, vocabulary)}
    return {
        name: torch.from_numpy(spread * generator.normal(size=shape)).to(torch.get_default_dtype())
        for name, shape in shapes.items()
    }


class ChainPolicy:
    """p_theta(s_1..s_T) as a first-order chain; satisfies `discgan_core.interface.Policy`.

    Args:
        params: theta, logits `first` [V] and `table` [V, V], a row for each token before; -inf where a token
            is forbidden.
        length: T.
    """

    def __init__(self, params: Params, length: int) -> None:
        self.params, self.length = params, length
        self.vocabulary = len(params["first"])
        self.device = params["first"].device

    def first_order(self) -> tuple[Float[Tensor, " V"], Float[Tensor, "V V"]]:
        """Give log p(s_1) and log p(s_t | s_{t-1})."""
        return log_softmax(self.params["first"]), log_softmax(self.params["table"])

    def sample(self, uniforms: Float[Tensor, "N T"]) -> Int[Tensor, "N T"]:
        """Turn uniforms into tokens; no gradient."""
        first, table = self.below()
        u = uniforms.to(table.dtype)
        tokens = (first <= u[:, :1]).sum(-1)
        return torch.cat([tokens[:, None], self.onwards(table, tokens, u[:, 1:])], 1)

    def below(self) -> tuple[Tensor, Tensor]:
        """Give P(s <= v) of all tokens but the last, [V - 1] and [V, V - 1]; no gradient.

        Infinite where it is all that there is: no u reaches the tokens behind, which have no probability.
        """
        found = []
        for log_probs in self.first_order():
            sums = log_probs.detach().exp().cumsum(-1)
            found.append(sums[..., :-1].masked_fill(sums[..., :-1] >= sums[..., -1:], torch.inf))
        return found[0], found[1]

    def onwards(
        self, table: Float[Tensor, "V W"], tokens: Int[Tensor, " N"], uniforms: Float[Tensor, "N t"]
    ) -> Int[Tensor, "N t"]:
        """Go on from the tokens before, by what `below` gives."""
        found = []
        for u in uniforms[..., None].unbind(1):
            tokens = (table[tokens] <= u).sum(-1)
            found.append(tokens)
        return torch.stack(found, 1) if found else tokens[:, None][:, :0]

    def logits(self, tokens: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
        """Give the next token's logits after every prefix of tokens."""
        first = self.params["first"].expand(len(tokens), 1, -1)
        return torch.cat([first, self.params["table"][tokens[:, :-1]]], 1)

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Float[Tensor, "N T V"]:
        """Feed x_t = token(t, logits_t) back, with its gradient; logits_t = x_{t-1} table: [N, T, V]."""
        first, table = (bounded(wide(self.params[name])) for name in ("first", "table"))
        logits, sequence = first.expand(batch, -1), list[Tensor]()
        for t in range(self.length):
            sequence.append(token(t, logits))
            # no matrix product: its last digits depend on how many sessions are stacked
            logits = (sequence[-1].to(table.dtype)[..., None] * table).sum(1)
        return torch.stack(sequence, 1)

    def after(self, tokens: Int[Tensor, "N T"]) -> Continue:
        """Go on from the prefixes of tokens; only the token before counts, so that they are not read."""
        table = self.below()[1]

        def go_on(t: int, choices: Tensor, uniforms: Tensor) -> Tensor:
            rest = self.onwards(table, choices.flatten(), uniforms.flatten(0, 1).to(table.dtype))
            return torch.cat([choices[..., None], rest.unflatten(0, choices.shape)], -1)

        return go_on

    def at(self, params: Params) -> ChainPolicy:
        """Give the same policy with other parameters."""
        return ChainPolicy(params, self.length)
