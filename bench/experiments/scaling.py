"""Seconds, memory and gradient variance of an update against T, V and the sessions trained at once.

REGAN (section 5) names back-propagation through time and the computation of the gradient's variance as its
bottlenecks; its research code takes 2,710 ms (T = 3) and 18,428 ms (T = 15) for a generator update with that
computation, RELAX. Here no one is trained. At one point after another, each with one number changed from a
base point, what a session's share comes to is measured of a generator update (sampling, forward,
back-propagation through time, Adam), of a discriminator update (which samples as many sequences), and of the
variance of the gradient, of all parameters, from the gradients of as many sequences one draw at a time.

Real sequences are uniform noise, and all parameters are as they are drawn, with tables of embeddings: what
is measured needs no more. A session of the tables is a repetition, with parameters and noise of its own: the
same at all T, so that variances are compared at the same parameters along that axis.
Points that are predicted to take too long are left out, of the estimators that complete every prefix first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor
from torch.func import vmap

from bench.sessions.adversarial import completed, frame
from bench.sessions.measure import Gradients, Row
from bench.sessions.resources import fastest, peak_memory
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators, training
from discgan_core.game import Game
from discgan_core.interface import Estimator
from discgan_core.models.discriminator import init_embedded_discriminator
from discgan_core.models.generator import init_embedded_generator
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Schedule

TASK = "uniform"
COMPLETES = "rollout"
PACES = {
    "reinforce_loo": (2.6, 0.36, 0.0014),
    "rebar": (3.3, 0.74, 0.0041),
    COMPLETES: (0.9, 0.4, 0.0032),
}
"""One that samples and judges, one that needs V uniforms for each token, one that completes each prefix.

With them, milliseconds that all three measurements take on one core for each token, in a whole stack; in
each 32 sequences; and in these for each word. Of the last, for each token that may follow as well."""
RUNS = 2.3
"""Runs of a measurement: for its memory, which is slower, and for its seconds."""

GAME = Game(init=init_embedded_generator, init_discriminator=init_embedded_discriminator)


class Point(NamedTuple):
    """Where it is measured: T, V, and sessions at once."""

    length: int
    vocabulary: int
    stacked: int


AXES = {"T": "length", "V": "vocabulary", "sessions": "stacked"}
"""The name of an axis in a setting -> what of the point it is."""


@dataclass(frozen=True)
class Settings:
    """The base point, and what is varied from there.

    Attributes:
        sessions: repetitions of each point.
        lengths: T of the base.
        stack: repetitions in one unit of work.
        vocabulary: V of the base.
        stacked: sessions trained at once of the base.
        over_length: T that are measured.
        over_vocabulary: V that are measured.
        over_stacked: sessions at once that are measured.
        most: predicted seconds of a repetition above which a point is left out.
        batch: sequences of either kind in an update, and in a measurement of the variance.
        hidden: units of both networks, and numbers that stand for a token.
        spend: seconds in which something is timed again and again.
    """

    sessions: int
    lengths: tuple[int, ...]
    stack: int
    vocabulary: int
    stacked: int
    over_length: tuple[int, ...]
    over_vocabulary: tuple[int, ...]
    over_stacked: tuple[int, ...]
    most: float
    batch: int = 32
    hidden: int = 32
    spend: float = 0.02

    def over(self, axis: str) -> tuple[int, ...]:
        """Give what is measured along an axis."""
        values: tuple[int, ...] = getattr(self, f"over_{AXES[axis]}")
        return values

    def schedule(self) -> Schedule:
        """Make the schedule of single updates; the rates do not matter."""
        return Schedule(
            updates=1,
            discriminator_steps=1,
            generator_rate=0.001,
            discriminator_rate=0.001,
            pretraining_epochs=0,
            pretraining_rate=0.001,
            warmup=0,
            batch=self.batch,
            generated=self.batch,
            hidden=self.hidden,
            training_set=self.batch,
        )


STANDARD = Settings(
    sessions=3,
    lengths=(10,),
    stack=1,
    vocabulary=5,
    stacked=2,
    over_length=(3, 10, 20, 100),
    over_vocabulary=(5, 50, 500, 5000),
    over_stacked=(1, 10, 30, 300),
    most=3.0,
)
PRESETS = {
    "smoke": replace(
        STANDARD,
        sessions=1,
        lengths=(4,),
        stack=2,
        over_length=(2, 4),
        over_vocabulary=(5, 50),
        over_stacked=(1, 4),
    ),
    "standard": STANDARD,
    "paper": replace(
        STANDARD,
        sessions=10,
        over_length=(3, 5, 10, 20, 30, 50, 70, 100),
        over_vocabulary=(5, 20, 50, 200, 500, 1000, 2000, 5000),
        over_stacked=(1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300),
        most=600.0,
        batch=64,
    ),
}


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every point of every axis, where it does not take too long; `length` is the base's throughout."""
    found = [
        Condition(TASK, length, name, f"{axis}={value}")
        for length in lengths
        for name in estimators.among(names, PACES)
        for axis in AXES
        for value in settings.over(axis)
    ]
    return [condition for condition in found if cost(settings, condition) <= settings.most]


def point_of(settings: Settings, condition: Condition) -> Point:
    """Give the base point with what the setting's name changes of it."""
    axis, _, value = condition.setting.partition("=")
    base = Point(condition.length, settings.vocabulary, settings.stacked)
    return base._replace(**{AXES[axis]: int(value)})


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Measure some repetitions of a point."""
    point, study = point_of(settings, condition), f"scaling/{condition.length}"
    frames = []
    for session in sessions:
        stack = range(session * point.stacked, (session + 1) * point.stacked)
        work = Work(settings, point, estimators.make(condition.estimator), Counted(study, stack, device))
        frames.append(frame(list(measured(work, settings.spend)), [session], 0))
    return completed(pd.concat(frames, ignore_index=True), sessions)


def measured(work: Work, spend: float) -> Iterator[Row]:
    """Give every row of one repetition; the first run, which is slower, is for the memory."""
    device, share = work.streams.device, 1 / len(work.streams.sessions)
    phases = {"generator": work.generator, "discriminator": work.discriminator, "variance": work.variance}
    for name, phase in phases.items():
        rows, memory = peak_memory(phase, device)
        yield Row(schema.PEAK_MEMORY, name, torch.tensor([memory * share]))
        yield Row(schema.UPDATE_SECONDS, name, torch.tensor([fastest(phase, device, spend) * share]))
        yield from (row._replace(values=row.values.mean(0, keepdim=True)) for row in rows)


class Counted(Streams):
    """Streams whose uniforms are torch's own, so that their memory is seen."""

    def uniforms(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Draw uniforms in (0, 1), [sessions, *shape]."""
        return super().uniforms(purpose, shape).clone()


class Work:
    """What is measured of a stack of sessions, whose parameters stay what they are.

    Args:
        settings: as they say.
        point: T, V, and sessions at once.
        estimator: of the generator's gradient.
        streams: of the stack.
    """

    def __init__(self, settings: Settings, point: Point, estimator: Estimator, streams: Streams) -> None:
        self.task, self.estimator, self.streams = noise(point.length, point.vocabulary), estimator, streams
        self.schedule, self.draws = settings.schedule(), settings.batch // estimator.samples_per_draw
        start, self.data = training.pretrain(self.task, self.schedule, streams, GAME)
        state = training.initial_state(start, self.task, estimator, streams)
        self.players = start._replace(state=state)
        self.gradients = Gradients(self.task, estimator, GAME, streams)

    def generator(self) -> list[Row]:
        """Update the generator once."""
        asked = training.noise_shapes(self.estimator, self.task, self.players)
        uniforms = self.streams.noise(asked, self.schedule.generated)
        step = vmap(lambda p, n, b: training.generator_step(p, n, b, self.estimator, self.schedule))
        step(self.players, uniforms, self.data)
        return []

    def discriminator(self) -> list[Row]:
        """Update the discriminator once."""
        training.discriminator_batch(self.players, self.data, self.schedule, self.streams)
        return []

    def variance(self) -> list[Row]:
        """Measure the variance of the generator's gradient."""
        return list(self.gradients.log_variance(self.players, self.draws, ()))


def noise(length: int, vocabulary: int) -> Task:
    """Make the language in which every sequence is as likely as every other; nothing in it is good or bad."""
    return Task(
        tuple(map(str, range(vocabulary))),
        length,
        lambda n, rng: torch.from_numpy(rng.integers(vocabulary, size=(n, length))),
        lambda tokens: {},
        lambda tokens: " ".join(map(str, tokens.tolist())),
        lambda: torch.zeros(vocabulary**length).log_softmax(0),
        lambda tokens: tokens.new_full((len(tokens),), length),
    )


def cost(settings: Settings, condition: Condition) -> float:
    """Predict seconds per repetition on one core."""
    point, name = point_of(settings, condition), estimators.bare(condition.estimator)
    step, session, word = PACES[name]
    tokens = point.length * (point.length if name == COMPLETES else 1)
    batches = point.stacked * settings.batch / 32
    return 0.15 + RUNS * tokens * (step + batches * (session + point.vocabulary * word)) / 1000
