"""A reward that stands still: only the generator learns, and J, what it climbs, is known.

What the generator is follows from the task: an LSTM in `grammar`, a first-order chain in `chain`. What it
climbs has a name:

* `d20`, `d79`, `d300`, ..: a discriminator trained for so many batches against the pre-trained LSTM;
* `goodness`, `valid`, `even`, `match`: what a finite automaton computes (`discgan_core.tasks.chain`).

J is exact for a chain under an automaton, at any length, and where all sequences can be gone through in a
second; else it is the mean over many samples, of the same noise at every moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from numpy.random import Generator
from torch import Tensor
from torch.func import vmap

from bench.errors import UserError
from bench.sessions.pretrained import pretrained
from discgan_core import exact, tasks
from discgan_core.game import REGAN, Game
from discgan_core.interface import Noise, Params
from discgan_core.models.chain import ChainPolicy, init_chain
from discgan_core.models.discriminator import DiscriminatorReward
from discgan_core.randomness import Streams
from discgan_core.rewards import of_tokens
from discgan_core.tasks import Task
from discgan_core.tasks.chain import REWARDS
from discgan_core.training import Players, Schedule

CHAIN = "chain"
TASKS = ("grammar", CHAIN)
VALUES = "values"
"""The name of a held discriminator's judgements of all sequences, beside its parameters."""
MOST = 10_000
"""Batches of a discriminator."""
PEAKED = 3.0
"""Standard deviation of a chain's first logits: it is sure of most of its tokens, as a pre-trained one is."""
WITHIN = 1.0
"""Seconds in which a gradient that is called exact can be had."""


class Held(DiscriminatorReward):
    """A discriminator that learns no more, with its judgement of every sequence at hand for the exact J."""

    def of_all(self, length: int, start: Sequence[int]) -> Tensor:
        """Look up what was judged before."""
        vocabulary, place = self.params["lstm.input"].shape[-1], 0
        for token in start:
            place = place * vocabulary + token
        size = vocabulary ** (length - len(start))
        return self.params[VALUES][place * size : (place + 1) * size]


def batches(reward: str) -> int:
    """Count the batches that a reward's discriminator is trained for; none if no discriminator is one."""
    found = re.fullmatch(r"d(\d+)", reward)
    return int(found[1]) if found else 0


def require(task: str, reward: str, length: int) -> None:
    """Refuse a task, a reward or a length that there is not."""
    if task not in TASKS:
        raise UserError(f"experiment frozen: no task {task!r} there; there are {', '.join(TASKS)}")
    if reward not in REWARDS and (task == CHAIN or not batches(reward)):
        known = [*REWARDS, *([] if task == CHAIN else ["d20, d79 or another number of batches"])]
        raise UserError(f"experiment frozen: no reward {reward!r} for {task}; there are {', '.join(known)}")
    if batches(reward) > MOST:
        raise UserError(f"experiment frozen: {reward} is of more than {MOST:,} batches")
    try:
        tasks.make(task, length)
    except ValueError as error:
        raise UserError(f"experiment frozen: {error}") from None


def chain(theta: Params, length: int, noise: Noise) -> ChainPolicy:
    """Make the first-order policy."""
    return ChainPolicy(theta, length)


def init(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw a chain's logits."""
    return init_chain(vocabulary, generator, PEAKED)


@lru_cache
def game(task: str, reward: str, length: int, vocabulary: int) -> Game:
    """Give the rules: who the generator is, and what it climbs."""
    rules = REGAN._replace(policy=chain, init=init) if task == CHAIN else REGAN
    if batches(reward):
        return rules._replace(reward=lambda phi, noise: Held(phi))
    known = REWARDS[reward](length, vocabulary)
    return rules._replace(reward=lambda phi, noise: known)


def known(task: str, length: int, vocabulary: int) -> bool:
    """Tell whether J is exact."""
    return task == CHAIN or exact.seconds(length, vocabulary) <= WITHIN


class Objective:
    """J of a stack of sessions.

    Args:
        name: of the task.
        reward: what is climbed.
        task: the language.
        samples: from which J is estimated where it is not known.
        streams: of the measurement.
    """

    def __init__(self, name: str, reward: str, task: Task, samples: int, streams: Streams) -> None:
        self.task, self.game = task, game(name, reward, task.length, task.vocabulary)
        self.known = known(name, task.length, task.vocabulary)
        self.noise = {} if self.known else streams.noise({"tokens": (task.length,)}, samples, "objective")

    def __call__(self, players: Players) -> Tensor:
        """Give J of every session."""
        return vmap(self.one)(players.generator, players.discriminator, self.noise)

    def one(self, theta: Params, phi: Params, noise: Noise) -> Tensor:
        """Give J of one session."""
        policy, reward = self.game.policy(theta, self.task.length, noise), self.game.reward(phi, noise)
        if self.known:
            return exact.expected_reward(policy, reward)
        tokens = policy.sample(noise["tokens"])
        return of_tokens(reward, tokens, noise["tokens"].new_empty(0, self.task.vocabulary)).mean()


class Start(NamedTuple):
    """Where all that climb one reward begin.

    Attributes:
        players: what is held being held.
        data: the training sets.
        objective: J of players.
        value: J here.
    """

    players: Players
    data: Tensor
    objective: Objective
    value: Tensor


@lru_cache(maxsize=4)
def begin(
    name: str, reward: str, length: int, schedule: Schedule, stack: tuple[int, ...], device: str, samples: int
) -> Start:
    """Prepare the sessions of one reward, once for all that climb it.

    Args:
        name: of the task.
        reward: what is climbed.
        length: T.
        schedule: of the preparation.
        stack: the sessions.
        device: where.
        samples: from which J is estimated where it is not known.
    """
    task = tasks.make(name, length)
    rules = game(name, reward, length, task.vocabulary)
    players, data = pretrained(name, length, schedule, stack, device, rules if name == CHAIN else REGAN)
    if batches(reward) and known(name, length, task.vocabulary):
        values = vmap(lambda phi: judged(phi, task))(players.discriminator)
        players = players._replace(discriminator={**players.discriminator, VALUES: values})
    streams = Streams(f"frozen/{name}/{length}/J", stack, device)
    objective = Objective(name, reward, task, samples, streams)
    return Start(players, data, objective, objective(players))


def judged(phi: Params, task: Task) -> Tensor:
    """Judge all sequences, piece by piece: [V^T]."""
    starts = exact.beginnings(task.length, task.vocabulary)
    return torch.cat([DiscriminatorReward(phi).of_all(task.length, start) for start in starts])
