"""What an adversarial experiment declares: how it trains and what it measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from discgan_core.training import Schedule


@dataclass(frozen=True)
class Settings:
    """How an adversarial experiment trains and measures; the same for all estimators.

    Attributes:
        sessions: seeded runs of each condition.
        lengths: of the sequences.
        stack: the most sessions trained at once.
        updates: of the generator, or rounds of several.
        discriminator_steps: discriminator batches at the beginning of each round.
        measurements: moments at which everything is measured, the start and the end among them.
        generator_rate: Adam's, adversarial.
        discriminator_rate: Adam's.
        pretraining: for each length, epochs of maximum likelihood and Adam's rate in them.
        momentum: b1 of Adam, adversarial.
        warmup: discriminator batches before the first generator update.
        batch: real sequences in a batch.
        generated: generated sequences in a batch.
        hidden: units of both networks.
        training_set: real sequences that a session trains on.
        samples: sequences generated for each measurement.
        corpus: whether they are compared with real ones as a body: lengths, novelty, coverage.
        draws: of the gradient, for each measurement of its variance, if any.
        bias_draws: of the gradient, for the measurement of its bias at the end, if any.
        strings: generated strings kept.
        parameters: whose gradient's variance is kept one by one.
        left_out: estimators for which there is no time; `rollout@15` is left out at length 15 alone.
        generator_steps: updates of the generator in each round.
        pretraining_end: what is left of the pre-training's rate at its end.
        prices: seconds of a leave-one-out update, and of a discriminator batch, over those of an update of
            maximum likelihood, for the control that has the same seconds. Measured on one core at equal
            batches in `grammar`, `cfg` and `names`: 1.5 to 1.8, and 1.3 to 1.9 but for one.
    """

    sessions: int
    lengths: tuple[int, ...]
    stack: int
    updates: int
    discriminator_steps: int
    measurements: int
    generator_rate: float = 0.01
    discriminator_rate: float = 0.005
    pretraining: tuple[tuple[int, int, float], ...] = ((3, 1, 0.0037), (15, 3, 0.00078))
    momentum: float = 0.5
    warmup: int = 20
    batch: int = 128
    generated: int = 128
    hidden: int = 32
    training_set: int = 10_000
    samples: int = 500
    corpus: bool = False
    draws: int = 32
    bias_draws: int = 1024
    strings: int = 6
    parameters: tuple[str, ...] = ("out.weight[0,0]",)
    left_out: tuple[str, ...] = ()
    generator_steps: int = 1
    pretraining_end: float = 1.0
    prices: tuple[float, float] = (1.6, 1.7)

    def schedule(self, length: int) -> Schedule:
        """Make the schedule of a length; one without pre-training of its own takes the nearest's."""
        _, epochs, rate = nearest(self.pretraining, length)
        known = {field.name for field in fields(Schedule)}
        same = {name: value for name, value in vars(self).items() if name in known}
        return Schedule(**same, pretraining_epochs=epochs, pretraining_rate=rate)

    def moments(self) -> set[int]:
        """Give the rounds after which everything is measured."""
        return {round(step) for step in np.linspace(0, self.updates, max(2, self.measurements))}


def left_out(settings: Any, name: str, length: int) -> bool:
    """Tell whether an estimator, named without hyperparameters, is left out at a length."""
    return bool({name, f"{name}@{length}"} & set(settings.left_out))


def nearest(rows: Sequence[tuple[int, int, float]], length: int) -> tuple[int, int, float]:
    """Give the row of the nearest length, by ratio."""
    return min(rows, key=lambda row: abs(math.log(row[0] / length)))


Chosen = TypeVar("Chosen", bound=Settings)

SMOKE = {"sessions": 2, "stack": 2, "updates": 2, "measurements": 2, "samples": 64}
"""What is enough to have run once."""


def smoke(standard: Chosen, **own: Any) -> Chosen:
    """Make the settings of `smoke` from those of `standard`, and what an experiment needs besides."""
    return replace(standard, **{**SMOKE, **own})


@dataclass(frozen=True)
class Range:
    """What a number can be, in words and as a test."""

    words: str
    holds: Callable[[float], bool]


LARGEST = 10_000_000
"""Of whatever is counted: with more no session would end, or fit into memory."""
ANY = Range(f"0 or more, and {LARGEST:,} at most", lambda value: 0 <= value <= LARGEST)
ONE = Range(f"1 or more, and {LARGEST:,} at most", lambda value: 1 <= value <= LARGEST)
TWO = Range(f"2 or more, and {LARGEST:,} at most", lambda value: 2 <= value <= LARGEST)
ABOVE = Range("above 0", lambda value: 0 < value < math.inf)
PART = Range("from 0 to 1", lambda value: 0 <= value <= 1)
BELOW_ONE = Range("at least 0 and below 1", lambda value: 0 <= value < 1)
MANY = Range("from 1 to 10,000", lambda value: 1 <= value <= 10_000)
INVERSE = Range(
    "a whole number, or 1 over one, of 10,000 at most",
    lambda value: 1e-4 <= value <= 1e4 and math.isclose(max(value, 1 / value) % 1, 0, abs_tol=1e-9),
)
RANGES: dict[str, Any] = {
    **dict.fromkeys(("sessions", "lengths", "stack", "stacked", "hidden"), MANY),
    **dict.fromkeys(("batch", "generated", "training_set"), ONE),
    **dict.fromkeys(("generator_rate", "discriminator_rate"), ABOVE),
    **dict.fromkeys(("measurements", "vocabulary"), TWO),
    **dict.fromkeys(("samples", "sums", "uniforms", "batches", "prepared"), ONE),
    **dict.fromkeys(("chain_rate", "rates"), ABOVE),
    **dict.fromkeys(("over_length", "over_vocabulary", "over_stacked"), ONE),
    **dict.fromkeys(("prices", "most", "spend"), ABOVE),
    "ratios": INVERSE,
    "momentum": BELOW_ONE,
    "pretraining_end": PART,
    "pretraining": (ONE, ANY, ANY),
    "checkpoints": (ONE, PART),
    "compared": (ONE, ANY, ANY, ANY),
}
"""What the numbers of a setting can be, of rows column by column; any from 0 on, if it is not told."""


HUGE = 10**300
"""What is written out: a whole number may be larger than any with a point."""
MAY_BE_EMPTY = ("parameters", "left_out", "controls", "some", "knobs", "variants")


def problems(settings: Any) -> Iterator[tuple[str, str]]:
    """Name each setting that cannot be, and say why; of any experiment's settings."""
    for name, value in vars(settings).items():
        if value == () and name not in MAY_BE_EMPTY:
            yield name, "nothing is named; name at least one"
        for number, within in numbers(value, RANGES.get(name, ANY)):
            if not within.holds(number):
                shown = f"{number:g}" if abs(number) < HUGE else "so large a number"
                yield name, f"{shown} cannot be: it must be {within.words}"
    yield from _together(settings)


def _together(settings: Any) -> Iterator[tuple[str, str]]:
    """Name settings that cannot be beside others."""
    moments = getattr(settings, "moments", ())
    if moments and not callable(moments) and (0 not in moments or max(moments) < 1):
        yield "moments", "0, the start, and a later update must be among them"
    for name in ("draws", "bias_draws"):
        if getattr(settings, name, 0) == 1:
            yield name, "one draw has no variance: give 0, or 2 or more"
    if getattr(settings, "training_set", math.inf) < getattr(settings, "batch", 0):
        why = f"a batch of {settings.batch} is more than the training set of {settings.training_set}"
        yield from ((name, why) for name in ("training_set", "batch"))
    if getattr(settings, "batches", math.inf) < 1 + max(getattr(settings, "ratios", ()), default=0):
        why = (
            f"{settings.batches} batches are not enough for an update at a ratio of {max(settings.ratios):g}"
        )
        yield from ((name, why) for name in ("batches", "ratios"))


def numbers(value: Any, within: Any) -> Iterator[tuple[float, Range]]:
    """Give each number in a setting with its range."""
    if isinstance(value, tuple):
        for part in value:
            if isinstance(within, tuple) and isinstance(part, tuple):
                yield from (pair for column in zip(part, within, strict=True) for pair in numbers(*column))
            else:
                yield from numbers(part, within)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value, within
