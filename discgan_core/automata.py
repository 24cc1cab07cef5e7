"""Rewards that a finite automaton computes, and their exact expectation under a first-order policy.

    f(s) = sum_t g(q_{t-1}, s_t) + e(q_T),   q_t = move(q_{t-1}, s_t),   q_0 = 0

Where vectors x_t stand for tokens, one-hot or relaxed, so does a vector a_t for the state, and f is linear in
each token:

    f(x) = sum_t a_{t-1}' G x_t + a_T' e,   a_t[q'] = sum_{q, v: move(q, v) = q'} a_{t-1}[q] x_t[v]

What the last token earns, its end included, is a_{T-1}' H x_T, with H[q, v] = G[q, v] + e[move(q, v)]: only
states before a token are needed. All takes time in proportion to T.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from discgan_core.checks import of_shape, whole, wide
from discgan_core.interface import Judge


class Automaton:
    """f, as an automaton of Q states computes it; satisfies `discgan_core.interface.Reward`.

    Args:
        moves: the state after token v in state q, [Q, V]; the first state is 0.
        gains: G, what token v earns in state q, [Q, V].
        ends: e, what a sequence or prefix earns that stops in state q, [Q].
        dtype: of what tokens earn, torch's default if none is given; what vectors earn has their type.

    Attributes:
        last: H, [Q, V].
        steps: move(q, v) as a unit vector, [Q, V, Q].

    Raises:
        ValueError: shapes or types do not fit, or a move leads to no state.
    """

    def __init__(
        self,
        moves: Int[Tensor, "Q V"],
        gains: Float[Tensor, "Q V"],
        ends: Float[Tensor, " Q"],
        dtype: torch.dtype | None = None,
    ) -> None:
        if moves.ndim != 2 or not moves.numel() or moves.is_floating_point():
            raise ValueError(f"Automaton: moves are {told(moves)}; they are whole numbers [Q, V]")
        if moves.min() < 0 or moves.max() >= len(moves):
            raise ValueError(
                f"Automaton: moves lead to states {moves.min()} to {moves.max()}, of 0 to {len(moves) - 1}"
            )
        of_shape(gains, moves.shape, "Automaton: gains are {}; with these moves they are {}")
        of_shape(ends, moves.shape[:1], "Automaton: ends are {}; with these moves they are {}")
        self.vocabulary = moves.shape[1]
        self.moves, self.gains, self.ends = moves.long(), gains.double(), ends.double()
        self.last = self.gains + self.ends[self.moves]
        self.steps = (self.moves[..., None] == torch.arange(len(moves), device=moves.device)).double()
        self.dtype = dtype or torch.get_default_dtype()

    def expected(self, first: Tensor, table: Tensor, length: int) -> Tensor:
        """Give E[f(s)] under a first-order policy; arguments as of `expected`."""
        return expected(first, table, length, self)

    def to(self, dtype: torch.dtype) -> Automaton:
        """Give the same automaton with another type of what tokens earn."""
        return Automaton(self.moves, self.gains, self.ends, dtype)

    def __call__(self, x: Float[Tensor, "N t V"]) -> Float[Tensor, " N"]:
        """Judge sequences or prefixes x: f(x)."""
        earned, worth = self.read(x)
        return earned[:, -1] + (worth[:, -1] * x[:, -1]).sum(-1)

    def along(
        self, x: Float[Tensor, "N T V"], relaxed: Float[Tensor, "K N T V"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, "K N T"]]:
        """Judge x and all its prefixes that end in relaxed: [N] and [K, N, T]; x is read once."""
        earned, worth = self.read(x)
        f = earned[:, -1] + (worth[:, -1] * x[:, -1]).sum(-1)
        return f, earned + (worth * relaxed).sum(-1)

    def read(self, x: Float[Tensor, "N T V"]) -> tuple[Float[Tensor, "N T"], Float[Tensor, "N T V"]]:
        """Give what is earned before each token, and a_{t-1}' H, what each token would earn as the last."""
        if x.ndim != 3 or x.shape[1] < 1 or x.shape[2] != self.vocabulary or not x.is_floating_point():
            raise ValueError(
                f"Automaton: x is {told(x)}; it must be real numbers [N, t, {self.vocabulary}], t from 1"
            )
        gains, last, steps = (m.to(x) for m in (self.gains, self.last, self.steps))
        moved = (x @ steps.transpose(0, 1).flatten(1)).unflatten(-1, steps.shape[::2]).unbind(1)
        a = (torch.arange(len(gains), device=x.device) == 0).to(x.dtype).expand(len(x), -1)
        states = [a]
        for move in moved[:-1]:
            a = (a[..., None] * move).sum(1)
            states.append(a)
        before = torch.stack(states, 1)
        each = ((before @ gains) * x).sum(-1)
        return so_far(each), before @ last

    def of_tokens(self, tokens: Int[Tensor, "N t"]) -> Float[Tensor, " N"]:
        """Judge tokens: f of their unit vectors, of this automaton's type; sums are float64."""
        if tokens.ndim != 2 or tokens.shape[1] < 1 or tokens.is_floating_point():
            raise ValueError(f"Automaton: tokens are {told(tokens)}; they are whole numbers [N, t], t from 1")
        return self.total(self.follow(tokens, torch.zeros_like(tokens[:, 0])), tokens).to(self.dtype)

    def after(self, tokens: Int[Tensor, "N T"]) -> Judge:
        """Judge what may follow the prefixes of tokens, which are read once. No gradient."""
        states = self.follow(tokens, torch.zeros_like(tokens[:, 0]))
        earned = so_far(self.at(self.gains, states, tokens))

        def judge(t: int, rest: Tensor) -> Tensor:
            choices = rest.shape[1]
            start, more = states[:, t, None].expand(-1, choices).flatten(), rest.flatten(0, 1)
            found = self.total(self.follow(more, start), more).unflatten(0, (-1, choices))
            return (earned[:, t, None] + found).to(self.dtype)

        return judge

    def follow(self, tokens: Int[Tensor, "N t"], start: Int[Tensor, " N"]) -> Int[Tensor, "N t"]:
        """Give the state before each token, from given first ones on."""
        moves, state, states = self.moves.to(tokens.device).flatten(), start, [start]
        for token in tokens[:, :-1].unbind(1):
            state = moves[state * self.vocabulary + token]
            states.append(state)
        return torch.stack(states, 1)

    def total(self, states: Int[Tensor, "N t"], tokens: Int[Tensor, "N t"]) -> Float[Tensor, " N"]:
        """Add up what tokens earn in the states before them, the last one's end included."""
        before = self.at(self.gains, states[:, :-1], tokens[:, :-1]).sum(-1)
        return before + self.at(self.last, states[:, -1], tokens[:, -1])

    def at(
        self, values: Float[Tensor, "Q V"], states: Int[Tensor, "*n"], tokens: Int[Tensor, "*n"]
    ) -> Tensor:
        """Pick each token's value in its state: [...]."""
        return values.to(tokens.device).flatten()[states * self.vocabulary + tokens]


def so_far(x: Float[Tensor, "N T"]) -> Float[Tensor, "N T"]:
    """Add up what is before each place."""
    return functional.pad(x[:, :-1].cumsum(-1), (1, 0))


def told(x: Tensor) -> str:
    """Name a tensor's type and shape."""
    return f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"


def expected(
    first: Float[Tensor, " V"], table: Float[Tensor, "V V"], length: int, automaton: Automaton
) -> Float[Tensor, ""]:
    """Give J = E[f(s)] exactly, a differentiable scalar, for s_1 ~ first and s_t ~ table[s_{t-1}].

    beta_t[v, q] = P(s_t = v, q_{t-1} = q) = sum_u p(v | u) alpha_{t-1}[u, q]
    alpha_t[v, q'] = P(s_t = v, q_t = q') = sum_{q: move(q, v) = q'} beta_t[v, q]
    J = sum_{t<T} sum_{v, q} beta_t[v, q] G[q, v] + sum_{v, q} beta_T[v, q] H[q, v]

    It takes O(T (V^2 Q + V Q^2)).

    Args:
        first: log p(s_1).
        table: log p(s_t | s_{t-1}), a row for each token before; -inf where a token is forbidden.
        length: T.
        automaton: f.

    Raises:
        ValueError: sizes do not fit.
    """
    whole("expected", 1, length=length)
    v = automaton.vocabulary
    of_shape(first, [v], "expected: first is {}; for this automaton it must be {}")
    of_shape(table, [v, v], "expected: table is {}; for this automaton it must be {}")
    start, onwards = wide(first).exp(), wide(table).exp().T
    gains, last, steps = (m.to(start) for m in (automaton.gains, automaton.last, automaton.steps))
    steps = steps.transpose(0, 1)
    in_first = (torch.arange(len(gains), device=start.device) == 0).to(start.dtype)
    beta = start[:, None] * in_first
    earlier = torch.zeros_like(beta)
    # no matrix products: their last digits depend on how many sessions are stacked
    for _ in range(length - 1):
        earlier = earlier + beta
        alpha = (beta[..., None] * steps).sum(1)
        beta = (onwards[..., None] * alpha).sum(1)
    return (earlier * gains.T).sum() + (beta * last.T).sum()
