"""The context-free grammar of Kusner and Hernandez-Lobato (2016): strings of unequal length, padded.

    S -> x | S+S | S-S | S*S | S/S        e.g. "x+x-x/x     " for T = 12, the paper's length

The language is x op x op .. x; k leaves x take 2k - 1 characters, so K = floor((T + 1) / 2) leaves at
most. Spaces fill up to T: they are tokens, which a generator has to learn as well.

The paper says neither how productions are weighted nor what becomes of strings above T. Here the
leftmost S is expanded, by each of the five productions with probability 1/5, while one more leaf still
fits; from then on S -> x. Nothing is rejected. Rejection would be the other way, but three derivations
of four never end, and of those that end within 12 characters 80% are the string x alone.

A form with c leaves and o open S ends with c + o leaves at least. That number is 1 at first and each
operator adds 1, while x leaves it as it is; so another leaf fits while c + o < K, and for k < K

    P(k leaves) = C_{k-1} (4/5)^{k-1} (1/5)^k,      C_j = binom(2j, j) / (j + 1),

C_j being the number of binary trees with j inner nodes; the rest has K leaves. For T = 12
(`length_probabilities`):

    characters     1      3      5      7      9     11
    percent    20.00   3.20   1.02   0.41   0.18  75.18
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core.exact import enumerable
from discgan_core.sequences import all_sequences
from discgan_core.tasks import Task

SYMBOLS = ("x", "+", "-", "*", "/", " ")
X = 0
OPERATORS = 4
SPACE = 5


def cfg(length: int) -> Task:
    """Make the language of the strings of at most so many characters.

    Args:
        length: T, at least 1; an even one leaves a space at the end of every string.
    """
    if length < 1:
        raise ValueError(f"task cfg: length is {length}; the shortest string, x, needs 1")
    return Task(
        SYMBOLS,
        length,
        lambda n, rng: sample(n, length, rng),
        quality,
        text,
        lambda: enumerated(length),
        lengths,
    )


def sample(n: int, length: int, generator: Generator) -> Tensor:
    """Draw n padded strings: [n, T]."""
    place = np.arange(length)
    operators = generator.integers(1, 1 + OPERATORS, size=(n, length))
    string = np.where(place % 2 == 0, X, operators)
    inside = place < 2 * leaves(n, (length + 1) // 2, generator)[:, None] - 1
    return torch.from_numpy(np.where(inside, string, SPACE))


def leaves(n: int, most: int, generator: Generator) -> np.ndarray:
    """Draw the number of leaves x in n derivations: [n], at most `most`.

    The number of open S is a walk from 1 that falls by one with probability 1/5 and rises otherwise.
    With k leaves it comes to 0 at step 2k - 1; one that does not in time has been stopped by the limit.
    """
    closes = generator.random((n, 2 * most - 1)) < 1 / (1 + OPERATORS)
    ended = 1 + np.where(closes, -1, 1).cumsum(1) == 0
    return np.where(ended.any(1), ended.argmax(1) // 2 + 1, most)


def length_probabilities(length: int) -> Tensor:
    """Give the probability that a string takes 0, 1, .. T characters before the padding: [T + 1]."""
    most, end = (length + 1) // 2, 1 / (1 + OPERATORS)
    found, chance = torch.zeros(length + 1, dtype=torch.float64), end
    for k in range(1, most):
        found[2 * k - 1] = chance
        chance *= (1 - end) * end * 2 * (2 * k - 1) / (k + 1)  # C_k = C_{k-1} 2 (2k - 1) / (k + 1)
    found[2 * most - 1] = 1 - found.sum()
    return found


def lengths(tokens: Tensor) -> Tensor:
    """Count the characters before the padding: [n, T] -> [n]."""
    place = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    return torch.where(tokens == SPACE, 0, place).amax(1)


def valid(tokens: Tensor) -> Tensor:
    """Tell which strings are x op x op .. x and then spaces only: [n, T] -> [n]."""
    size, place = lengths(tokens), torch.arange(tokens.shape[1], device=tokens.device)
    operator = (tokens != X) & (tokens != SPACE)
    fits = torch.where(place % 2 == 0, tokens == X, operator)
    return (fits | (place >= size[:, None])).all(1) & (size % 2 == 1)


def quality(tokens: Tensor) -> dict[str, Tensor]:
    """Judge padded strings [n, T]: metric name -> [n]."""
    return {"valid_fraction": valid(tokens).to(torch.float64)}


def text(tokens: Tensor) -> str:
    """Write one padded string [T], the spaces at its end kept."""
    return "".join(SYMBOLS[token] for token in tokens.tolist())


def enumerated(length: int) -> Tensor:
    """Give log p of all V^T padded strings in the order of `all_sequences`.

    Raises:
        ValueError: there are too many.
    """
    if not enumerable(length, len(SYMBOLS)):
        raise ValueError(f"task cfg: the strings of length {length} are too many to list")
    tokens = all_sequences(length, len(SYMBOLS))
    size = lengths(tokens)
    each = length_probabilities(length)[size] / OPERATORS ** (size // 2)  # operators are independent
    return torch.log(each * valid(tokens))
