"""Kusner and Hernandez-Lobato section 4: a Gumbel-softmax GAN learns the strings of a context-free grammar.

The generator starts from noise in place of both its states, everything from random weights, and minimises
-log D/(1-D). Relaxed generated strings meet real ones smoothed to 0.9 on the right character and passed
through the Gumbel-softmax. The paper's four variants differ in one line each of `VARIANTS`. Beside them:
the variant under which we found most strings to parse, the maximum-likelihood LSTM (which starts from
zero), the controls, and every other estimator, whose hard samples meet hard real strings.

What `tuned` took: a constant temperature of 0.5, a discriminator that learns four times as fast and sees
hard strings on both sides (relaxed samples still carry the generator's gradient), b1 = 0.5, and an end
after 5,000 iterations. In `paper`, 8 sessions: 0.998 of the strings parse then, nearly all of them "x".
Trained on, they stay above 0.98 but for an excursion of one session at a time, to 0 at the last.

`paper` has the paper's 20,000 iterations, batches of 200 and Adam at 0.001 for the variants; `standard`
24 iterations of 32 at 0.015, with b1 = 0.5, the fastest learning found that still trains every variant. So
few decide nothing between estimators: of the others it has leave-one-out REINFORCE alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from bench.experiments.grammar import check
from bench.sessions import adversarial, controls
from bench.sessions.parameters import require_parameters
from bench.sessions.settings import Settings, left_out, smoke
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators
from discgan_core.game import HARD, Game, View, log_odds, relaxed, surprise
from discgan_core.interface import Estimator
from discgan_core.models.generator import init_with_cell
from discgan_core.relaxed import Schedule, linear

RELAXED = "gumbel_softmax"
OWN = {RELAXED: ("temperature",)}
LIKELIHOOD = "maximum_likelihood"


REWARDS = {"likelihood": surprise}
"""Where log D/(1-D) will not do: the logarithm of a reward that may be negative."""


class Variant(NamedTuple):
    """A Gumbel-softmax GAN: what differs from the first of them.

    Attributes:
        estimator: made from the annealed temperature.
        view: made from it too.
        game: where the generator starts from.
        generated: generated sequences for every real one.
        pace: the discriminator's learning rate, as a multiple of the preset's.
        momentum: b1 of Adam; None leaves the preset's.
        stop: iterations at most.
    """

    estimator: Callable[[Schedule], Estimator] = lambda tau: estimators.make(RELAXED, temperature=tau)
    view: Callable[[Schedule], View] = lambda tau: relaxed(tau, tau)
    game: Game = Game(log_odds, latent=2)
    generated: int = 1
    pace: float = 1.0
    momentum: float | None = None
    stop: int = 20_000


VARIANTS = {
    "annealed": Variant(),
    "generated_1000": Variant(generated=5),
    "input_annealed": Variant(
        estimator=lambda tau: estimators.make(RELAXED, temperature=1.0), view=lambda tau: relaxed(tau, 1.0)
    ),
    "hidden_noise": Variant(game=Game(log_odds, latent=1, init=init_with_cell)),
    "tuned": Variant(
        estimator=lambda tau: estimators.make(RELAXED, temperature=0.5),
        view=lambda tau: HARD,
        pace=4.0,
        momentum=0.5,
        stop=5000,
    ),
}

STANDARD = Settings(
    sessions=30,
    lengths=(12,),
    stack=30,
    updates=24,
    discriminator_steps=1,
    measurements=3,
    generator_rate=0.015,
    discriminator_rate=0.015,
    pretraining=((12, 0, 0.0),),
    warmup=0,
    batch=32,
    generated=32,
    training_set=5000,
    samples=192,
    corpus=True,
    draws=16,
    left_out=(
        *("arsm", "disarm", "double_control_variate", "gapped_straight_through", "gumbel_rao"),
        *("likelihood", "local_expectation", "maligan", "rebar", "rebar_sequence", "reinforce", "reinmax"),
        *("relax", "relax_sequence", "rollout", "self_normalised", "straight_through", "unordered_set"),
    ),
)
PRESETS = {
    "smoke": smoke(STANDARD, training_set=500),
    "standard": STANDARD,
    "paper": replace(
        STANDARD,
        stack=12,
        updates=20_000,
        measurements=41,
        generator_rate=0.001,
        discriminator_rate=0.001,
        momentum=0.9,
        batch=200,
        generated=200,
        samples=1024,
        draws=32,
        left_out=(),
    ),
}


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """The variants, every other estimator that can run without enumerating all strings, and the controls."""
    found = []
    for length in lengths:
        vocabulary = check("cfg", length)
        require_parameters(settings, vocabulary)
        if RELAXED in names:
            found += [Condition("cfg", length, RELAXED, variant) for variant in VARIANTS]
        asked = [n for n in names if n != RELAXED]
        asked = [n for n in asked if estimators.bare(n) != "exact"]
        asked = [n for n in asked if not left_out(settings, estimators.bare(n), length)]
        others = [n for n in asked if able(n, length, vocabulary)]
        plain = [Condition("cfg", length, name) for name in others]
        found += [*plain, *controls.beside(plain)]
    return found


def able(name: str, length: int, vocabulary: int) -> bool:
    """Tell whether an estimator can run there."""
    return estimators.make(name).supports(length, vocabulary)


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions."""
    estimator, game, settings = setup(settings, condition)
    return adversarial.run("cfg", settings, condition, sessions, device, estimator, game)


def estimator_of(settings: Settings, condition: Condition) -> Estimator:
    """Make the estimator that a condition trains with."""
    return setup(settings, condition)[0]


def setup(settings: Settings, condition: Condition) -> tuple[Estimator, Game, Settings]:
    """Give what a condition trains with; the temperature falls from 5 to 1 over the first half."""
    if condition.setting in VARIANTS:
        variant, tau = VARIANTS[condition.setting], linear(5, 1, settings.updates // 2)
        game = variant.game._replace(view=variant.view(tau))
        own = replace(
            settings,
            generated=variant.generated * settings.batch,
            discriminator_rate=variant.pace * settings.discriminator_rate,
            momentum=settings.momentum if variant.momentum is None else variant.momentum,
            updates=min(settings.updates, variant.stop),
        )
        return variant.estimator(tau), game, own
    latent = 0 if condition.estimator == LIKELIHOOD else 2
    plain = Game(REWARDS.get(estimators.bare(condition.estimator), log_odds), latent=latent)
    settings, game = controls.applied(settings, plain, condition.setting)
    return estimators.make(condition.estimator), game, settings


def cost(settings: Settings, condition: Condition) -> float:
    """Predict seconds per session on one core: of an update by the stack and the rows, of a measurement."""
    variant = VARIANTS.get(condition.setting, Variant())
    update = 42 / settings.stack + 0.05 * settings.batch * (0.16 + 0.84 * variant.generated)
    measurement = 15 + 0.05 * settings.samples
    updates = min(settings.updates, variant.stop)
    return condition.length / 12 * (updates * update + settings.measurements * measurement) / 1000
