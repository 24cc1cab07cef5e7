"""Every estimator at the same parameters, against the true gradient: bias, variance, cosine, signs, cost.

The truth is exact at every length. Where all sequences can be gone through in a second (lengths 3, 6 and 8),
the parameters are those of `grammar`'s sessions trained with leave-one-out REINFORCE: after pre-training,
early, midway and at the end. Beyond (15, 40 and 100) they are those of a first-order chain that climbs the
grammar's goodness, which has a recursion of its own (`discgan_core.automata`). Parameters and true gradients
are kept on disk (`sessions.checkpoints`). `standard` has the parameters midway alone, and leaves out what
takes longest at the greatest lengths.

An estimator that learns to lower its variance learns first, with the parameters held where they are. What
is measured of one draw gives the rest: budgets are those of a REINFORCE update of 128 samples, in
discriminator calls, in generator calls and in seconds (which differ from run to run, and with them
whatever has a budget of seconds).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bench.experiments import grammar
from bench.sessions import frozen
from bench.sessions.adversarial import completed, filled, frame
from bench.sessions.measure import Gradients, Row, of_accuracy
from bench.sessions.parameters import require_whole_draws
from bench.sessions.settings import Settings, left_out
from bench.sessions.truth import TRAINER, trajectory, true_gradients
from bench.sessions.updates import BATCH, Updates
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import accuracy, estimators, exact, tasks
from discgan_core.accuracy import TOTAL, Accuracy, AtBudget
from discgan_core.game import REGAN, Game
from discgan_core.interface import Estimator
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Schedule

UNIT = "reinforce"
FIXED = (
    *("measurements", "samples", "corpus", "draws", "bias_draws", "strings", "parameters"),
    "prices",
)
Priced = dict[str, tuple[float, float]]
"""Budget -> what a draw costs, and one of `UNIT`'s."""
DRAWS = 32
"""Draws at least."""
REPEATS = 2
"""Updates that are timed, of which the fastest counts."""
FORMS: dict[tuple[str, str], dict[str, Any]] = {
    ("rollout", "no_baseline"): {"baseline": False},
    ("likelihood", "eq5"): {"logarithm": False},
    ("rebar", "lambda=0.1"): {"temperature": 0.1},
}
"""Settings apart from the defaults."""


@dataclass(frozen=True)
class QualitySettings(Settings):
    """`grammar`'s settings, and what is measured where.

    Attributes:
        checkpoints: for each length, the fractions of the updates at which there is one.
        sums: samples from which each estimator's draws are made.
        learning: updates of what an estimator learns, before it is measured.
        chain_rate: Adam's, by which a chain is trained.
    """

    checkpoints: tuple[tuple[int, tuple[float, ...]], ...] = ((3, (0.5,)),)
    sums: int = 384
    learning: int = 24
    chain_rate: float = 0.1

    def steps(self, length: int) -> list[int]:
        """Give the updates after which there is a checkpoint."""
        _, found = min(self.checkpoints, key=lambda row: abs(row[0] - length))
        return sorted({round(self.updates * fraction) for fraction in found})


LENGTHS = (3, 6, 8, 15, 40, 100)
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"lengths": (3, 15), "checkpoints": ((3, (0.0, 1.0)),), "sums": 32, "learning": 2},
    "standard": {
        "lengths": LENGTHS,
        "sums": 128,
        "learning": 16,
        "left_out": ("exact@8", "rollout@40", "rollout@100", "arsm@100", "relax_sequence@100"),
    },
    "paper": {
        "lengths": LENGTHS,
        "sums": 8192,
        "learning": 500,
        "checkpoints": ((3, (0.0, 0.1, 0.5, 1.0)),),
    },
}
PRESETS = {
    name: QualitySettings(**{**asdict(settings), "stack": 30, **SIZES[name]})
    for name, settings in grammar.PRESETS.items()
}


def task_of(length: int) -> str:
    """Name the task of a length: `grammar` where all sequences can be gone through, else `chain`."""
    vocabulary = grammar.check("grammar", length)
    return "grammar" if exact.seconds(length, vocabulary) <= frozen.WITHIN else frozen.CHAIN


def rules(task: Task, name: str) -> Game:
    """Give the game of a task."""
    if name == "grammar":
        return REGAN
    return frozen.game(name, "goodness", task.length, task.vocabulary)


def schedule(settings: QualitySettings, name: str, length: int) -> Schedule:
    """Give the schedule of a task; a chain is not pre-trained, and meets no discriminator."""
    found = settings.schedule(length)
    if name == "grammar":
        return found
    alone = replace(found, pretraining_epochs=0, warmup=0, discriminator_steps=0)
    return replace(alone, generator_rate=settings.chain_rate)


def conditions(settings: QualitySettings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every estimator that can run at a length, and the settings of some."""
    found = []
    require_whole_draws("gradient_quality", "generated", settings.generated, TRAINER)
    for length in lengths:
        task, vocabulary = task_of(length), grammar.check("grammar", length)
        kept = [name for name in names if not left_out(settings, estimators.bare(name), length)]
        able = [name for name in kept if estimators.make(name).supports(length, vocabulary)]
        found += [Condition(task, length, name) for name in able]
        found += [Condition(task, length, *form) for form in FORMS if form[0] in able]
    return found


def run(settings: QualitySettings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Measure some sessions at every checkpoint."""
    stack, name = filled(sessions, settings.batch), condition.task
    task, estimator = tasks.make(name, condition.length), estimator_of(settings, condition)
    game, training = rules(task, name), schedule(settings, name, task.length)
    frames, priced = [], None
    for step, players in trajectory(
        name, training, settings.steps(task.length), task, stack, device, game
    ).items():
        study = f"{name}/{task.length}/gradient_quality/{step}"
        streams = Streams(study, stack, device)
        truths = true_gradients(Gradients(task, estimator, game, streams), players, study)
        ours, unit = (Updates(task, e, players, streams, game) for e in (estimator, estimators.make(UNIT)))
        priced = priced or costs(ours, unit)  # which parameters they are makes no difference
        rows = measured(settings, ours, truths, priced)
        frames.append(frame(list(rows), stack, step))
    return completed(pd.concat(frames, ignore_index=True), sessions)


def estimator_of(settings: QualitySettings, condition: Condition) -> Estimator:
    """Make the estimator of a condition."""
    options = FORMS.get((condition.estimator, condition.setting), {})
    return estimators.make(condition.estimator, **options)


def rows(settings: QualitySettings, estimator: Estimator) -> tuple[str, int]:
    """Give the samples of an update that is learned from and timed; no setting changes them."""
    return "", max(BATCH, estimator.samples_per_draw)


def measured(settings: QualitySettings, ours: Updates, truths: list[Tensor], priced: Priced) -> Iterator[Row]:
    """Give every row of one checkpoint."""
    size = ours.estimator.samples_per_draw
    ours.learn(settings.learning)
    draws = Gradients(ours.task, ours.estimator, ours.game, ours.streams)
    sums = draws.sums(ours.players, max(DRAWS, settings.sums // size), truths)
    theta = ours.players.generator
    found = [accuracy.accuracy(s, t, theta) for s, t in zip(sums, truths, strict=True)]
    for name in found[0]:
        parameter = "" if name == TOTAL else name
        values = [one[name] for one in found]
        yield from of_accuracy(values, draws.sequences(ours.players), parameter)
        yield from of_budget(
            [one_draw(v) for v in values], "/".join([schema.ONE_DRAW, parameter]).rstrip("/")
        )
    for budget, (mine, theirs) in priced.items():
        yield Row(schema.DRAW_COST, budget, torch.full((len(truths),), mine))
        if mine > 0:
            n = torch.tensor(BATCH * theirs / mine, dtype=torch.float64)
            each = [accuracy.at_budget(s, t, n) for s, t in zip(sums, truths, strict=True)]
            yield from of_budget(each, budget)


def one_draw(found: Accuracy) -> AtBudget:
    """Give what was measured of single draws."""
    return AtBudget(found.bias_squared + found.variance, found.draw_cosine, found.draw_signs)


def of_budget(found: Sequence[AtBudget], budget: str) -> Iterator[Row]:
    """Give what the mean of as many draws as a budget allows comes to."""
    values = AtBudget(*map(torch.stack, zip(*found, strict=True)))
    yield Row(schema.ERROR_AT_BUDGET, budget, values.error)
    yield Row(schema.COSINE_AT_BUDGET, budget, values.cosine)
    yield Row(schema.SIGNS_AT_BUDGET, budget, values.signs)


def costs(ours: Updates, unit: Updates) -> Priced:
    """Count calls and time seconds."""
    times = [(ours.seconds(), unit.seconds()) for _ in range(REPEATS)]
    calls = ours.calls(), unit.calls()
    return {
        schema.DISCRIMINATOR_CALLS: (calls[0].discriminator, calls[1].discriminator),
        schema.GENERATOR_CALLS: (calls[0].generator, calls[1].generator),
        schema.SECONDS: (min(t for t, _ in times), min(t for _, t in times)),
    }


def cost(settings: QualitySettings, condition: Condition) -> float:
    """Predict seconds per session on one core."""
    draws = settings.sums * 2e-5 * condition.length / 3
    return (
        len(settings.steps(condition.length)) * (draws if condition.task == "grammar" else draws / 4) + 0.05
    )
