"""REGAN section 4: every estimator trains a GAN on alternating x and operators, at lengths 3 and 15.

Pre-training stops where the paper starts (goodness about 0.5 of 1 and 10.7 of 13). The adversarial rates
were chosen once and hold for all estimators and both lengths: on 8 to 16 sessions of other streams, a grid
over Adam's b1 (0.5, 0.9), the generator's rate (0.005 to 0.015), the discriminator's (0.003 to 0.01) and one
or two discriminator batches, by the final goodness of leave-one-out REINFORCE; REBAR and RELAX were looked
at for stability alone. With b1 = 0.9 some length-3 sessions of every estimator, the exact gradient's among
them, collapse to one string; with 0.5 none of length 3 did.

`standard` makes 25 generator updates with a discriminator batch before each, and halves batches and training
set, so that pre-training has as many updates as in `paper`, which makes the original study's 234 generator
updates with 79 discriminator batches before each. At length 15, where 25 updates decide little, it keeps the
paper's estimators and leave-one-out REINFORCE; `frozen` has the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.errors import UserError
from bench.sessions import adversarial, controls
from bench.sessions.parameters import require_parameters
from bench.sessions.settings import Settings, left_out
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators, tasks
from discgan_core.game import REGAN

FIXED: tuple[str, ...] = ()
STANDARD = Settings(
    sessions=30,
    lengths=(3, 15),
    stack=30,
    updates=25,
    discriminator_steps=1,
    measurements=4,
    batch=64,
    generated=64,
    training_set=5000,
    samples=192,
    corpus=True,
    draws=16,
    bias_draws=128,
    left_out=(
        *("arsm@15", "disarm@15", "double_control_variate@15", "gapped_straight_through@15"),
        *("gumbel_rao@15", "gumbel_softmax@15", "likelihood@15", "local_expectation@15", "maligan@15"),
        *("reinmax@15", "rollout@15", "self_normalised@15", "straight_through@15", "unordered_set@15"),
    ),
)
SWEPT: dict[str, Any] = {
    "sessions": 30,
    "stack": 30,
    "measurements": 2,
    "batch": 64,
    "generated": 64,
    "training_set": 5000,
    "samples": 256,
    "draws": 0,
    "bias_draws": 0,
    "strings": 0,
}
"""What `standard` has where this schedule itself is varied: the start and the end, and no gradients."""
PRESETS = {
    "smoke": Settings(
        sessions=2,
        lengths=(3,),
        stack=2,
        updates=2,
        discriminator_steps=1,
        measurements=2,
        pretraining=((3, 1, 0.0037), (15, 1, 0.00078)),
        warmup=2,
        training_set=1000,
        samples=200,
        corpus=True,
        draws=32,
        bias_draws=64,
    ),
    "standard": STANDARD,
    "paper": Settings(
        sessions=30,
        lengths=(3, 15),
        stack=10,
        updates=234,
        discriminator_steps=79,
        measurements=27,
        corpus=True,
        draws=64,
        bias_draws=4096,
    ),
}


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every estimator that can run at a length, and the controls."""
    found = []
    for length in lengths:
        vocabulary = check("grammar", length)
        require_parameters(settings, vocabulary)
        kept = [name for name in names if not left_out(settings, estimators.bare(name), length)]
        able = [name for name in kept if estimators.make(name).supports(length, vocabulary)]
        plain = [Condition("grammar", length, name) for name in able]
        found += [*plain, *controls.beside(plain)]
    return found


def check(task: str, length: int) -> int:
    """Give the vocabulary of a task, or say why it has no such length."""
    try:
        return tasks.make(task, length).vocabulary
    except ValueError as error:
        raise UserError(f"--lengths: {error}") from None


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions."""
    estimator = estimators.make(condition.estimator)
    settings, game = controls.applied(settings, REGAN, condition.setting)
    return adversarial.run("grammar", settings, condition, sessions, device, estimator, game)


def cost(settings: Settings, condition: Condition) -> float:
    """Predict seconds per session on one core."""
    own, _ = controls.applied(settings, REGAN, condition.setting)
    return training_cost(own, condition) + condition.length * own.measurements * 4 / 1000


def training_cost(settings: Settings, condition: Condition) -> float:
    """Predict the seconds without those of measuring: milliseconds per token position, times the schedule."""
    slow, fast = condition.estimator.startswith("relax"), condition.estimator == "maximum_likelihood"
    update = 1.0 if slow else 0.25 if fast else 0.5
    rounds = settings.updates * (0.3 * settings.discriminator_steps + update * settings.generator_steps)
    return condition.length * settings.batch / 128 * (rounds + settings.warmup * 0.3) / 1000
