"""The only adversarial loop (REGAN algorithm 1), for a stack of sessions at once.

The steps are written for one session and vmapped; the loop draws every session's noise from its own
streams and never mixes sessions, so a session's numbers depend on its seed alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from discgan_core import gradients
from discgan_core.game import REGAN, Game
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import Estimator, Noise, Params, State
from discgan_core.meter import Calls, Meter, MeteredPolicy, MeteredReward, Phase, untimed
from discgan_core.models.discriminator import discriminator_loss
from discgan_core.optim import OPTIMISERS, AdamState, adam_init, adam_step
from discgan_core.randomness import Streams
from discgan_core.tasks import Task


@dataclass(frozen=True)
class Schedule:
    """How long, how often and how fast everything is trained; the same for all estimators.

    Attributes:
        updates: generator updates, or rounds of several.
        discriminator_steps: discriminator batches at the beginning of each round.
        generator_rate: Adam's learning rate of the adversarial generator.
        discriminator_rate: Adam's, of the discriminator.
        pretraining_epochs: of maximum likelihood, over the training set.
        pretraining_rate: Adam's, of maximum likelihood.
        momentum: b1 of Adam in adversarial training; pre-training has 0.9.
        warmup: discriminator batches between pre-training and the first update.
        batch: real sequences in a batch.
        generated: generated sequences in a batch.
        hidden: units of both LSTMs.
        training_set: real sequences that a session trains on.
        generator_steps: generator updates of each round.
        pretraining_end: what is left of the pre-training's rate at its end; it falls in a straight line.
        optimiser: of the adversarial generator, one of `discgan_core.optim.OPTIMISERS`.
        epsilon: of Adam, for the adversarial generator.
    """

    updates: int
    discriminator_steps: int
    generator_rate: float
    discriminator_rate: float
    pretraining_epochs: int
    pretraining_rate: float
    warmup: int
    momentum: float = 0.9
    batch: int = 128
    generated: int = 128
    hidden: int = 32
    training_set: int = 10_000
    generator_steps: int = 1
    pretraining_end: float = 1.0
    optimiser: str = "adam"
    epsilon: float = 1e-8

    def rates(self) -> Iterator[float]:
        """Give the rate of every maximum-likelihood update."""
        updates = self.pretraining_epochs * (self.training_set // self.batch)
        for done in range(updates):
            yield self.pretraining_rate * (1 - (1 - self.pretraining_end) * done / updates)

    def beginning(self) -> Schedule:
        """Give what is done before the first update, which schedules that differ later have in common."""
        return replace(self, updates=0, discriminator_steps=0, generator_steps=0)


class Players(NamedTuple):
    """Everything that training changes; every tensor is stacked over sessions."""

    generator: Params
    generator_adam: AdamState
    discriminator: Params
    discriminator_adam: AdamState
    state: State
    updates: Tensor  # of the generator, done so far


def stack(trees: Sequence[Any]) -> Any:
    """Stack equal trees of tensors, one per session, along a new first axis."""
    return tree_map(lambda *leaves: torch.stack(leaves), *trees)


def each(tensors: Params) -> list[Params]:
    """Take stacked tensors apart: one dictionary for every session."""
    rows = zip(*tensors.values(), strict=True)
    return [dict(zip(tensors, row, strict=True)) for row in rows]


def untrained(theta: Params, phi: Params) -> Players:
    """Make players of stacked parameters that nothing has been done to yet."""
    updates = next(iter(theta.values())).new_zeros(len(next(iter(theta.values()))))
    return Players(theta, vmap(adam_init)(theta), phi, vmap(adam_init)(phi), State(), updates)


def pretrain(task: Task, schedule: Schedule, streams: Streams, game: Game = REGAN) -> tuple[Players, Tensor]:
    """Make the players, train the generator by maximum likelihood, and warm the discriminator up.

    Nothing here depends on the estimator.

    Args:
        task: the source of real sequences.
        schedule: as it says.
        streams: of the sessions.
        game: its rules.

    Returns:
        players without an estimator's state, and the training sets [sessions, n, T].
    """
    players, data = begin(task, schedule, streams, game)
    return prepare(players, data, schedule, streams, game), data


def begin(task: Task, schedule: Schedule, streams: Streams, game: Game) -> tuple[Players, Tensor]:
    """Draw the training sets and the players' first parameters; as `pretrain`."""
    data = torch.stack([task.sample(schedule.training_set, g) for g in streams.generators("data")])
    theta, phi = (
        tree_map(
            lambda leaf: leaf.to(streams.device),
            stack([init(task.vocabulary, schedule.hidden, g) for g in streams.generators(purpose)]),
        )
        for purpose, init in (("generator", game.init), ("discriminator", game.init_discriminator))
    )
    return untrained(theta, phi), data.to(streams.device)


def prepare(players: Players, data: Tensor, schedule: Schedule, streams: Streams, game: Game) -> Players:
    """Train the generator by maximum likelihood, and warm the discriminator up; as `pretrain`."""
    for batch, rate in zip(epochs(data, schedule, streams), schedule.rates(), strict=True):
        noise = streams.noise(game.latent_noise(schedule.hidden), schedule.batch, "likelihood")
        step = vmap(likelihood_step, in_dims=(0, 0, 0, None, None))
        players = step(players, batch, noise, rate, game)
    for _ in range(schedule.warmup):
        players = discriminator_batch(players, data, schedule, streams, game)
    return players


def epochs(data: Tensor, schedule: Schedule, streams: Streams) -> Iterator[Tensor]:
    """Pass over each session's data in whole batches, shuffled anew every epoch."""
    for _ in range(schedule.pretraining_epochs):
        order = [torch.from_numpy(g.permutation(data.shape[1])) for g in streams.generators("order")]
        shuffled = torch.stack(order).to(data.device)
        for start in range(0, data.shape[1] - schedule.batch + 1, schedule.batch):
            yield take(data, shuffled[:, start : start + schedule.batch])


def take(data: Tensor, index: Tensor) -> Tensor:
    """Pick rows of each session's data [S, n, T] by index [S, batch]."""
    return data[torch.arange(len(data), device=data.device)[:, None], index]


def likelihood_step(players: Players, batch: Tensor, noise: Noise, rate: float, game: Game) -> Players:
    """Climb the likelihood of one batch [N, T]; one session."""

    def loss(theta: Params) -> Tensor:
        return -game.policy(theta, batch.shape[1], noise).log_likelihood(batch).sum(1).mean()

    gradient = grad(loss)(players.generator)
    theta, adam = adam_step(players.generator, gradient, players.generator_adam, rate)
    return players._replace(generator=theta, generator_adam=adam)


def latent_noise(players: Players, game: Game) -> dict[str, tuple[int, ...]]:
    """Ask for what a sample of the generator starts from."""
    return game.latent_noise(players.generator["lstm.recurrent"].shape[-1]) if game.latent else {}


def shown(
    players: Players, tokens: Tensor, generated: int, streams: Streams, game: Game = REGAN
) -> tuple[Tensor, Tensor]:
    """Show what the discriminator sees of real tokens [S, N, T] and of newly generated sequences.

    Returns:
        x of the real ones and of the others, tokens [S, N, T] or vectors [S, N, T, V].
    """
    length, vocabulary = tokens.shape[2], players.generator["out.bias"].shape[-1]
    asked = game.view.fake_noise(length, vocabulary) | latent_noise(players, game)
    fake_noise = streams.noise(asked, generated, "fake")
    real_noise = streams.noise(game.view.real_noise(length, vocabulary), tokens.shape[1], "real")

    def one(players: Players, tokens: Tensor, real_noise: Noise, fake_noise: Noise) -> tuple[Tensor, Tensor]:
        policy = game.policy(players.generator, length, fake_noise)
        fake = game.view.fake(policy, fake_noise, players.updates)
        return game.view.real(tokens, vocabulary, real_noise, players.updates), fake

    return vmap(one)(players, tokens, real_noise, fake_noise)


def discriminator_batch(
    players: Players,
    data: Tensor,
    schedule: Schedule,
    streams: Streams,
    game: Game = REGAN,
    phase: Phase = untimed,
) -> Players:
    """Train the discriminator on one batch of each kind; all sessions."""
    tokens = take(data, streams.integers("real", data.shape[1], (schedule.batch,)))
    with phase("sampling"):
        real, fake = shown(players, tokens, schedule.generated, streams, game)
    with phase("discriminator"):
        return vmap(discriminator_step, in_dims=(0, 0, 0, None))(players, real, fake, schedule)


def discriminator_step(players: Players, real: Tensor, fake: Tensor, schedule: Schedule) -> Players:
    """Descend the discriminator's loss on real and generated x [N, T, V]; one session."""
    gradient = grad(lambda phi: discriminator_loss(phi, real, fake)[0])(players.discriminator)
    betas = (schedule.momentum, 0.999)
    phi, adam = adam_step(
        players.discriminator, gradient, players.discriminator_adam, schedule.discriminator_rate, betas
    )
    return players._replace(discriminator=phi, discriminator_adam=adam)


def problem(players: Players, length: int, game: Game = REGAN, phase: Phase = untimed) -> Problem:
    """Say what the generator climbs: the reward that the discriminator, as it stands, gives it."""
    return Problem(
        policy=lambda theta, noise: MeteredPolicy(game.policy(theta, length, noise), Meter(), phase),
        reward=lambda noise: game.reward(players.discriminator, noise),
    )


def generator_step(
    players: Players,
    noise: Noise,
    batch: Tensor,
    estimator: Estimator,
    schedule: Schedule,
    game: Game = REGAN,
    phase: Phase = untimed,
) -> Players:
    """Climb J by one estimated gradient, and let the estimator adapt; one session."""
    gradient, feedback = update_gradient(
        estimator,
        problem(players, batch.shape[1], game, phase),
        players.generator,
        noise,
        players.state,
        batch,
    )
    descent = {name: -g for name, g in gradient.items()}
    betas, step = (schedule.momentum, 0.999), OPTIMISERS[schedule.optimiser]
    theta, adam = step(
        players.generator, descent, players.generator_adam, schedule.generator_rate, betas, schedule.epsilon
    )
    state = estimator.adapt(players.state, feedback._replace(theta=theta))
    return players._replace(generator=theta, generator_adam=adam, state=state, updates=players.updates + 1)


def noise_shapes(
    estimator: Estimator, task: Task, players: Players, game: Game = REGAN
) -> dict[str, tuple[int, ...]]:
    """List the uniforms of one sample: the estimator's, the null reward's, the generator's start."""
    asked = estimator.noise(task.length, task.vocabulary)
    return {**asked, "reward": (), **latent_noise(players, game)}


def initial_state(
    players: Players, task: Task, estimator: Estimator, streams: Streams, game: Game = REGAN
) -> State:
    """Make what the estimator carries along, for every session."""
    policies = [game.policy(theta, task.length, {}) for theta in each(players.generator)]
    seeds = streams.generators("estimator")
    states = stack([estimator.init(*pair) for pair in zip(policies, seeds, strict=True)])
    moved: State = tree_map(lambda leaf: leaf.to(streams.device), states)
    return moved


def adversarial(
    players: Players,
    data: Tensor,
    task: Task,
    estimator: Estimator,
    schedule: Schedule,
    streams: Streams,
    game: Game = REGAN,
    phase: Phase = untimed,
) -> Iterator[Players]:
    """Train generator against discriminator; yields the players before the first round and after each.

    Args:
        players: as `pretrain` leaves them; never changed in place.
        data: training sets [sessions, n, T].
        task: their source.
        estimator: of the generator's gradient.
        schedule: as it says; Adam's moments start anew.
        streams: of the sessions; fresh ones, so that all estimators meet the same noise.
        game: its rules.
        phase: keeps the time of "sampling", "discriminator" and "generator".
    """
    state = initial_state(players, task, estimator, streams, game)
    players = players._replace(generator_adam=vmap(adam_init)(players.generator), state=state)
    shapes = noise_shapes(estimator, task, players, game)
    step = vmap(lambda p, n, b: generator_step(p, n, b, estimator, schedule, game, phase))
    yield players
    for _ in range(schedule.updates):
        for _ in range(schedule.discriminator_steps):
            players = discriminator_batch(players, data, schedule, streams, game, phase)
        for _ in range(schedule.generator_steps):
            batch = take(data, streams.integers("batch", data.shape[1], (schedule.batch,)))
            with phase("generator"):
                players = step(players, streams.noise(shapes, schedule.generated), batch)
        yield players


def calls_per_update(
    players: Players, task: Task, estimator: Estimator, schedule: Schedule, game: Game = REGAN
) -> Calls:
    """Count the sequences that pass through each model in one round: its generator updates and the rest."""
    step = Calls(schedule.generated, schedule.batch + schedule.generated)
    own = calls_of(players, task, estimator, schedule.generated, schedule.batch, game)
    return own.times(schedule.generator_steps) + step.times(schedule.discriminator_steps)


def calls_of(
    players: Players, task: Task, estimator: Estimator, generated: int, batch: int, game: Game = REGAN
) -> Calls:
    """Count what an estimate takes, from so many generated and so many real sequences."""
    one, noise, meter = *trial(players, task, estimator, generated, game), Meter()
    leaf = leaf_of(one)
    real = torch.zeros(batch, task.length, dtype=torch.long, device=leaf.device)
    policy = MeteredPolicy(game.policy(one.generator, task.length, noise), meter)
    like = leaf.new_empty(0, task.vocabulary)
    judge = MeteredReward(game.reward(one.discriminator, noise), meter, like)
    estimator.estimate(policy, judge, noise, one.state, real)
    return meter.calls


def sequences_per_draw(players: Players, task: Task, estimator: Estimator, game: Game = REGAN) -> int:
    """Count the sequences that one draw takes, by which variances of draws are made those of samples."""
    size = estimator.samples_per_draw
    one, noise = trial(players, task, estimator, size, game)
    real = torch.zeros(size, task.length, dtype=torch.long, device=leaf_of(one).device)
    aim = problem(one, task.length, game)
    return gradients.sequences_per_draw(estimator, aim, one.generator, noise, one.state, real)


def leaf_of(players: Players) -> Tensor:
    """Give some tensor of the generator's, for its type and device."""
    return next(iter(players.generator.values()))


def trial(
    players: Players, task: Task, estimator: Estimator, rows: int, game: Game
) -> tuple[Players, dict[str, Tensor]]:
    """Give the first session, and noise for so many samples that no stream is drawn from: to count with."""
    one, shapes = tree_map(lambda leaf: leaf[0], players), noise_shapes(estimator, task, players, game)
    leaf = leaf_of(one)
    return one, {name: leaf.new_full((rows, *shape), 0.5) for name, shape in shapes.items()}
