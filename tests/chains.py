"""Chains and automata of a few numbers, and what enumeration says of their expectation."""

import numpy as np
import torch
from torch.func import grad

from discgan_core import exact
from discgan_core.automata import Automaton, expected
from discgan_core.models.chain import ChainPolicy, init_chain
from discgan_core.tasks.chain import REWARDS

KINDS = [*REWARDS, "random"]


def theta(vocabulary, seed=0):
    return {name: v.double() for name, v in init_chain(vocabulary, np.random.default_rng(seed)).items()}


def valid_often(params):
    """Make what belongs to the language, x and operators in turn, likely."""
    params = {name: value.clone() for name, value in params.items()}
    params["first"][0] += 5
    params["table"][1:, 0] += 5
    params["table"][0, 1:] += 5
    return params


def made(kind, length, vocabulary):
    """One of the known rewards, or an automaton of random moves, gains and ends."""
    if kind != "random":
        return REWARDS[kind](length, vocabulary).to(torch.float64)
    rng, states = np.random.default_rng([length, vocabulary]), 4
    moves = torch.from_numpy(rng.integers(states, size=(states, vocabulary)))
    gains, ends = (torch.from_numpy(rng.normal(size=shape)) for shape in (moves.shape, states))
    return Automaton(moves, gains, ends, torch.float64)


def by_recursion(params, length, automaton):
    return expected(*ChainPolicy(params, length).first_order(), length, automaton)


def by_enumeration(params, length, automaton):
    return exact.expected_reward(ChainPolicy(params, length), automaton)


def gaps(found, params, length, automaton):
    """How far (theta, T, automaton) -> J is from enumeration in value, and its gradient in any number."""
    mine, others = (
        (j(params, length, automaton), grad(j)(params, length, automaton)) for j in (found, by_enumeration)
    )
    slopes = [(mine[1][name] - others[1][name]).abs().max().item() for name in params]
    return abs(mine[0] - others[0]).item(), max(slopes)
