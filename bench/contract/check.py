"""A regression check for continuous integration: variance, bias and speed against a baseline.

A small fixed problem (grammar, T = 4, four sessions at their first weights) is measured anew. Variances
and biases depend on nothing but the program, up to rounding, so they are held tightly. Speed is the time
of an update over that of a calibration in plain torch right after it, the median of many such pairs: a slower
or busier machine slows both, a slower program only one. What is not clearly as fast as it was is timed again.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap

from bench import disk
from bench.errors import UserError, program
from bench.sessions.measure import Gradients
from bench.sessions.updates import Updates
from discgan_core import accuracy, estimators, tasks, training
from discgan_core.accuracy import TOTAL
from discgan_core.game import REGAN
from discgan_core.models.discriminator import init_discriminator
from discgan_core.models.generator import init_generator
from discgan_core.randomness import Streams
from discgan_core.training import Players

BASELINE = Path(__file__).with_name("baseline.json")
LENGTH, HIDDEN, SESSIONS, SAMPLES, LEARNING = 4, 32, 4, 512, 3
SAME = 0.02
"""Relative change of a variance, or of a bias beyond its own standard error, that rounding may make."""
SLOWER = 0.08
"""Relative change of a speed that counts."""
ROUNDS, PATIENCE = 20, 3
"""Timings in a turn, and turns more for what is not clearly as fast as before."""


class Figures(NamedTuple):
    """What is measured of an estimator: the least that a change may make worse."""

    variance: float  # of a draw, per sample, over |g|^2
    bias: float  # |E[g_hat] - g|^2 / |g|^2, as estimated
    noise: float  # standard error of that
    speed: float  # seconds of an update over seconds of the calibration


class Change(NamedTuple):
    """A figure of an estimator that is not what it was."""

    estimator: str
    figure: str
    before: float
    now: float
    worse: bool


def players() -> Players:
    """Make the sessions: always the same weights."""
    streams = Streams("check", range(SESSIONS))
    vocabulary = tasks.make("grammar", LENGTH).vocabulary
    made = [
        training.stack([init(vocabulary, HIDDEN, g) for g in streams.generators(role)])
        for role, init in (("generator", init_generator), ("discriminator", init_discriminator))
    ]
    return training.untrained(*made)


class Case:
    """An estimator at those sessions."""

    def __init__(self, name: str) -> None:
        self.name, self.estimator = name, estimators.make(name)
        self.task, self.streams = tasks.make("grammar", LENGTH), Streams(f"check/{LENGTH}", range(SESSIONS))
        self.updates = Updates(self.task, self.estimator, players(), self.streams)
        self.updates.learn(LEARNING)

    def quality(self) -> tuple[float, float, float]:
        """Measure variance, squared bias and the bias's standard error: means over the sessions."""
        draws = Gradients(self.task, self.estimator, REGAN, self.streams)
        size, who = self.estimator.samples_per_draw, self.updates.players
        truths = draws.exact(who)
        sums = draws.sums(who, max(16, SAMPLES // size), truths)
        found = [accuracy.accuracy(s, t, who.generator)[TOTAL] for s, t in zip(sums, truths, strict=True)]
        variance = torch.stack([f.variance * draws.sequences(who) / f.norm_squared for f in found])
        bias = torch.stack([f.bias_squared / f.norm_squared for f in found])
        return variance.mean().item(), bias.mean().item(), (bias.std() / SESSIONS**0.5).item()

    def seconds(self) -> float:
        """Time one update."""
        start = time.process_time()
        self.updates.update()
        return time.process_time() - start


class Calibration:
    """The gradient of a small LSTM written out in plain torch, one for every session.

    It takes the same mixture of interpreter, dispatch and arithmetic as an update: how fast these are to one
    another differs from hour to hour, on the same machine too.
    """

    def __init__(self) -> None:
        self.weight = torch.full((SESSIONS, 4 * HIDDEN, 2 * HIDDEN), 0.01)
        self.state = torch.full((SESSIONS, HIDDEN, 128), 0.5)

    @staticmethod
    def objective(weight: Tensor, state: Tensor) -> Tensor:
        """Run a few steps, the state standing in for the input."""
        h = c = state
        for _ in range(6):
            ifo, g = (weight @ torch.cat([h, c])).tensor_split([3 * HIDDEN])
            i, f, o = ifo.sigmoid().chunk(3)
            c = f * c + i * g.tanh()
            h = o * c.tanh()
        return h.sum()

    def seconds(self) -> float:
        """Time it once."""
        start = time.process_time()
        vmap(grad(self.objective))(self.weight, self.state)
        return time.process_time() - start


def timings(case: Case, calibration: Calibration) -> list[tuple[float, float]]:
    """Time updates and calibration in turn."""
    return [(case.seconds(), calibration.seconds()) for _ in range(ROUNDS)]


def speed(timed: list[tuple[float, float]]) -> float:
    """Give the median over pairs of an update's time over the calibration's right after it."""
    return median(update / calibration for update, calibration in timed)


def measure(baseline: Mapping[str, Figures], tell: Callable[[str], None]) -> dict[str, Figures]:
    """Measure every estimator; what seems slower than it was, or has no baseline, is timed longer."""
    found = {}
    for name in estimators.available():
        tell(name)
        case, calibration = Case(name), Calibration()
        quality, timed = case.quality(), timings(case, calibration)
        enough = baseline[name].speed * (1 + SLOWER / 2) if name in baseline else 0.0
        for _ in range(PATIENCE):
            if speed(timed) > enough:
                timed += timings(case, calibration)
        found[name] = Figures(*quality, speed(timed))
    return found


def changes(before: Mapping[str, Figures], now: Mapping[str, Figures]) -> list[Change]:
    """List what is not as it was, the worse first."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            found.append(Change(name, "estimator", 1, 0, worse=True))
        elif name in before:
            found += compared(name, before[name], now[name])
    return sorted(found, key=lambda change: not change.worse)


def compared(name: str, before: Figures, now: Figures) -> list[Change]:
    """Compare one estimator's figures."""
    found = []
    slack = SAME * before.variance + 1e-9
    if abs(now.variance - before.variance) > slack:
        found.append(Change(name, "variance", before.variance, now.variance, now.variance > before.variance))
    room = 2 * before.noise + SAME * abs(before.bias) + 1e-9
    if abs(now.bias - before.bias) > room:
        found.append(Change(name, "squared bias", before.bias, now.bias, now.bias > before.bias))
    if abs(now.speed / before.speed - 1) > SLOWER:
        found.append(Change(name, "time of an update", before.speed, now.speed, now.speed > before.speed))
    return found


class NoBaselineError(UserError):
    """There is nothing to compare with, until a baseline is written."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: `{program()} check --update-baseline` makes one")


def read() -> dict[str, Figures]:
    """Read the baseline.

    Raises:
        NoBaselineError: there is none, it is none, or it has none of the estimators that there are.
        UserError: it cannot be read.
    """
    try:
        found = {name: _figures(row) for name, row in json.loads(BASELINE.read_text("utf-8")).items()}
    except FileNotFoundError:
        raise NoBaselineError(f"there is no baseline {BASELINE}") from None
    except OSError as error:
        raise UserError(f"cannot read the baseline {BASELINE}: {error.strerror}") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise NoBaselineError(f"{BASELINE} is no baseline") from None
    if not found.keys() & set(estimators.available()):
        raise NoBaselineError(f"the baseline {BASELINE} has none of the estimators that there are")
    return found


def _figures(row: Mapping[str, float]) -> Figures:
    """Read an estimator's row, which is numbers only."""
    numbers = [float(value) for value in row.values() if type(value) in (int, float)]
    found = Figures(**dict(zip(row, numbers, strict=True)))
    if not all(map(math.isfinite, found)) or found.speed <= 0:
        raise ValueError(found)
    return found


def write(found: Mapping[str, Figures]) -> None:
    """Write the baseline."""
    rows = {
        name: {key: float(f"{value:.6g}") for key, value in f._asdict().items()} for name, f in found.items()
    }
    disk.put(BASELINE, f"{json.dumps(rows, indent=2)}\n".encode())
