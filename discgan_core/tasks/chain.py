"""REGAN's language with any vocabulary, and rewards whose expectation is known at any length.

As `grammar`: x and operators in turn, beginning with x, but with V - 1 operators. `REWARDS` are finite
automata (`discgan_core.automata`): under a first-order policy the gradient is exact without a list of V^T
sequences.
"""

from __future__ import annotations

import string
from collections.abc import Callable

import torch
from torch import Tensor

from discgan_core.automata import Automaton
from discgan_core.checks import whole
from discgan_core.tasks import Task
from discgan_core.tasks.grammar import SYMBOLS, language

MORE = string.digits + string.ascii_lowercase.replace("x", "") + string.ascii_uppercase
MANY = 0x4E00
"""The first of 20,000 letters of one character, for the symbols after those."""

CYCLE = 4
"""Operators that the hidden string of `match` goes through in turn, at most."""


def chain(length: int, vocabulary: int = len(SYMBOLS)) -> Task:
    """Make the language of one length; every operator is equally likely in every place.

    Args:
        length: T, at least 3 (the goodness score needs a window).
        vocabulary: V, x and V - 1 operators.
    """
    whole("task chain", 2, vocabulary=vocabulary)
    return language("chain", length, symbols(vocabulary))


def symbols(vocabulary: int) -> tuple[str, ...]:
    """Give V symbols of one character: the grammar's, figures and letters."""
    few = (*SYMBOLS, *MORE)
    return (*few[:vocabulary], *(chr(MANY + k) for k in range(vocabulary - len(few))))


def goodness(length: int, vocabulary: int) -> Automaton:
    """Give the fraction of the T - 2 windows of three in which x and operators alternate.

    States: the start, then x or an operator last, after none or some of the other kind right before it.
    """
    if length < 3:
        raise ValueError(f"reward goodness: length is {length}, and must be 3 or more")
    moves = torch.tensor([[1, 2], [1, 4], [3, 2], [1, 4], [3, 2]])
    gains = torch.zeros(5, 2).double()
    gains[3, 1] = gains[4, 0] = 1 / (length - 2)
    return of_kinds(moves, gains, torch.zeros(5), vocabulary)


def valid(length: int, vocabulary: int) -> Automaton:
    """Give 1 to a string of the language. States: x is next, an operator is next, neither helps."""
    moves = torch.tensor([[1, 2], [2, 0], [2, 2]])
    return of_kinds(moves, torch.zeros(3, 2), torch.tensor([1.0, 1.0, 0.0]), vocabulary)


def even(length: int, vocabulary: int) -> Automaton:
    """Give 1 where the count of x is even."""
    moves = torch.tensor([[1, 0], [0, 1]])
    return of_kinds(moves, torch.zeros(2, 2), torch.tensor([1.0, 0.0]), vocabulary)


def match(length: int, vocabulary: int) -> Automaton:
    """Give 1 to one string of the language alone, whose operators come in turn: 1, 2, 3, 4, 1 ..

    States: the places of a turn, and one for what has gone wrong.
    """
    wanted = [token for k in range(min(vocabulary - 1, CYCLE)) for token in (0, k + 1)]
    wrong = len(wanted)
    moves = torch.full((wrong + 1, vocabulary), wrong)
    for place, token in enumerate(wanted):
        moves[place, token] = (place + 1) % wrong
    ends = (torch.arange(wrong + 1) < wrong).double()
    return Automaton(moves, torch.zeros(wrong + 1, vocabulary), ends)


def of_kinds(moves: Tensor, gains: Tensor, ends: Tensor, vocabulary: int) -> Automaton:
    """Make an automaton that only tells x from operators, moves and gains being [Q, 2]."""
    kind = (torch.arange(vocabulary) > 0).long()
    return Automaton(moves[:, kind], gains[:, kind], ends)


REWARDS: dict[str, Callable[[int, int], Automaton]] = {
    "goodness": goodness,
    "valid": valid,
    "even": even,
    "match": match,
}
"""(T, V) -> a reward of sequences and prefixes, in [0, 1]."""
