"""Variances are multiplied by the sequences that a draw takes, whatever it declares."""

from __future__ import annotations

import torch
from torch.func import vmap

from bench.sessions.measure import Gradients
from bench.sessions.updates import Updates
from bench.tables import schema
from discgan_core import tasks, training
from discgan_core.estimators.reinforce import reinforce
from discgan_core.game import REGAN
from discgan_core.interface import Estimate
from discgan_core.models.discriminator import init_discriminator
from discgan_core.models.generator import init_generator
from discgan_core.randomness import Streams

TASK = tasks.make("grammar", 3)


def measure():
    """Make a new measurement of the same two sessions, whose draws are the same every time."""
    streams = Streams("sequences", range(2))
    made = [
        training.stack([init(TASK.vocabulary, 8, g) for g in streams.generators(role)])
        for role, init in (("generator", init_generator), ("discriminator", init_discriminator))
    ]
    players = Updates(TASK, antithetic(), training.untrained(*made), streams).players
    return Gradients(TASK, antithetic(), REGAN, streams), players


def antithetic():
    """Make of one row of uniforms the mean of two sequences."""
    plain = reinforce()

    def estimate(policy, reward, noise, state, data):
        both = {"tokens": torch.cat([noise["tokens"], 1 - noise["tokens"]])}
        return Estimate(plain.estimate(policy, reward, both, state, data).surrogate.reshape(2, -1).mean(0))

    return plain._replace(estimate=estimate)


def total(rows, metric):
    """Pick a metric of all parameters together."""
    return next(row.values for row in rows if row.metric == metric and row.parameter in ("", "total"))


def test_the_variance_of_a_pair_counts_twice():
    gradients, players = measure()
    draws, _ = gradients.draws(players, 64)
    spread = sum(vmap(lambda d: d.var(0).sum().double())(d) for d in draws.values())
    again, players = measure()
    assert again.sequences(players) == 2
    torch.testing.assert_close(
        total(again.log_variance(players, 64, ()), schema.GRADIENT_LOG_VARIANCE).exp(), 2 * spread
    )
    again, players = measure()
    torch.testing.assert_close(total(again.accuracy(players, 64), schema.GRADIENT_VARIANCE), 2 * spread)
