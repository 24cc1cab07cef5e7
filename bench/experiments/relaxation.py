"""Bias and variance against temperature, at the same parameters: every relaxed estimator, no training.

Jang et al. (2017) say that a low temperature has large variance and a high one large bias. Here both are
measured against the enumerated gradient, at length 3, where `grammar`'s sessions stand after pre-training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.experiments import grammar
from bench.sessions import adversarial
from bench.sessions.parameters import require_parameters
from bench.sessions.settings import Settings
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators
from discgan_core.interface import Estimator

LAMBDAS = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
FORMS = (
    "gumbel_softmax",
    "straight_through",
    "gumbel_rao",
    "reinmax",
    "gapped_straight_through",
    "rebar",
    "rebar_sequence",
)
VARIES = ("temperature",)
FIXED = ("updates", "generator_steps", "discriminator_steps", "generator_rate", "left_out", "prices")
DRAWS = {"smoke": 64, "standard": 128, "paper": 16_384}

PRESETS = {
    name: replace(
        settings,
        lengths=(3,),
        stack=30,
        updates=0,
        samples=64,
        corpus=False,
        strings=0,
        bias_draws=DRAWS[name],
    )
    for name, settings in grammar.PRESETS.items()
}


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every relaxed estimator asked for, at every temperature, where sequences can be enumerated."""
    found = []
    for length in lengths:
        vocabulary = grammar.check("grammar", length)
        require_parameters(settings, vocabulary)
        able = estimators.make("exact").supports(length, vocabulary)
        forms = estimators.among(names, FORMS) if able else []
        found += [Condition("grammar", length, name, f"lambda={tau:g}") for name in forms for tau in LAMBDAS]
    return found


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Measure some sessions at the temperature in the setting's name."""
    estimator = estimator_of(settings, condition)
    return adversarial.run("grammar", settings, condition, sessions, device, estimator)


def estimator_of(settings: Settings, condition: Condition) -> Estimator:
    """Make the estimator with the temperature in the setting's name."""
    tau = float(condition.setting.removeprefix("lambda="))
    return estimators.make(condition.estimator, temperature=tau)


def cost(settings: Settings, condition: Condition) -> float:
    """Predict seconds per session on one core: of the draws, and of what goes before them."""
    return condition.length / 3 * (0.03 + settings.bias_draws * 5e-5)
