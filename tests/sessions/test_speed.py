"""Speed, as ratios taken in one run on one thread: `make bench`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest
import torch
from plain_loop import BATCH, HIDDEN, VOCABULARY, Plain, PlainGumbel
from torch.func import vmap

from bench.experiments import cfg
from bench.sessions.measure import Gradients
from bench.tables.condition import Condition
from discgan_core import estimators, gradients, tasks, training
from discgan_core.game import REGAN
from discgan_core.randomness import Streams

SESSIONS = 30
SCHEDULE = training.Schedule(
    updates=1,
    discriminator_steps=1,
    generator_rate=1e-3,
    discriminator_rate=1e-3,
    pretraining_epochs=0,
    pretraining_rate=1e-3,
    warmup=0,
    training_set=1000,
)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Stacked:
    """All sessions at once: a discriminator update and an estimator's update."""

    def __init__(self, length: int, name: str) -> None:
        self.task, self.estimator = tasks.make("grammar", length), estimators.make(name)
        self.streams = Streams("speed", range(SESSIONS))
        start, self.data = training.pretrain(self.task, SCHEDULE, self.streams)
        loop = training.adversarial(start, self.data, self.task, self.estimator, SCHEDULE, self.streams)
        self.players = next(loop)
        self.step = vmap(lambda p, n, b: training.generator_step(p, n, b, self.estimator, SCHEDULE))
        self.shapes = training.noise_shapes(self.estimator, self.task, self.players)
        self.gradients = Gradients(self.task, self.estimator, REGAN, self.streams)

    def discriminator_update(self) -> None:
        training.discriminator_batch(self.players, self.data, SCHEDULE, self.streams)

    def generator_update(self) -> None:
        index = self.streams.integers("batch", self.data.shape[1], (BATCH,))
        batch = training.take(self.data, index)
        self.step(self.players, self.streams.noise(self.shapes, BATCH), batch)

    def variance_of_all_parameters(self) -> None:
        draws, _ = self.gradients.draws(self.players, BATCH)
        vmap(lambda d: gradients.variance_per_sample(d, 1))(draws)


class StackedGumbel:
    """All sessions at once: an iteration of the Gumbel-softmax GAN, the paper's first variant."""

    def __init__(self) -> None:
        settings = replace(cfg.PRESETS["paper"], batch=PlainGumbel.batch, generated=PlainGumbel.batch)
        condition = Condition("cfg", PlainGumbel.length, cfg.RELAXED, "annealed")
        estimator, game, settings = cfg.setup(settings, condition)
        task, schedule = tasks.make("cfg", PlainGumbel.length), settings.schedule(PlainGumbel.length)
        streams = Streams("speed", range(SESSIONS))
        start, data = training.pretrain(task, schedule, streams, game)
        self.loop = training.adversarial(start, data, task, estimator, schedule, streams, game)
        next(self.loop)

    def update(self) -> None:
        next(self.loop)


def seconds(function: Callable[[], None]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def paired(one: Callable[[], None], other: Callable[[], None], rounds: int = 9) -> tuple[float, float]:
    """Time both in turn, so that a slow moment of the machine hits both; medians, after a warm-up."""
    pairs = [(seconds(one), seconds(other)) for _ in range(rounds + 2)][2:]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def floor_seconds(length: int, rows: int, passes: int) -> float:
    """Time the recurrence's matrix multiplies alone: `passes` of them for every step and session."""
    weight = torch.randn(SESSIONS, 4 * HIDDEN, HIDDEN + VOCABULARY + 1)
    joint = torch.randn(SESSIONS, HIDDEN + VOCABULARY + 1, rows)

    def multiply() -> None:
        for _ in range(length * passes):
            torch.bmm(weight, joint)

    return min(seconds(multiply) for _ in range(5))


@pytest.mark.parametrize(("length", "mark"), [(3, 3.0), (15, 1.5)])
@pytest.mark.parametrize("update", ["discriminator_update", "generator_update"])
def test_a_session_is_faster_than_in_the_plain_loop(benchmark, length, mark, update):
    plain, stacked = Plain(length), Stacked(length, "reinforce")
    theirs, ours = paired(getattr(plain, update), getattr(stacked, update))
    ratio = theirs / (ours / SESSIONS)
    # sampling, forward, backward and the weights' gradient; a discriminator batch has twice the rows
    floor = floor_seconds(length, BATCH, 1) + floor_seconds(length, BATCH, 3) * (
        2 if update == "discriminator_update" else 4 / 3
    )
    benchmark.extra_info |= {
        "plain_ms": theirs * 1e3,
        "stacked_ms_per_session": ours / SESSIONS * 1e3,
        "ratio": ratio,
        "times_the_floor": ours / floor,
    }
    benchmark.pedantic(getattr(stacked, update), rounds=3)
    print(f"\nlength {length}, {update}: {ratio:.1f} x the plain loop, {ours / floor:.1f} x its multiplies")
    assert ratio >= mark


def test_a_gumbel_softmax_session_is_faster_than_in_the_plain_loop(benchmark):
    plain, stacked = PlainGumbel(), StackedGumbel()
    theirs, ours = paired(plain.update, stacked.update)
    ratio = theirs / (ours / SESSIONS)
    benchmark.extra_info |= {"stacked_ms_per_session": ours / SESSIONS * 1e3, "ratio": ratio}
    benchmark.pedantic(stacked.update, rounds=3)
    print(f"\ncfg, an iteration: {ours / SESSIONS * 1e3:.1f} ms, {ratio:.1f} x the plain loop")
    assert ratio >= 1.5


def test_an_update_by_rollouts(benchmark):
    """16 completions of 15 prefixes: 1,920 tokens drawn and judged for a sequence, 128 times REINFORCE's."""
    plain, rolled = Stacked(15, "reinforce"), Stacked(15, "rollout")
    theirs, ours = paired(plain.generator_update, rolled.generator_update, rounds=3)
    ratio = ours / theirs
    benchmark.extra_info |= {"update_ms": ours / SESSIONS * 1e3, "reinforce_updates": ratio}
    benchmark.pedantic(rolled.generator_update, rounds=1)
    print(f"\nrollouts, length 15: {ours / SESSIONS * 1e3:.0f} ms per session, {ratio:.0f} REINFORCE updates")
    assert ratio <= 40


@pytest.mark.parametrize("name", ["rebar", "relax", "relax_sequence"])
def test_an_update_with_the_variance_of_all_parameters(benchmark, name):
    stacked = Stacked(15, name)

    def update_and_measure() -> None:
        stacked.generator_update()
        stacked.variance_of_all_parameters()

    update = min(seconds(stacked.generator_update) for _ in range(3)) / SESSIONS
    benchmark.pedantic(update_and_measure, rounds=3, warmup_rounds=1)
    both = benchmark.stats["median"] / SESSIONS
    benchmark.extra_info |= {"update_ms": update * 1e3, "with_variance_ms": both * 1e3}
    print(f"\n{name}, length 15: {update * 1e3:.1f} ms, with all variances {both * 1e3:.1f} ms per session")
    assert both <= 0.120
