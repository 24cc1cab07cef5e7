"""Sessions that climb a reward that stands still (`bench.sessions.frozen`): prepared, trained, measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from bench.errors import UserError
from bench.sessions import controls, frozen
from bench.sessions.adversarial import Clock, filled, frame, outcome
from bench.sessions.frozen import CHAIN
from bench.sessions.measure import Row
from bench.sessions.settings import nearest
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import tasks, training
from discgan_core.game import null
from discgan_core.interface import Estimator
from discgan_core.meter import Calls
from discgan_core.randomness import Streams
from discgan_core.training import Schedule

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
            warmup=frozen.batches(reward),
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


def require(variant: str) -> None:
    """Refuse a variant that there is not."""
    if variant not in OPTIMISERS and variant != controls.NULL:
        known = [name for name in OPTIMISERS if name]
        raise UserError(f"experiment frozen: no variant {variant!r}; there are {', '.join(known)}")


def run(
    climb: Climb, condition: Condition, sessions: Sequence[int], device: str, estimator: Estimator
) -> Outcome:
    """Train some sessions under a reward that stands still, and measure J on the way."""
    name, problem, stack = condition.task, problem_of(condition.setting), filled(sessions, climb.batch)
    task = tasks.make(name, condition.length)
    rules = frozen.game(name, problem.reward, task.length, task.vocabulary)
    before = climb.preparation(name, problem.reward, task.length)
    start = frozen.begin(name, problem.reward, task.length, before, stack, device, climb.samples)
    schedule = climb.ascent(before, problem)
    own = rules._replace(reward=null) if problem.variant == controls.NULL else rules
    clock, streams, frames = Clock(), Streams(f"frozen/{name}/{task.length}", stack, device), []
    loop = training.adversarial(
        start.players, start.data, task, estimator, schedule, streams, own, clock.phase
    )
    for step, players in enumerate(loop):
        if step == 0:
            calls = training.calls_per_update(players, task, estimator, schedule, own)
        if step in climb.moments:
            rows = [Row(schema.OBJECTIVE, "", start.objective(players) if step else start.value)]
            if step == schedule.updates:
                rows += spent(calls.times(step), clock, start.value)
            frames.append(frame(rows, stack, step))
    table = pd.concat(frames, ignore_index=True)
    return outcome(table[table["session"].isin(sessions)], sessions, schema.OBJECTIVE)


def spent(calls: Calls, clock: Clock, like: Tensor) -> Iterator[Row]:
    """Give what all updates of a session have cost."""
    seconds = sum(clock.seconds.get(phase, 0.0) for phase in TIMED)
    yield Row(schema.GENERATOR_CALLS, "", torch.full_like(like, calls.generator))
    yield Row(schema.DISCRIMINATOR_CALLS, "", torch.full_like(like, calls.discriminator))
    yield Row(schema.SECONDS, "update", torch.full_like(like, seconds / len(like)))
