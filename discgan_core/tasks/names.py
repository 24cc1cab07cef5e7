"""Names letter by letter (Likelihood GAN, section 4): any list of words, ended and padded, "anna......".

The tokens are the letters that occur in the words, and one end mark that is also the padding: a name of
k letters is those and then T - k end marks, at least one. So T = 10 holds the names of at most nine
letters that the paper took. Generated sequences have the same T tokens, as in every task here: the
paper's code pads real names to 15 letters and generated ones to 10, which a discriminator can tell apart
by their lengths alone.

`real_fraction` asks whether a name is in the list. A generator that repeats the list scores in full, so
`split` holds some names out; `held_out_fraction` counts those: real names that it has never seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core.exact import enumerable
from discgan_core.tasks import Task

END = "."
HOLD_OUT_SEED = 0


def names(length: int, words: Sequence[str] = (), held_out: Sequence[str] = ()) -> Task:
    """Make the language of a list of words, each as likely as often it is listed.

    Args:
        length: T, at least one more than the longest word has letters.
        words: in the case that is to be learnt; "." stands for the end.
        held_out: real words that `sample` must never give, as `split` makes them.
    """
    check(length, words)
    symbols = (*sorted(set("".join([*words, *held_out]))), END)
    data, unseen = (encode(listed, symbols, length) for listed in (words, held_out))
    lists = {"real_fraction": set(keys(data)), "held_out_fraction": set(keys(unseen))}
    end = len(symbols) - 1
    return Task(
        symbols,
        length,
        lambda n, rng: pick(data, n, rng),
        lambda tokens: quality(tokens, end, {name: listed for name, listed in lists.items() if listed}),
        lambda tokens: "".join(symbols[token] for token in tokens.tolist()).rstrip(END),
        lambda: enumerated(data, len(symbols)),
        lambda tokens: lengths(tokens, end),
        (lambda n, rng: pick(unseen, n, rng)) if held_out else None,
        end,
    )


def pick(data: Tensor, n: int, generator: Generator) -> Tensor:
    """Draw n rows of data [m, T] with replacement."""
    return data[torch.from_numpy(generator.integers(len(data), size=n))]


def check(length: int, words: Sequence[str]) -> None:
    """Refuse what is no list of words that fit.

    Raises:
        ValueError: there are none, or one is empty, too long, or has the end mark in it.
    """
    if not words:
        raise ValueError("task names: give it words, as in make('names', 10, words=['anna', 'otto'])")
    for number, word in enumerate(words, 1):
        if not word:
            raise ValueError(f"task names: word {number} is empty")
        if len(word) >= length:
            room = f"length {length} has room for {max(length - 1, 0)} and the end mark"
            raise ValueError(f"task names: {word!r} has {len(word)} letters; {room}")
        if END in word:
            raise ValueError(f"task names: {word!r} has {END!r} in it, which is the end mark")


def encode(words: Sequence[str], symbols: Sequence[str], length: int) -> Tensor:
    """Turn words into padded tokens: [n, T]."""
    token = {symbol: index for index, symbol in enumerate(symbols)}
    rows = [[token[letter] for letter in word.ljust(length, END)] for word in words]
    return torch.tensor(rows, dtype=torch.long).reshape(-1, length)


def keys(tokens: Tensor) -> list[bytes]:
    """Turn sequences [n, T] into what a set can hold."""
    return [row.tobytes() for row in tokens.to("cpu", torch.int64).numpy()]


def ended(tokens: Tensor, end: int) -> Tensor:
    """Tell which tokens are the first end mark or stand behind it: [n, T] -> [n, T]."""
    return (tokens == end).cumsum(1) > 0


def lengths(tokens: Tensor, end: int) -> Tensor:
    """Count the letters before the first end mark: [n, T] -> [n], T where there is none."""
    return (~ended(tokens, end)).sum(1)


def valid(tokens: Tensor, end: int) -> Tensor:
    """Tell which sequences are letters, at least one, and then end marks, at least one: [n, T] -> [n]."""
    size = lengths(tokens, end)
    return ((tokens == end) == ended(tokens, end)).all(1) & (size > 0) & (size < tokens.shape[1])


def quality(tokens: Tensor, end: int, lists: dict[str, set[bytes]]) -> dict[str, Tensor]:
    """Judge sequences [n, T], by being well formed and by being in each of the lists: metric -> [n]."""
    found = {"valid_fraction": valid(tokens, end).to(torch.float64)}
    rows = keys(tokens)
    for name, listed in lists.items():
        among = torch.tensor([row in listed for row in rows], dtype=torch.float64)
        found[name] = among.to(tokens.device)
    return found


def enumerated(data: Tensor, vocabulary: int) -> Tensor:
    """Give log p of all V^T sequences, in the order of `all_sequences`, for the listed ones [n, T].

    Raises:
        ValueError: there are too many.
    """
    length = data.shape[1]
    if not enumerable(length, vocabulary):
        raise ValueError(f"task names: the sequences of length {length} are too many to list")
    place = vocabulary ** torch.arange(length - 1, -1, -1)
    return torch.log((data * place).sum(1).bincount(minlength=vocabulary**length).double() / len(data))


def split(
    words: Sequence[str], seed: int | Generator = HOLD_OUT_SEED, fraction: float = 0.1
) -> tuple[list[str], list[str]]:
    """Hold names out by lot: the training words and the held-out ones, in the order of the list.

    Which are drawn depends on the set of the words and the seed, not on their order; a word that is
    listed twice is on one side both times.

    Args:
        words: a list for `names`.
        seed: of the lot, or a generator to draw it with.
        fraction: of the distinct words; one at least is held out.

    Raises:
        ValueError: none would be left to learn from.
    """
    distinct = sorted(set(words))
    count = max(1, round(fraction * len(distinct)))
    if count >= len(distinct):
        raise ValueError(f"task names: of {len(distinct)} names, {count} held out leaves none to learn from")
    lot = np.random.default_rng(seed).permutation(len(distinct))[:count]
    held_out = {distinct[index] for index in lot}
    return [w for w in words if w not in held_out], [w for w in words if w in held_out]
