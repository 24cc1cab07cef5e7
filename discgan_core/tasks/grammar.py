"""REGAN's grammar (section 4.1): x and operators in turn, beginning with x, e.g. x+x-x for T = 5.

The goodness score (section 4.2) slides a window of three over the string and counts the windows that
read operator-x-operator or x-operator-x: at most T - 2. Strings that begin with an operator can score in
full although the data have none; `valid_fraction` counts the strings of the language itself.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core.exact import enumerable
from discgan_core.sequences import all_sequences
from discgan_core.tasks import Task

SYMBOLS = ("x", "+", "-", "*", "/")
X = 0


def grammar(length: int) -> Task:
    """Make the language of one length; every operator is equally likely in every place.

    Args:
        length: T, at least 3 (the goodness score needs a window).
    """
    return language("grammar", length, SYMBOLS)


def language(name: str, length: int, symbols: tuple[str, ...]) -> Task:
    """Make the task of this name whose symbols are x and any number of operators."""
    if length < 3:
        raise ValueError(f"task {name}: length is {length}; the goodness score needs at least 3")
    return Task(
        symbols,
        length,
        lambda n, rng: sample(n, length, rng, len(symbols)),
        quality,
        lambda tokens: text(tokens, symbols),
        lambda: enumerated(length, len(symbols), name),
        lambda tokens: tokens.new_full((len(tokens),), length),
    )


def sample(n: int, length: int, generator: Generator, vocabulary: int = len(SYMBOLS)) -> Tensor:
    """Draw n sequences of the language: [n, T]."""
    tokens = generator.integers(1, vocabulary, size=(n, length))
    tokens[:, ::2] = X
    return torch.from_numpy(tokens.astype(np.int64))


def goodness(tokens: Tensor) -> Tensor:
    """Count the windows of three in which x and operators alternate: [n, T] -> [n], at most T - 2."""
    is_x = tokens == X
    changes = is_x[:, 1:] != is_x[:, :-1]
    return (changes[:, 1:] & changes[:, :-1]).sum(1)


def quality(tokens: Tensor) -> dict[str, Tensor]:
    """Judge sequences [n, T]: metric name -> [n]."""
    score, best = goodness(tokens).to(torch.float64), tokens.shape[1] - 2
    perfect = score == best
    return {
        "goodness": score,
        "goodness_fraction": score / best,
        "perfect_fraction": perfect.to(score.dtype),
        "valid_fraction": (perfect & (tokens[:, 0] == X)).to(score.dtype),
    }


def text(tokens: Tensor, symbols: tuple[str, ...] = SYMBOLS) -> str:
    """Write one sequence [T] as a string."""
    return "".join(symbols[token] for token in tokens.tolist())


def enumerated(length: int, vocabulary: int = len(SYMBOLS), name: str = "grammar") -> Tensor:
    """Give log p of all V^T sequences in the order of `all_sequences`.

    Raises:
        ValueError: there are too many.
    """
    if not enumerable(length, vocabulary):
        raise ValueError(f"task {name}: the sequences of length {length} are too many to list")
    valid = quality(all_sequences(length, vocabulary))["valid_fraction"]
    return torch.log(valid / valid.sum())
