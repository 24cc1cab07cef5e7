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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import pandas as pd
import torch
from numpy.random import Generator
from torch import Tensor
from torch.func import vmap

from bench.errors import UserError
from bench.sessions import controls
from bench.sessions.adversarial import Clock, filled, frame, outcome
from bench.sessions.measure import Row
from bench.sessions.pretrained import pretrained
from bench.sessions.settings import nearest
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import exact, tasks, training
from discgan_core.game import REGAN, Game, null
from discgan_core.interface import Estimator, Noise, Params
from discgan_core.meter import Calls
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
WITHIN = 1.0
"""Seconds in which a gradient that is called exact can be had."""
TIMED = ("sampling", "generator")
"""The phases that make up an update."""


class Optimiser(NamedTuple):
    """One of `discgan_core.optim.OPTIMISERS`, and Adam's epsilon."""

    name: str
    epsilon: float = 1e-8


OPTIMISERS = {"": Optimiser("adam"), "epsilon_1e-4": Optimiser("adam", 1e-4), "sgd": Optimiser("sgd")}
"""By the variant's name; the first is everybody's."""


class Problem(NamedTuple):
    """What is climbed and how, as a setting's name says it: `d79 sgd rate=4`."""

    reward: str
    variant: str
    rate: float

    def __str__(self) -> str:
        """Write the name."""
        return " ".join(filter(None, (self.reward, self.variant, f"rate={self.rate:g}")))


def problem_of(setting: str) -> Problem:
    """Read a setting's name."""
    reward, *variant, rate = setting.split()
    return Problem(reward, " ".join(variant), float(rate.partition("=")[2]))


@dataclass(frozen=True)
class Climb:
    """How everything is prepared, trained and measured.

    Attributes:
        moments: updates after which J is measured; the last is the end.
        batch: real sequences of an update, for estimators that learn from data.
        generated: generated sequences of an update.
        momentum: b1 of Adam.
        samples: from which J is estimated where it is not known.
        prepared: sequences in a batch of pre-training, and of each kind in a batch of the discriminator.
        hidden: units of both LSTMs.
        training_set: real sequences that a session trains on.
        pretraining: for each length, epochs of maximum likelihood and Adam's rate in them.
        discriminator_rate: Adam's, before the discriminator is held.
    """

    moments: tuple[int, ...] = (0, 1, 2, 4, 8)
    batch: int = 32
    generated: int = 32
    momentum: float = 0.5
    samples: int = 256
    prepared: int = 64
    hidden: int = 32
    training_set: int = 5000
    pretraining: tuple[tuple[int, int, float], ...] = ((3, 1, 0.0037), (15, 3, 0.00078))
    discriminator_rate: float = 0.005

    def preparation(self, task: str, reward: str, length: int) -> Schedule:
        """Make the schedule of what comes before; a chain is not pre-trained."""
        _, epochs, rate = (length, 0, 0.0) if task == CHAIN else nearest(self.pretraining, length)
        return Schedule(
            updates=0,
            discriminator_steps=0,
            generator_steps=0,
            generator_rate=0.0,
            discriminator_rate=self.discriminator_rate,
            pretraining_epochs=epochs,
            pretraining_rate=rate,
            warmup=batches(reward),
            momentum=self.momentum,
            batch=self.prepared,
            generated=self.prepared,
            hidden=self.hidden,
            training_set=self.training_set,
        )

    def ascent(self, start: Schedule, problem: Problem) -> Schedule:
        """Make the schedule of the climb."""
        optimiser, epsilon = OPTIMISERS.get(problem.variant, OPTIMISERS[""])
        return replace(
            start,
            updates=max(self.moments),
            generator_steps=1,
            generator_rate=problem.rate,
            batch=self.batch,
            generated=self.generated,
            optimiser=optimiser,
            epsilon=epsilon,
        )


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


def require(task: str, reward: str, variant: str = "") -> None:
    """Refuse a task, a reward or a variant that there is not."""
    if task not in TASKS:
        raise UserError(f"experiment frozen: no task {task!r} there; there are {', '.join(TASKS)}")
    if reward not in REWARDS and (task == CHAIN or not batches(reward)):
        known = [*REWARDS, *([] if task == CHAIN else ["d20, d79 or another number of batches"])]
        raise UserError(f"experiment frozen: no reward {reward!r} for {task}; there are {', '.join(known)}")
    if variant not in OPTIMISERS and variant != controls.NULL:
        known = [name for name in OPTIMISERS if name]
        raise UserError(f"experiment frozen: no variant {variant!r}; there are {', '.join(known)}")


def chain(theta: Params, length: int, noise: Noise) -> ChainPolicy:
    """Make the first-order policy."""
    return ChainPolicy(theta, length)


def init(vocabulary: int, hidden: int, generator: Generator) -> Params:
    """Draw a chain's logits."""
    return init_chain(vocabulary, generator)


@lru_cache
def game(task: str, reward: str, length: int, vocabulary: int) -> Game:
    """Give the rules: who the generator is, and what it climbs."""
    rules = REGAN._replace(policy=chain, init=init) if task == CHAIN else REGAN
    if batches(reward):
        return rules._replace(reward=lambda phi, noise: Held(phi))
    known = REWARDS[reward](length, vocabulary)
    return rules._replace(reward=lambda phi, noise: known)


def known(task: str, reward: str, length: int, vocabulary: int) -> bool:
    """Tell whether J is exact."""
    if task == CHAIN:
        return True
    return exact.seconds(length, vocabulary) <= WITHIN


def begin(
    name: str, reward: str, task: Task, start: Schedule, stack: tuple[int, ...], device: str
) -> tuple[Players, Tensor]:
    """Give the players at the beginning, what is held being held, and the training sets."""
    rules = game(name, reward, task.length, task.vocabulary)
    if not batches(reward):
        return pretrained(name, task.length, start, stack, device, rules if name == CHAIN else REGAN)
    players, data = pretrained(name, task.length, start, stack, device)
    if known(name, reward, task.length, task.vocabulary):
        values = vmap(lambda phi: judged(phi, task))(players.discriminator)
        players = players._replace(discriminator={**players.discriminator, VALUES: values})
    return players, data


def judged(phi: Params, task: Task) -> Tensor:
    """Judge all sequences, piece by piece: [V^T]."""
    starts = exact.beginnings(task.length, task.vocabulary)
    return torch.cat([DiscriminatorReward(phi).of_all(task.length, start) for start in starts])


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
        self.known = known(name, reward, task.length, task.vocabulary)
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


def run(
    climb: Climb, condition: Condition, sessions: Sequence[int], device: str, estimator: Estimator
) -> Outcome:
    """Train some sessions under a reward that stands still, and measure J on the way."""
    name, problem, stack = condition.task, problem_of(condition.setting), filled(sessions, climb.batch)
    task, study = tasks.make(name, condition.length), f"frozen/{name}/{condition.length}"
    before = climb.preparation(name, problem.reward, task.length)
    start, data = begin(name, problem.reward, task, before, stack, device)
    schedule, rules = climb.ascent(before, problem), game(name, problem.reward, task.length, task.vocabulary)
    own = rules._replace(reward=null) if problem.variant == controls.NULL else rules
    clock, streams = Clock(), Streams(study, stack, device)
    objective = Objective(name, problem.reward, task, climb.samples, Streams(f"{study}/J", stack, device))
    frames = []
    loop = training.adversarial(start, data, task, estimator, schedule, streams, own, clock.phase)
    for step, players in enumerate(loop):
        if step == 0:
            calls = training.calls_per_update(players, task, estimator, schedule, own)
        if step in climb.moments:
            rows = [Row(schema.OBJECTIVE, "", objective(players))]
            if step == schedule.updates:
                rows += spent(calls.times(step), clock, rows[0].values)
            frames.append(frame(rows, stack, step))
    table = pd.concat(frames, ignore_index=True)
    return outcome(table[table["session"].isin(sessions)], sessions, schema.OBJECTIVE)


def spent(calls: Calls, clock: Clock, like: Tensor) -> Iterator[Row]:
    """Give what all updates of a session have cost."""
    seconds = sum(clock.seconds.get(phase, 0.0) for phase in TIMED)
    yield Row(schema.GENERATOR_CALLS, "", torch.full_like(like, calls.generator))
    yield Row(schema.DISCRIMINATOR_CALLS, "", torch.full_like(like, calls.discriminator))
    yield Row(schema.SECONDS, "update", torch.full_like(like, seconds / len(like)))
