"""SeqGAN's synthetic task (Yu, Zhang, Wang and Yu, 2017, section 4): the language of a random LSTM.

    s ~ p_oracle,      oracle NLL of s = -1/T sum_t log p_oracle(s_t | s_<t)   (nats per token)

p_oracle is an `LSTMPolicy` with `hidden` units and an embedding of as many features, whose weights are all
N(0, 1): embedding [V, H], input and recurrent weights [4H, H], one bias vector of the gates i, f, o, g [4H],
output weights [V, H] and bias [V], drawn in this order, row by row, from `numpy.random.PCG64(seed)` in double
precision and rounded to single. The LSTM reads nothing, the zero vector, before the first token, where
SeqGAN's code reads the embedding of token 0. SeqGAN's own weights are another draw, published as a file.

A generated sequence is judged by its oracle NLL, which says nothing of variety: a generator that writes
one likely sequence only has less than the oracle's own samples. What shows that is the NLL of the oracle's
samples under the generator.
"""

from __future__ import annotations

import torch
from numpy.random import PCG64, Generator
from torch import Tensor

from discgan_core.exact import enumerable
from discgan_core.interface import Params
from discgan_core.models.generator import LSTMPolicy
from discgan_core.models.lstm import EMBEDDING
from discgan_core.sequences import all_sequences
from discgan_core.tasks import Task

SEED = 2017
PART = 64
"""Sequences judged or written at once."""


def oracle(length: int, vocabulary: int = 5000, hidden: int = 32, seed: int = SEED) -> Task:
    """Make the language of an oracle.

    Args:
        length: T, at least 1.
        vocabulary: V.
        hidden: H.
        seed: of the oracle's weights.
    """
    if length < 1:
        raise ValueError(f"task oracle: length is {length}; a sequence has at least 1 token")
    policy = LSTMPolicy(weights(vocabulary, hidden, seed), length)
    return Task(
        tuple(str(token) for token in range(vocabulary)),
        length,
        lambda n, rng: sample(policy, n, rng),
        lambda tokens: {"oracle_nll": nll(policy, tokens)},
        text,
        lambda: enumerated(policy),
        lambda tokens: tokens.new_full((len(tokens),), length),
    )


def weights(vocabulary: int, hidden: int, seed: int = SEED) -> Params:
    """Draw the oracle's parameters, in the order and from the stream that the module names."""
    shapes = {
        EMBEDDING: (vocabulary, hidden),
        "lstm.input": (4 * hidden, hidden),
        "lstm.recurrent": (4 * hidden, hidden),
        "lstm.bias": (4 * hidden,),
        "out.weight": (vocabulary, hidden),
        "out.bias": (vocabulary,),
    }
    stream = Generator(PCG64(seed))
    return {name: torch.from_numpy(stream.standard_normal(shape)).float() for name, shape in shapes.items()}


def sample(policy: LSTMPolicy, n: int, generator: Generator) -> Tensor:
    """Draw n sequences: [n, T]."""
    uniforms = torch.from_numpy(generator.random((n, policy.length))).float()
    return torch.cat([policy.sample(part) for part in uniforms.split(PART)])


def nll(policy: LSTMPolicy, tokens: Tensor) -> Tensor:
    """Give the oracle NLL of each of tokens [n, T], in nats per token: [n]."""
    here = policy.at({name: value.to(tokens.device) for name, value in policy.params.items()})
    parts = [here.log_likelihood(part).double().mean(1) for part in tokens.split(PART)]
    return -torch.cat(parts)


def text(tokens: Tensor) -> str:
    """Write one sequence [T] as its tokens' numbers."""
    return " ".join(str(token) for token in tokens.tolist())


def enumerated(policy: LSTMPolicy) -> Tensor:
    """Give log p of all V^T sequences in the order of `all_sequences`.

    Raises:
        ValueError: there are too many.
    """
    if not enumerable(policy.length, policy.vocabulary):
        raise ValueError(f"task oracle: the sequences of length {policy.length} are too many to list")
    return -policy.length * nll(policy, all_sequences(policy.length, policy.vocabulary))
