"""How much of the generator's mass the data cover, and what importance sampling on them then gives.

No training: at length 3, where `grammar`'s sessions stand after pre-training, data sets of a growing number
of the V^T sequences, drawn by lot and nested, stand in for the data. Every estimator that learns from data
is held against the enumerated gradient of E[f(s)]; eq. 5 of the likelihood GAN is given the data's number,
without which (eq. 4) it lacks a factor. With all sequences in the data it has no bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from bench.experiments import grammar
from bench.sessions.adversarial import completed, filled, frame
from bench.sessions.measure import Gradients, Row
from bench.sessions.pretrained import pretrained
from bench.sessions.settings import Settings
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators, exact, tasks
from discgan_core.game import REGAN
from discgan_core.interface import Estimator, Params
from discgan_core.models.generator import LSTMPolicy
from discgan_core.policies import log_probs_of_all
from discgan_core.randomness import Streams
from discgan_core.sequences import all_sequences
from discgan_core.training import each

FRACTIONS = (0.03, 0.1, 0.3, 1.0)
LEARN_FROM_DATA = ("likelihood", "self_normalised", "maximum_likelihood")
FIXED = (
    *("updates", "generator_steps", "discriminator_steps", "measurements", "generator_rate", "momentum"),
    *("samples", "corpus", "draws", "strings", "parameters", "left_out", "prices"),
)
PLAIN = "eq5 "
LOT = 0
"""The seed by which sequences come into the data."""
SEQUENCES = {"smoke": 512, "standard": 2048, "paper": 65_536}
"""Real sequences from which each gradient's draws are made."""

PRESETS = {
    name: replace(settings, lengths=(3,), stack=30, updates=0, bias_draws=SEQUENCES[name])
    for name, settings in grammar.PRESETS.items()
}


def conditions(settings: Settings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """Every estimator that learns from data, at every fraction; the likelihood GAN's with and without log."""
    found = []
    for length in lengths:
        if not exact.enumerable(length, grammar.check("grammar", length)):
            continue
        forms = [(name, "") for name in estimators.among(names, LEARN_FROM_DATA)]
        forms += [("likelihood", PLAIN)] if "likelihood" in names else []
        found += [
            Condition("grammar", length, name, f"{form}covered={fraction:g}")
            for name, form in forms
            for fraction in FRACTIONS
        ]
    return found


def run(settings: Settings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Measure some sessions with the data that the setting's name says."""
    stack, study = filled(sessions, settings.batch), f"grammar/{condition.length}"
    task, schedule = tasks.make("grammar", condition.length), settings.schedule(condition.length)
    players, _ = pretrained("grammar", condition.length, schedule.beginning(), stack, device)
    chosen = lot(task.vocabulary**task.length, fraction_of(condition))
    data = all_sequences(task.length, task.vocabulary)[chosen]
    known = task._replace(sample=lambda n, rng: data[torch.from_numpy(rng.integers(len(data), size=n))])
    streams = Streams(f"{study}/coverage", stack, device)
    estimator = estimator_of(settings, condition)
    measure = Gradients(known, estimator, REGAN, streams)
    rows = list(measure.accuracy(players, settings.bias_draws // estimator.samples_per_draw))
    masses = [mass(theta, condition.length, chosen) for theta in each(players.generator)]
    table = frame([*rows, Row(schema.COVERED_MASS, "", torch.stack(masses))], stack, 0)
    return completed(table, sessions)


def fraction_of(condition: Condition) -> float:
    """Read off the setting how much the data hold."""
    return float(condition.setting.rpartition("=")[2])


def estimator_of(settings: Settings, condition: Condition) -> Estimator:
    """Make the estimator that a condition names; eq. 5 is given how many sequences the data have."""
    if condition.setting.startswith(PLAIN):
        every = grammar.check("grammar", condition.length) ** condition.length
        size = len(lot(every, fraction_of(condition)))
        return estimators.make(condition.estimator, logarithm=False, size=size)
    return estimators.make(condition.estimator)


def rows(settings: Settings, estimator: Estimator) -> tuple[str, int]:
    """Give what is taken apart into draws."""
    return "bias_draws", settings.bias_draws


def lot(count: int, fraction: float) -> Tensor:
    """Draw that fraction of `count` sequences, by their places; a larger fraction holds a smaller one."""
    return torch.from_numpy(np.random.default_rng(LOT).permutation(count)[: max(1, round(fraction * count))])


def mass(theta: Params, length: int, chosen: Tensor) -> Tensor:
    """Give the probability that the generator writes one of the chosen sequences."""
    log_probs = log_probs_of_all(LSTMPolicy(theta, length))
    return log_probs[chosen.to(log_probs.device)].exp().sum()


def cost(settings: Settings, condition: Condition) -> float:
    """Predict seconds per session on one core."""
    return condition.length / 3 * (0.02 + settings.bias_draws * 1e-5)
