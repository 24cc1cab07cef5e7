"""REGAN appendix B, figure 6: REBAR at length 3 over orders of magnitude of the temperature lambda.

The same sessions as in `grammar`, but for lambda; both forms of REBAR, per step and whole sequence. The
controls beside them have no temperature: they are the same for every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.experiments import grammar
from bench.sessions import adversarial, controls
from bench.sessions.parameters import require_parameters
from bench.sessions.settings import Settings
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators
from discgan_core.game import REGAN
from discgan_core.interface import Estimator

LAMBDAS = (0.01, 0.1, 1.0, 10.0, 100.0)
FORMS = ("rebar", "rebar_sequence")
REFERENCE = "maximum_likelihood"
VARIES = ("temperature",)
FIXED = ("left_out",)

PRESETS = {name: replace(settings, lengths=(3,), corpus=False) for name, settings in grammar.PRESETS.items()}
PRESETS["standard"] = replace(PRESETS["standard"], updates=16, measurements=2, bias_draws=256)


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Both forms, where asked for, at every temperature, and the controls."""
    found = []
    for length in lengths:
        require_parameters(settings, grammar.check("grammar", length))
        plain = [Condition("grammar", length, name) for name in names]
        points = [f"lambda={value:g}" for value in LAMBDAS]
        forms = [c for c in plain if estimators.bare(c.estimator) in FORMS]
        found += [c._replace(setting=point) for c in forms for point in points]
        found += [c for c in plain if c.estimator == REFERENCE] + list(controls.beside(plain))
    return found


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions at the temperature in the setting's name, or a control."""
    estimator = estimator_of(settings, condition)
    settings, game = controls.applied(settings, REGAN, condition.setting)
    return adversarial.run("grammar", settings, condition, sessions, device, estimator, game)


def estimator_of(settings: Settings, condition: Condition) -> Estimator:
    """Make the estimator with the temperature in the setting's name, if there is one."""
    _, swept, value = condition.setting.partition("lambda=")
    return estimators.make(condition.estimator, **({"temperature": float(value)} if swept else {}))


cost = grammar.cost
