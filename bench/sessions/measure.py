"""What is measured of a stack of sessions at one moment of training: rows of the metrics table.

Every function looks at all sessions at once and gives metric rows with one value per session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from bench.tables import schema
from discgan_core import accuracy, exact, gradients
from discgan_core.accuracy import Accuracy, Moments
from discgan_core.game import Game
from discgan_core.interface import Estimate, Estimator, Params
from discgan_core.models.discriminator import discriminator_logits, discriminator_loss
from discgan_core.models.generator import LSTMPolicy
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import (
    Players,
    each,
    latent_noise,
    noise_shapes,
    problem,
    sequences_per_draw,
    shown,
)

CHUNK = 256
"""Draws whose gradients are held at once, so that memory stays small."""


COUNTED = 64
"""Symbols of a vocabulary, at most, that are counted one by one and in pairs: more make V rows that nobody
reads at every moment, and V^2 counts of which hardly any are not zero."""

PART = 64
"""Sequences whose likelihoods are computed at once, so that memory stays small."""

NEVER = -1e9
"""A logit that no token is drawn with."""


class Row(NamedTuple):
    """One metric of all sessions: values [sessions]."""

    metric: str
    parameter: str
    values: Tensor


def sampled(players: Players, length: int, count: int, streams: Streams, game: Game) -> Tensor:
    """Let every session's generator write `count` sequences: [sessions, count, T]."""
    noise = streams.noise({"tokens": (length,), **latent_noise(players, game)}, count, "samples")
    sample = vmap(lambda theta, noise: game.policy(theta, length, noise).sample(noise["tokens"]))
    return sample(players.generator, noise)


def forced(task: Task, players: Players, count: int, streams: Streams, game: Game) -> Tensor:
    """Let every generator write `count` sequences without the end mark: [sessions, count, T]."""
    bias = players.generator["out.bias"].clone()
    bias[:, task.end] = NEVER
    forbidden = players._replace(generator={**players.generator, "out.bias": bias})
    return sampled(forbidden, task.length, count, streams, game)


def quality(task: Task, tokens: Tensor) -> Iterator[Row]:
    """Judge generated sequences by the task's own measures and, if V is small, their tokens' frequencies."""
    sessions, count, _ = tokens.shape
    for metric, values in task.quality(tokens.flatten(0, 1)).items():
        yield Row(metric, "", values.double().reshape(sessions, count).mean(1))
    for token, symbol in enumerate(task.symbols if task.vocabulary <= COUNTED else ()):
        yield Row(schema.UNIGRAM, symbol, (tokens == token).double().mean((1, 2)))


def bigrams(tokens: Tensor, vocabulary: int) -> Tensor:
    """Give the frequencies of neighbouring tokens, with half a count added: [..., n, T] -> [..., V^2]."""
    pairs = (tokens[..., :-1] * vocabulary + tokens[..., 1:]).flatten(-2)
    counts = torch.full((*pairs.shape[:-1], vocabulary**2), 0.5, dtype=torch.float64, device=pairs.device)
    counts.scatter_add_(-1, pairs, torch.ones_like(pairs, dtype=counts.dtype))
    return counts / counts.sum(-1, keepdim=True)


def against_data(
    task: Task, players: Players, tokens: Tensor, real: Tensor, streams: Streams, game: Game
) -> Iterator[Row]:
    """Compare with real sequences [sessions, m, T]: bigrams if V is small, likelihood, KL divergence."""
    if task.vocabulary <= COUNTED:
        data, ours = (bigrams(t, task.vocabulary) for t in (real, tokens))
        yield Row(schema.BIGRAM_KL, "", (data * (data / ours).log()).sum(-1))
    latent = streams.noise(latent_noise(players, game), real.shape[1], "likelihood")
    known = vmap(partial(log_probabilities, game=game))(players.generator, real, latent)
    yield Row(schema.CROSS_ENTROPY, "", -per_session(known) / known[0].numel())
    if exact.enumerable(task.length, task.vocabulary) and not game.latent:
        data = task.enumerated().to(real.device)
        policies = [LSTMPolicy(theta, task.length) for theta in each(players.generator)]
        found = [exact.data_divergence(policy, data) for policy in policies]
        yield Row(schema.EXACT_KL, "", torch.stack(found))


def losses(players: Players, real: Tensor, streams: Streams, game: Game) -> Iterator[Row]:
    """Judge real sequences [sessions, m, T], and as many generated ones, as the discriminator sees them."""
    shows = shown(players, real, real.shape[1], streams, game)
    loss, accuracy = vmap(discriminator_loss)(players.discriminator, *shows)
    yield Row(schema.DISCRIMINATOR_LOSS, "", loss)
    yield Row(schema.DISCRIMINATOR_ACCURACY, "", accuracy)
    odds = vmap(discriminator_logits)(players.discriminator, shows[1])
    yield Row(schema.GENERATOR_LOSS, "", -odds.mean(1))


def log_probabilities(theta: dict[str, Tensor], real: Tensor, noise: dict[str, Tensor], game: Game) -> Tensor:
    """Give log p(x_t | x_<t) of real sequences [m, T], in pieces that bound memory: [m, T]; one session."""
    parts = zip(*(array.split(PART) for array in (real, *noise.values())), strict=True)
    found = [
        game.policy(theta, real.shape[1], dict(zip(noise, latent, strict=True))).log_likelihood(tokens)
        for tokens, *latent in parts
    ]
    return torch.cat(found)


def apart(players: Players) -> list[Players]:
    """Take a stack apart into stacks of one session."""
    return [tree_map(itemgetter([n]), players) for n in range(len(players.updates))]


class Gradients:
    """Draws of an estimator at the sessions' present parameters.

    Args:
        task: its length and vocabulary.
        estimator: whose gradient.
        game: its rules.
        streams: of the measurement, apart from those of training.
    """

    def __init__(self, task: Task, estimator: Estimator, game: Game, streams: Streams) -> None:
        self.task, self.estimator, self.game, self.streams = task, estimator, game, streams
        self._sequences = 0

    def sequences(self, players: Players) -> int:
        """Count the sequences that one draw takes; whatever the parameters, it is the same number."""
        if not self._sequences:
            self._sequences = sequences_per_draw(players, self.task, self.estimator, self.game)
        return self._sequences

    def draws(self, players: Players, count: int) -> tuple[dict[str, Tensor], Estimate]:
        """Give draws of every parameter's gradient, and their estimates: [sessions, count, ...]."""
        rows = count * self.estimator.samples_per_draw
        noise = self.streams.noise(noise_shapes(self.estimator, self.task, players, self.game), rows, "draws")
        sets = self.streams.generators("draws/data")
        data = torch.stack([self.task.sample(rows, g) for g in sets]).to(self.streams.device)

        def one(
            players: Players, noise: dict[str, Tensor], data: Tensor
        ) -> tuple[dict[str, Tensor], Estimate]:
            aim = problem(players, self.task.length, self.game)
            arguments = (self.estimator, aim, players.generator, noise, players.state, data)
            return gradients.draw_gradients(*arguments)

        return vmap(one)(players, noise, data)

    def log_variance(self, players: Players, count: int, chosen: tuple[str, ...]) -> Iterator[Row]:
        """Measure ln of the variance per sample: of the parameters chosen, of each tensor, in total."""
        spread = partial(gradients.variance_per_sample, sequences=self.sequences(players))
        draws, estimates = self.draws(players, count)
        variances = vmap(spread)(draws)
        tensors = {name: per_session(v) for name, v in variances.items()}
        elements = {name: element(variances, name) for name in chosen}
        total = reduce(torch.add, tensors.values())
        for name, values in {**elements, **tensors, "total": total}.items():
            if (values > 0).any():
                yield Row(schema.GRADIENT_LOG_VARIANCE, name, values.log())
        told = {schema.SURROGATE: estimates.surrogate, **estimates.info}
        for name in (schema.SURROGATE, schema.EFFECTIVE_SAMPLES):
            if name in told and (told[name] != 0).any():  # a score function's surrogate has no value
                yield Row(name, "", per_session(told[name]) / told[name].shape[1])

    def accuracy(self, players: Players, count: int) -> Iterator[Row]:
        """Compare the mean of many draws with the enumerated gradient, all parameters together."""
        truths = self.exact(players)
        sums = self.sums(players, count, truths)
        found = [
            accuracy.accuracy(*pair, players.generator)[accuracy.TOTAL]
            for pair in zip(sums, truths, strict=True)
        ]
        yield from of_accuracy(found, self.sequences(players))

    def sums(self, players: Players, count: int, truths: list[Tensor]) -> list[Moments]:
        """Sum draws up, those of every session by themselves."""
        sums: list[Moments] = []
        for start in range(0, count, CHUNK):
            draws = each(self.draws(players, min(CHUNK, count - start))[0])
            more = [accuracy.moments(*pair) for pair in zip(draws, truths, strict=True)]
            pairs = zip(sums, more, strict=True) if sums else ()
            sums = [Moments(*map(torch.add, *pair)) for pair in pairs] or more
        return sums

    def exact(self, players: Players) -> list[Tensor]:
        """Give the exact gradient of every session; one at a time, for each may take much memory."""
        return [self.exact_of(one) for one in apart(players)]

    def exact_of(self, one: Players) -> Tensor:
        """Give the exact gradient of one session, [parameters]."""
        return accuracy.flatten(each(vmap(self._exact)(one.generator, one.discriminator))[0])

    def _exact(self, theta: Params, phi: Params) -> Params:
        length, reward = self.task.length, self.game.reward(phi, {})
        return grad(lambda th: exact.expected_reward(self.game.policy(th, length, {}), reward))(theta)


def of_accuracy(found: Sequence[Accuracy], sequences: int, parameter: str = "") -> Iterator[Row]:
    """Give what the sessions' draws, of so many sequences each, tell of a tensor or of all parameters."""
    values = Accuracy(*map(torch.stack, zip(*found, strict=True)))
    yield Row(schema.GRADIENT_BIAS_SQUARED, parameter, values.bias_squared)
    yield Row(schema.GRADIENT_NORM_SQUARED, parameter, values.norm_squared)
    yield Row(schema.GRADIENT_COSINE, parameter, values.cosine)
    yield Row(schema.GRADIENT_VARIANCE, parameter, values.variance * sequences)


def per_session(values: Tensor) -> Tensor:
    """Sum [sessions, ...] session by session: the last digit of a stack's may depend on its size."""
    return torch.stack([row.double().sum() for row in values])


def element(tensors: dict[str, Tensor], name: str) -> Tensor:
    """Pick one number per session by a name like `out.weight[0,0]`."""
    tensor, _, index = name.rstrip("]").partition("[")
    flat = np.ravel_multi_index([int(n) for n in index.split(",")], tensors[tensor].shape[1:])
    return tensors[tensor].flatten(1)[:, int(flat)]
