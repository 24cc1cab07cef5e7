"""SeqGAN section 4: a generator learns a random LSTM's language by maximum likelihood, then adversarially.

Judged by the oracle's own NLL of what is generated (`discgan_core.tasks.oracle`). With V = 5,000 and T = 20
the literature gives 10.31 for random tokens, 9.04 for maximum likelihood and 8.74 for SeqGAN (Yu et al.,
2017).

Random tokens come to 11.16 under our draw of the oracle, and to 11.0 to 11.2 under four others, so that
figure does not compare; maximum likelihood's does. The rate of pre-training falls: at a constant 0.01 one
session stayed at 9.13 from epoch 16 to 20. By then a generator knows its training set by heart: that
session's NLL of fresh sequences was lowest after four epochs.

At V = 5,000, T = 20, five sessions of `paper`: REINFORCE comes from 9.04 [8.99, 9.09] to 8.74 [8.68, 8.79] in
30 updates, before its discriminator is right more often than half of the time, and ends at 9.21; with a null
reward it comes to 8.75 [8.67, 8.84] in as many and on to 8.62 [8.28, 8.97]. So SeqGAN's figure can be reached
without a discriminator, and is no sign of learning from one.

At T = 40 likewise: REINFORCE comes from 8.77 [8.75, 8.79] to 8.60 [8.51, 8.70] in 20 updates and ends at
9.02; with a null reward it comes to 8.54 [8.50, 8.58] and ends at 8.73. Maximum likelihood continued stays
at 8.76.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pandas as pd

from bench.errors import UserError
from bench.sessions import adversarial, controls
from bench.sessions.measure import quality, sampled
from bench.sessions.parameters import require_parameters
from bench.sessions.pretrained import TaskMaker
from bench.sessions.settings import Settings, smoke
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators, tasks, training
from discgan_core.game import Game
from discgan_core.interface import Estimator
from discgan_core.models.discriminator import init_embedded_discriminator
from discgan_core.models.generator import init_embedded_generator
from discgan_core.randomness import Streams
from discgan_core.tasks import Task


@dataclass(frozen=True)
class OracleSettings(Settings):
    """An adversarial experiment's settings, the oracle's size, and a limit.

    Attributes:
        vocabulary: V.
        uniforms: that an estimator may ask for, for one sample: V of them for every token are too many for
            memory, and completions of every prefix too many for the time of a small preset.
    """

    vocabulary: int = 5000
    uniforms: int = 1 << 14


FIXED = ("left_out",)
PAPER = OracleSettings(
    sessions=5,
    lengths=(20, 40),
    stack=5,
    updates=150,
    discriminator_steps=5,
    measurements=16,
    generator_rate=0.01,
    discriminator_rate=0.005,
    pretraining=((20, 16, 0.012), (40, 16, 0.012)),
    pretraining_end=0.05,
    momentum=0.9,
    warmup=500,
    batch=64,
    generated=64,
    samples=512,
    draws=2,
    parameters=(),
    prices=(1.35, 0.5),  # at V = 5,000 the output layer, which no discriminator has, takes the most
)
STANDARD = replace(
    PAPER,
    prices=Settings.prices,
    sessions=8,
    lengths=(20,),
    stack=8,
    updates=12,
    discriminator_steps=1,
    measurements=3,
    generator_rate=0.003,
    pretraining=((20, 6, 0.02),),
    warmup=40,
    training_set=1024,
    samples=128,
    vocabulary=100,
    uniforms=128,
)
PRESETS = {
    "smoke": smoke(STANDARD, pretraining=((20, 2, 0.03),), warmup=1, training_set=256),
    "standard": STANDARD,
    "paper": PAPER,
}


@lru_cache
def task_maker(vocabulary: int) -> TaskMaker:
    """Give the function that makes the oracle of a vocabulary."""

    @lru_cache
    def make(name: str, length: int) -> Task:
        return tasks.make(name, length, vocabulary=vocabulary)

    return make


RULES = Game(init=init_embedded_generator, init_discriminator=init_embedded_discriminator)
"""Both players read tokens as rows of a table."""


def conditions(settings: OracleSettings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every estimator whose noise is not too much, and the controls.

    REINFORCE without a baseline has a null reward of its own: it raises whatever it has sampled, so the NLL
    of what it writes falls without anything being learned.
    """
    found = []
    for length in lengths:
        if length < 1:
            raise UserError(f"--lengths: experiment oracle, length {length}: it has to be at least 1")
        require_parameters(settings, settings.vocabulary, RULES.init)
        plain = [Condition("oracle", length, name) for name in names if able(settings, length, name)]
        bare = [c._replace(setting=controls.NULL) for c in plain if c.estimator == "reinforce"]
        found += [*plain, *controls.beside(plain), *bare]
    return found


def able(settings: OracleSettings, length: int, name: str) -> bool:
    """Tell whether an estimator can run there, within the limit."""
    estimator = estimators.make(name)
    supported = estimator.supports(length, settings.vocabulary)
    return supported and uniforms(estimator, settings, length) <= settings.uniforms


def uniforms(estimator: Estimator, settings: OracleSettings, length: int) -> int:
    """Count what an estimator asks for, for one sample."""
    return sum(math.prod(shape) for shape in estimator.noise(length, settings.vocabulary).values())


def run(settings: OracleSettings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions; what they were before pre-training is measured too."""
    estimator, maker = estimators.make(condition.estimator), task_maker(settings.vocabulary)
    own, game = controls.applied(settings, RULES, condition.setting)
    outcome = adversarial.run("oracle", own, condition, sessions, device, estimator, game, maker)
    before = untrained(settings, condition.length, sessions, device)
    return outcome._replace(metrics=pd.concat([before, outcome.metrics], ignore_index=True))


def untrained(settings: OracleSettings, length: int, sessions: Sequence[int], device: str) -> pd.DataFrame:
    """Judge what the generators write before they are pre-trained, as a measure of its own at step 0."""
    task, study = task_maker(settings.vocabulary)("oracle", length), f"oracle/{length}"
    stack = adversarial.filled(sessions, settings.batch)
    schedule = replace(settings, training_set=1, warmup=0, pretraining=((length, 0, 0.0),)).schedule(length)
    players, _ = training.pretrain(task, schedule, Streams(f"{study}/pretraining", stack, device), RULES)
    streams = Streams(f"{study}/untrained", stack, device)
    tokens = sampled(players, length, settings.samples, streams, RULES)
    rows = [row._replace(metric=row.metric + schema.UNTRAINED_SUFFIX) for row in quality(task, tokens)]
    table = adversarial.frame(rows, stack, 0)
    return table[table["session"].isin(sessions)]


SHARED = 12
"""Conditions, about, that the pre-training of a session is for."""


def cost(settings: OracleSettings, condition: Condition) -> float:
    """Predict seconds per session on one core, from milliseconds measured at V = 100 and 5,000, T = 20."""
    v, asked = settings.vocabulary, uniforms(estimators.make(condition.estimator), settings, condition.length)
    own, _ = controls.applied(settings, RULES, condition.setting)
    likelihood, discriminator, generator = 3.6 + 0.0087 * v, 6.2 + 0.0075 * v, 5.2 + 0.017 * v
    more = max(0, asked - condition.length) * settings.generated * (0.3 + 0.0053 * v) / 1000
    work = own.updates * (own.discriminator_steps * discriminator + own.generator_steps * (generator + more))
    looks = own.measurements * own.samples * (0.17 + 0.0006 * v)
    before = len(list(settings.schedule(condition.length).rates())) * likelihood
    before += settings.warmup * discriminator
    return condition.length / 20 * (work + looks + before / SHARED) / 1000
