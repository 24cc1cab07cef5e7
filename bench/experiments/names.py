"""Toth section 4: a GAN for first names that never differentiates a sample, with the likelihood GAN's loss.

Both networks have 8 units, as in the original code, and start from random weights; the generator's reward
is -log(1-D). Beside the paper's loss, the logarithm of a mean over the batch, stand eq. 5 without the
logarithm, the logarithm of means over 8 names (over one, it is maximum likelihood), every other estimator
and the controls. Real and generated names are padded to the same length.

A tenth of the names is held out: what is measured against real names, is against those. `paper` has 200
epochs of 62 batches of 128, as many as the paper's 7,944 names make; `standard` is from scratch too, but
with larger steps, far from the end of training. So little decides nothing between estimators: of the others
it has leave-one-out REINFORCE, MaliGAN and self-normalised importance sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from bench.errors import UserError
from bench.sessions import adversarial, controls, wordlists
from bench.sessions.parameters import require_parameters
from bench.sessions.pretrained import TaskMaker
from bench.sessions.settings import Settings, left_out, smoke
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators, tasks
from discgan_core.game import Game, surprise
from discgan_core.interface import Estimator
from discgan_core.tasks import Task
from discgan_core.tasks.names import split

PAPER = "likelihood"
OWN = {PAPER: ("samples",)}
FORMS: dict[str, dict[str, Any]] = {"eq5": {"logarithm": False}, "k=8": {"samples": 8}}
"""Other forms of the paper's loss, and what they are made with."""

EPOCH = 62


@dataclass(frozen=True)
class NameSettings(Settings):
    """An adversarial experiment's settings, and where the names come from.

    Attributes:
        source: where the names come from, which `--source` and `--data` say: one of `wordlists.SOURCES`, or a
            file as `wordlists.fingerprint` names it.
    """

    source: str = "census"


STANDARD = NameSettings(
    sessions=30,
    lengths=(10,),
    stack=30,
    updates=18,
    discriminator_steps=1,
    measurements=3,
    generator_rate=0.02,
    discriminator_rate=0.02,
    pretraining=((10, 0, 0.0),),
    warmup=0,
    batch=64,
    generated=64,
    hidden=8,
    training_set=4096,
    samples=256,
    corpus=True,
    draws=16,
    left_out=(
        *("arsm", "disarm", "double_control_variate", "gapped_straight_through", "gumbel_rao"),
        *("gumbel_softmax", "local_expectation", "rebar", "rebar_sequence", "reinforce", "reinmax"),
        *("relax", "relax_sequence", "rollout", "straight_through", "unordered_set"),
    ),
)
PRESETS = {
    "smoke": smoke(STANDARD, training_set=512),
    "standard": STANDARD,
    "paper": replace(
        STANDARD,
        stack=15,
        updates=200 * EPOCH,
        measurements=41,
        generator_rate=0.001,
        discriminator_rate=0.001,
        momentum=0.9,
        batch=128,
        generated=128,
        training_set=16_384,
        left_out=(),
        samples=1024,
        draws=32,
    ),
}


@lru_cache
def task_maker(source: str) -> TaskMaker:
    """Give the function that makes the task of a source, with a tenth of its names held out."""

    @lru_cache
    def make(name: str, length: int) -> Task:
        train, held_out = split(words(source, length))
        return tasks.make("names", length, words=train, held_out=held_out)

    return make


def words(source: str, length: int) -> list[str]:
    """Give the names of a source that fit, or those of a user's own file, which must."""
    if source in wordlists.SOURCES:
        return [name for name in wordlists.load(source) if len(name) < length]
    path = wordlists.path_of(source)
    if wordlists.fingerprint(path) != source:
        raise UserError(f"{path} has changed since the command began; give it again for what is in it now")
    return wordlists.read(path, length - 1)


def check(source: str, length: int) -> int:
    """Give the vocabulary of a source's names, or say why there are none of that length."""
    try:
        return task_maker(source)("names", length).vocabulary
    except ValueError as error:
        raise UserError(f"experiment names, length {length}: {error}") from None


def conditions(settings: NameSettings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every estimator asked for that need not enumerate, the other forms of the loss, and the controls."""
    source = wordlists.shown(settings.source)
    found = []
    for length in lengths:
        vocabulary = check(settings.source, length)
        require_parameters(settings, vocabulary)
        asked = [n for n in names if estimators.bare(n) != "exact"]
        asked = [n for n in asked if not left_out(settings, estimators.bare(n), length)]
        able = [n for n in asked if estimators.make(n).supports(length, vocabulary)]
        plain = [Condition("names", length, name, source=source) for name in able]
        forms = [Condition("names", length, PAPER, form, source) for form in FORMS if PAPER in able]
        found += [*plain, *forms, *controls.beside(plain)]
    return found


def run(settings: NameSettings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions."""
    estimator = estimator_of(settings, condition)
    trained, game = controls.applied(settings, Game(surprise), condition.setting)
    maker = task_maker(settings.source)
    return adversarial.run("names", trained, condition, sessions, device, estimator, game, maker)


def estimator_of(settings: NameSettings, condition: Condition) -> Estimator:
    """Make the estimator of a condition: the paper's loss is of the whole batch, if nothing else is told."""
    options = FORMS.get(condition.setting, {})
    if estimators.bare(condition.estimator) == PAPER:
        options = {"samples": settings.batch, **estimators.given(condition.estimator), **options}
    return estimators.make(condition.estimator, **options)


def cost(settings: NameSettings, condition: Condition) -> float:
    """Predict seconds per session on one core: of an update by the stack and the rows, of a measurement."""
    update = 25 / settings.stack + 0.01 * (settings.batch + settings.generated)
    measurement = 15 + 0.05 * settings.samples
    return condition.length / 10 * (settings.updates * update + settings.measurements * measurement) / 1000
