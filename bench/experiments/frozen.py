"""Every estimator climbs a reward that stands still, at its own best rate, against the exact J.

A GAN confounds the estimator with the game. Here the generator is pre-trained, its reward is held where it
is, and only the generator learns: what is told apart is the estimator alone. The exact gradient is the
ceiling, a reward that says nothing the floor. `bench.sessions.frozen` has the rewards.

Rankings turn over with the rate, so every estimator trains at all of them, and where it has a knob that
matters, with other values of it too. Sessions from number `reported` on choose, those before are told of: J
at the best rate, and the rates at which hardly any session ends below its start. J is measured on the way
with what an update costs, so that the same curves tell of equal updates, calls and seconds.

`standard` has all estimators under a discriminator of 79 batches at lengths 3 and 6, and on the chain under
the grammar's goodness at 15 and 40; a few meet other rewards and optimisers at 3. An update is of 32 samples,
and 8 of them come near the end at the best rates. In `paper` there are 48 updates of 64 samples, LSTM and
chain are at all lengths (at 40 the LSTM for a few), and knobs and optimisers are at length 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.errors import UserError
from bench.sessions import climb, controls, frozen
from bench.sessions.climb import OPTIMISERS, Climb, Problem
from bench.sessions.settings import left_out
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators, tasks
from discgan_core.interface import Estimator

CEILING, FLOOR = "exact", "reinforce_loo"
"""What stands beside the others, and under a reward that says nothing."""
FOREVER = 1e300


@dataclass(frozen=True)
class FrozenSettings(Climb):
    """What is climbed by whom, at which rates.

    Attributes:
        sessions: seeded runs of each condition.
        lengths: of the sequences, of those that `everyone` and `some` name.
        stack: the most sessions trained at once.
        reported: sessions of this number and above choose rates and knobs; those below are told of.
        everyone: task, reward and length where all estimators train.
        some: the same, where the few do.
        few: estimators that meet all rewards and optimisers.
        at: task, reward and length of the optimisers' variants and the knobs.
        variants: of the optimiser, for the few.
        knobs: estimators with another value of the hyperparameter that matters.
        rates: task and optimiser -> its rates.
        left_out: estimators for which there is no time; `rollout@40` is left out at length 40 alone.
    """

    CHOOSING: ClassVar = (
        *("everyone", "some", "few", "at", "variants", "knobs", "rates", "reported", "left_out"),
    )
    """Settings that say what is run and told, and change no session's numbers."""

    sessions: int = 45
    lengths: tuple[int, ...] = (3, 6, 15, 40)
    stack: int = 45
    reported: int = 30
    everyone: tuple[tuple[str, str, int], ...] = (
        ("grammar", "d79", 3),
        ("grammar", "d79", 6),
        ("chain", "goodness", 15),
        ("chain", "goodness", 40),
    )
    some: tuple[tuple[str, str, int], ...] = (
        ("grammar", "d20", 3),
        ("grammar", "d300", 3),
        ("grammar", "match", 3),
    )
    few: tuple[str, ...] = (
        *("exact", "reinforce", "reinforce_loo", "relax", "gumbel_rao", "local_expectation"),
    )
    at: tuple[str, str, int] = ("grammar", "d79", 3)
    variants: tuple[str, ...] = ("epsilon_1e-4", "sgd")
    knobs: tuple[str, ...] = (
        *("reinforce_loo(samples=2)", "reinforce_loo(samples=32)", "unordered_set(samples=2)"),
        *("rollout(samples=1)", "rollout(samples=4)", "local_expectation(samples=4)"),
        *("double_control_variate(samples=4)", "double_control_variate(samples=32)"),
        *("rebar(temperature=0.1)", "rebar(learning_rate=0.03)"),
        *("relax(learning_rate=0.001)", "relax(learning_rate=0.1)"),
        *("gumbel_softmax(temperature=0.3)", "gumbel_softmax(temperature=2.0)"),
        *("straight_through(temperature=0.3)", "straight_through(temperature=2.0)"),
        *("gumbel_rao(temperature=0.3)", "gapped_straight_through(temperature=0.3)"),
        *("reinmax(temperature=2.0)", "maligan(samples=8)", "likelihood(samples=8)"),
    )
    rates: tuple[tuple[str, str, tuple[float, ...]], ...] = (
        ("grammar", "adam", (0.01, 0.025, 0.06, 0.15, 0.4, 1.0)),
        ("grammar", "sgd", (0.5, 1.5, 5.0, 15.0, 50.0, 150.0)),
        ("chain", "adam", (0.1, 0.25, 0.6, 1.5, 4.0, 10.0)),
        ("chain", "sgd", (0.5, 1.5, 5.0, 15.0, 50.0, 150.0)),
    )
    left_out: tuple[str, ...] = ()


STANDARD = FrozenSettings(left_out=("rollout@40",))
PRESETS = {
    "smoke": replace(
        STANDARD,
        sessions=3,
        stack=3,
        reported=2,
        lengths=(3, 15),
        everyone=(("grammar", "d2", 3), ("chain", "goodness", 15)),
        some=(("grammar", "match", 3),),
        at=("grammar", "d2", 3),
        variants=("sgd",),
        knobs=("rebar(temperature=0.1)",),
        rates=(("grammar", "adam", (0.05,)), ("grammar", "sgd", (4.0,)), ("chain", "adam", (0.5,))),
        moments=(0, 1, 2),
        training_set=640,
    ),
    "standard": STANDARD,
    "paper": replace(
        STANDARD,
        everyone=(
            *(("grammar", "d79", length) for length in (3, 6, 15)),
            *(("chain", "goodness", length) for length in (3, 6, 15, 40)),
        ),
        some=(
            *(("grammar", reward, length) for reward in ("d20", "d300", "goodness") for length in (3, 6, 15)),
            *(("grammar", "match", length) for length in (3, 6)),
            *(("chain", reward, length) for reward in ("valid", "match") for length in (3, 6)),
            ("grammar", "d79", 40),
        ),
        at=("grammar", "d79", 6),
        moments=(0, 1, 2, 4, 8, 16, 32, 48),
        batch=64,
        generated=64,
        samples=1024,
        left_out=(),
    ),
}


def conditions(settings: FrozenSettings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every estimator that can run, at every rate; the null reward; and what the few do besides."""
    few = [name for name in names if estimators.bare(name) in settings.few]
    bare = {estimators.bare(name) for name in names}
    knobs = [name for name in map(spelled, settings.knobs) if estimators.bare(name) in bare]
    found: list[Condition] = []
    for problem in settings.everyone:
        found += [*climbs(settings, problem, names), *floor(settings, problem, names)]
    for problem in settings.some:
        found += [*climbs(settings, problem, few), *floor(settings, problem, few)]
    found += climbs(settings, settings.at, knobs)
    for variant in settings.variants:
        found += climbs(settings, settings.at, few, variant)
    return [condition for condition in dict.fromkeys(found) if condition.length in lengths]


def spelled(name: str) -> str:
    """Give the one spelling of an estimator that is a knob's."""
    try:
        if estimators.bare(name) not in estimators.available():
            raise ValueError(f"there is no estimator {name!r}")
        return estimators.spelled(name)
    except ValueError as error:
        raise UserError(f"experiment frozen, knobs: {error}") from None


def climbs(
    settings: FrozenSettings, problem: tuple[str, str, int], names: Sequence[str], variant: str = ""
) -> Iterator[Condition]:
    """Give the estimators that can run there, at every rate of the task and the optimiser."""
    task, reward, length = problem
    frozen.require(task, reward, length)
    climb.require(variant)
    optimiser = OPTIMISERS.get(variant, OPTIMISERS[""]).name
    rates = next((found for *of, found in settings.rates if of == [task, optimiser]), None)
    if rates is None:
        raise UserError(f"experiment frozen: rates names no rates of {optimiser} for {task}")
    for name in names:
        if runs(settings, name, task, length):
            for rate in rates:
                yield Condition(task, length, name, str(Problem(reward, variant, rate)))


def floor(
    settings: FrozenSettings, problem: tuple[str, str, int], names: Sequence[str]
) -> Iterator[Condition]:
    """Give leave-one-out REINFORCE under a reward that says nothing, at every rate."""
    yield from climbs(settings, problem, [name for name in names if name == FLOOR], controls.NULL)


def runs(settings: FrozenSettings, name: str, task: str, length: int) -> bool:
    """Tell whether an estimator can run there; of a chain the exact gradient is known at any length."""
    if left_out(settings, estimators.bare(name), length):
        return False
    known = task == frozen.CHAIN and estimators.bare(name) == CEILING
    return known or estimators.make(name).supports(length, tasks.make(task, length).vocabulary)


def estimator_of(settings: FrozenSettings, condition: Condition) -> Estimator:
    """Make the estimator of a condition."""
    if condition.task == frozen.CHAIN and condition.estimator == CEILING:
        return estimators.make(CEILING, seconds=FOREVER)  # what it takes does not grow with V^T
    return estimators.make(condition.estimator)


def run(settings: FrozenSettings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train some sessions, and measure J on the way."""
    return climb.run(settings, condition, sessions, device, estimator_of(settings, condition))


GROWING = {"rollout": 1.8, "arsm": 0.7, "local_expectation": 0.7, "disarm": 0.4, "unordered_set": 0.3}
"""How an update's cost, over that of a leave-one-out update, grows with the length."""
SEVERAL = {"relax": 6.0, "relax_sequence": 6.0, "exact": 5.0, "gumbel_rao": 3.0}
"""What it is, where it does not."""


def cost(settings: FrozenSettings, condition: Condition) -> float:
    """Predict seconds per session on one core: of the updates, and of measuring J."""
    name, length = estimators.bare(condition.estimator), condition.length
    factor = SEVERAL.get(name, 1.5) + GROWING.get(name, 0.0) * length
    update = (0.2 if condition.task == frozen.CHAIN else 0.4 + 0.055 * length) * factor
    size = 0.5 + 0.5 * settings.generated / 32
    return (settings.moments[-1] * update * size + len(settings.moments) * 2) / 1000
