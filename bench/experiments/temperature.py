"""REGAN appendix B, figure 6: REBAR at length 3 over orders of magnitude of the temperature lambda.

The same sessions as in `grammar`, but for lambda; both forms of REBAR, per step and whole sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench import adversarial
from bench.adversarial import Settings
from bench.experiments import Condition, Outcome, grammar
from discgan_core import estimators

LAMBDAS = (0.01, 0.1, 1.0, 10.0, 100.0)
FORMS = ("rebar", "rebar_sequence")

PRESETS = {name: replace(settings, lengths=(3,), corpus=False) for name, settings in grammar.PRESETS.items()}
PRESETS["standard"] = replace(PRESETS["standard"], updates=16, measurements=2, bias_draws=256)


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Both forms, where asked for, at every temperature."""
    for length in lengths:
        grammar.check("grammar", length)
    return [
        Condition("grammar", length, name, f"lambda={value:g}")
        for length in lengths
        for name in FORMS
        if name in names
        for value in LAMBDAS
    ]


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions at the temperature in the setting's name."""
    estimator = estimators.make(
        condition.estimator, temperature=float(condition.setting.removeprefix("lambda="))
    )
    return adversarial.run("grammar", settings, condition, sessions, device, estimator)


cost = grammar.cost
