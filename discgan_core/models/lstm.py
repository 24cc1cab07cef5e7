"""The LSTM: the one piece of network code written by hand, because everything waits for it.

`nn.LSTM` can be neither vmapped over sessions nor differentiated twice on every device. Here a whole
sequence is one differentiable primitive with batching rules of its own:

* vmapped with its weights (sessions), it becomes one stacked matrix multiply per step;
* vmapped without them (draws, samples), the new axis joins the batch, and only the weights' gradient
  is taken apart again, so per-draw gradients cost about as much as one gradient.

The recurrence and its batching rules are in `recurrence.py`, its equations in `step.py`, what needs no
gradient in `forward.py`. Wherever an input is taken, tokens [N, T] may stand for their unit vectors
[N, T, V], and with `embedding` [V, inputs] among the parameters both are looked up there first.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from numpy.random import Generator
from torch import Tensor

from discgan_core.interface import Params
from discgan_core.models.forward import Generate, Read
from discgan_core.models.recurrence import Unroll

EMBEDDING = "embedding"
"""The name of a table of tokens' vectors among the parameters, [V, inputs]; without one, unit vectors."""

Start = tuple[Tensor, Tensor]
"""Hidden and cell state before the first token, [H, N] both."""


def init_lstm(inputs: int, hidden: int, generator: Generator) -> Params:
    """Draw uniform weights in +-1/sqrt(hidden), as `nn.LSTM` does, with one bias vector per gate.

    Args:
        inputs: features of one token's input.
        hidden: units.
        generator: the session's stream for this model.

    Returns:
        `lstm.input` [4H, inputs], `lstm.recurrent` [4H, H], `lstm.bias` [4H]; gates in order i, f, o, g.
    """
    shapes = {
        "input": (4 * hidden, inputs),
        "recurrent": (4 * hidden, hidden),
        "bias": (4 * hidden,),
    }
    return {f"lstm.{name}": uniform(shape, hidden, generator) for name, shape in shapes.items()}


def uniform(shape: tuple[int, ...], fan_in: int, generator: Generator) -> Tensor:
    """Draw U(-1/sqrt(fan_in), 1/sqrt(fan_in)) of the given shape from the generator's stream."""
    return torch.from_numpy(generator.uniform(-1, 1, shape) / fan_in**0.5).to(torch.get_default_dtype())


def init_embedding(vocabulary: int, inputs: int, generator: Generator) -> Tensor:
    """Draw a table of tokens' vectors, [V, inputs], as widely spread as an LSTM's weights."""
    return uniform((vocabulary, inputs), inputs, generator)


def joint_weight(params: Params) -> Tensor:
    """Stack recurrent, input and bias weights side by side: [4H, H + inputs + 1]."""
    recurrent, inputs, bias = (params[f"lstm.{name}"] for name in ("recurrent", "input", "bias"))
    return torch.cat([recurrent, inputs, bias[:, None]], 1)


def zeros(params: Params, batch: int) -> Start:
    """Give the zero state to start from."""
    none = params["lstm.bias"].new_zeros(len(params["lstm.bias"]) // 4, batch)
    return none, none


def embedded(params: Params, x: Tensor) -> Tensor:
    """Look tokens [N, ...] or vectors [N, ..., V] up, if there is a table; a token of -1 is the zero vector.

    Args:
        params: of the model.
        x: tokens or vectors.

    Returns:
        what the LSTM reads: [N, ..., inputs], or tokens as they are.
    """
    if EMBEDDING not in params:
        return x
    if x.is_floating_point():
        return x @ params[EMBEDDING]
    return torch.where(x[..., None] < 0, 0.0, params[EMBEDDING][x.clamp(min=0)])


def features_first(x: Tensor, tokens_are: int) -> Tensor:
    """Lay tokens out as [..., 1, N], vectors as [..., inputs, N]; `tokens_are` is the ndim of tokens."""
    return x.movedim(0, -1) if x.ndim > tokens_are else x.movedim(0, -1)[..., None, :]


def zeros_before(states: Float[Tensor, "T H N"]) -> Float[Tensor, "T H N"]:
    """Turn the states after each token into those before it, zero before the first."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])


def repeated(start: Start, times: int) -> Start:
    """Repeat every sample's state, [H, N] -> [H, N * times], copies side by side."""
    h, c = (s.repeat_interleave(times, 1) for s in start)
    return h, c


def lstm(
    params: Params, x: Float[Tensor, "N T inputs"] | Int[Tensor, "N T"], start: Start | None = None
) -> tuple[Float[Tensor, "T H N"], Float[Tensor, "T H N"]]:
    """Run over whole sequences.

    Args:
        params: as `init_lstm` makes them, and an embedding if there is one.
        x: tokens [N, T], or vectors [N, T, V].
        start: hidden and cell state before the first token, [H, N] both; zero unless given.

    Returns:
        hidden and cell states after each token, [T, H, N] both.
    """
    inputs = features_first(embedded(params, x), 2)
    return unroll(inputs, joint_weight(params), *(start or zeros(params, len(x))))


def read(
    params: Params, x: Float[Tensor, "N T inputs"] | Int[Tensor, "N T"], start: Start
) -> Float[Tensor, "H N"]:
    """Run from a given state to the end and give the last hidden state [H, N]; no gradient, little memory.

    Args: as `lstm`.
    """
    inputs = features_first(embedded(params, x), 2)
    (h,) = Read.apply(inputs[:, None], joint_weight(params)[None], *(s[None] for s in start))
    return h[0]


def branch(
    params: Params,
    x: Float[Tensor, "K N T inputs"],
    h: Float[Tensor, "T H N"],
    c: Float[Tensor, "T H N"],
) -> Float[Tensor, "K T H N"]:
    """Take one step from every state of a sequence, with several inputs each.

    Args:
        params: as for `lstm`.
        x: vectors [K, N, T, V].
        h: hidden states before them [T, H, N].
        c: cell states before them [T, H, N].

    Returns:
        hidden states after them [K, T, H, N].
    """
    copies, batch, length, _ = x.shape
    before = (s.expand(copies, *s.shape).movedim(2, 0).flatten(1) for s in (h, c))
    inputs = embedded(params, x).permute(3, 0, 2, 1).flatten(1)
    after, _ = unroll(inputs[None], joint_weight(params), *before)
    return after[0].unflatten(1, (copies, length, batch)).movedim(0, 2)


def unroll(x: Tensor, weight: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Run from a given state: x [T, inputs, N], joint weight, h and c [H, N] -> states [T, H, N], cells."""
    states, cells, *_ = Unroll.apply(x[:, None], weight[None], h[None], c[None])
    return states[:, 0], cells[:, 0]


def generate(
    params: Params,
    uniforms: Float[Tensor, "N T"],
    start: Start | None = None,
    first: Int[Tensor, " N"] | None = None,
) -> Int[Tensor, "N T"]:
    """Sample tokens, each fed back as the next input.

    Args:
        params: of the LSTM, and of the output layer, `out.weight` [V, H] and `out.bias` [V].
        uniforms: u [N, T] in (0, 1).
        start: as for `lstm`.
        first: the tokens [N] before the first to be sampled; none, the zero vector, unless given.

    Returns:
        tokens [N, T]; no gradient.
    """
    output = torch.cat([params["out.weight"], params["out.bias"][:, None]], 1)
    h, c = start or zeros(params, len(uniforms))
    first = torch.full_like(uniforms[:, 0], -1, dtype=torch.long) if first is None else first
    table = params.get(EMBEDDING)
    (tokens,) = Generate.apply(
        uniforms.T[:, None, None],
        joint_weight(params)[None],
        output[None],
        h[None],
        c[None],
        features_first(embedded(params, first), 1)[None],
        None if table is None else table[None],
    )
    return tokens[:, 0, 0].T
