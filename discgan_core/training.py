"""The only adversarial loop (REGAN algorithm 1), for a stack of sessions at once.

The steps are written for one session and vmapped; the loop draws every session's noise from its own
streams and never mixes sessions, so a session's numbers depend on its seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import Estimator, Noise, Params, Reward, State
from discgan_core.meter import Calls, Meter, MeteredPolicy, MeteredReward, Phase, untimed
from discgan_core.models.discriminator import (
    DiscriminatorReward,
    discriminator_loss,
    init_discriminator,
)
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.optim import AdamState, adam_init, adam_step
from discgan_core.randomness import Streams
from discgan_core.sequences import log_likelihood, one_hot
from discgan_core.tasks import Task


@dataclass(frozen=True)
class Schedule:
    """How long, how often and how fast everything is trained; the same for all estimators.

    Attributes:
        updates: generator updates.
        discriminator_steps: discriminator batches before each generator update.
        generator_rate: Adam's learning rate of the adversarial generator.
        discriminator_rate: Adam's, of the discriminator.
        pretraining_epochs: of maximum likelihood, over the training set.
        pretraining_rate: Adam's, of maximum likelihood.
        momentum: b1 of Adam in adversarial training; pre-training has 0.9.
        warmup: discriminator batches between pre-training and the first update.
        batch: sequences of each kind in a batch.
        hidden: units of both LSTMs.
        training_set: real sequences that a session trains on.
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
    hidden: int = 32
    training_set: int = 10_000


class Players(NamedTuple):
    """Everything that training changes; every tensor is stacked over sessions."""

    generator: Params
    generator_adam: AdamState
    discriminator: Params
    discriminator_adam: AdamState
    state: State


RewardFactory = Callable[[Params, Noise], Reward]


def judged(discriminator: Params, noise: Noise) -> Reward:
    """Reward a sequence by the discriminator's probability that it is real."""
    return DiscriminatorReward(discriminator)


def null(discriminator: Params, noise: Noise) -> Reward:
    """Reward a sequence by noise, whatever it is: the control that shows what no information gives."""
    return lambda x: noise["reward"][: len(x)]


def stack(trees: Sequence[Any]) -> Any:
    """Stack equal trees of tensors, one per session, along a new first axis."""
    return tree_map(lambda *leaves: torch.stack(leaves), *trees)


def pretrain(task: Task, schedule: Schedule, streams: Streams) -> tuple[Players, Tensor]:
    """Make the players, train the generator by maximum likelihood, and warm the discriminator up.

    Nothing here depends on the estimator.

    Args:
        task: the source of real sequences.
        schedule: as it says.
        streams: of the sessions.

    Returns:
        players without an estimator's state, and the training sets [sessions, n, T].
    """
    device, vocabulary = streams.device, task.vocabulary
    data = torch.stack([task.sample(schedule.training_set, g) for g in streams.generators("data")])
    theta, phi = (
        tree_map(
            lambda leaf: leaf.to(device),
            stack([init(vocabulary, schedule.hidden, g) for g in streams.generators(purpose)]),
        )
        for purpose, init in (("generator", init_generator), ("discriminator", init_discriminator))
    )
    data = data.to(device)
    players = Players(theta, vmap(adam_init)(theta), phi, vmap(adam_init)(phi), State())
    for batch in epochs(data, schedule, streams):
        players = vmap(likelihood_step, in_dims=(0, 0, None))(players, batch, schedule.pretraining_rate)
    for _ in range(schedule.warmup):
        players = discriminator_batch(players, data, schedule, streams)
    return players, data


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


def likelihood_step(players: Players, batch: Tensor, rate: float) -> Players:
    """Climb the likelihood of one batch [N, T]; one session."""

    def loss(theta: Params) -> Tensor:
        log_probs = LSTMPolicy(theta, batch.shape[1]).logits(batch).log_softmax(-1)
        return -log_likelihood(log_probs, batch).sum(1).mean()

    gradient = grad(loss)(players.generator)
    theta, adam = adam_step(players.generator, gradient, players.generator_adam, rate)
    return players._replace(generator=theta, generator_adam=adam)


def discriminator_batch(
    players: Players, data: Tensor, schedule: Schedule, streams: Streams, phase: Phase = untimed
) -> Players:
    """Train the discriminator on one batch of each kind; all sessions."""
    index = streams.integers("real", data.shape[1], (schedule.batch,))
    uniforms = streams.uniforms("fake", (schedule.batch, data.shape[2]))
    with phase("sampling"):
        fake = vmap(lambda theta, u: LSTMPolicy(theta, u.shape[1]).sample(u))(players.generator, uniforms)
    with phase("discriminator"):
        step = vmap(discriminator_step, in_dims=(0, 0, 0, None))
        return step(players, take(data, index), fake, schedule)


def discriminator_step(players: Players, real: Tensor, fake: Tensor, schedule: Schedule) -> Players:
    """Descend the discriminator's loss on real and generated tokens [N, T]; one session."""
    vocabulary, dtype = players.generator["out.bias"].shape[0], players.generator["out.bias"].dtype
    x, y = (one_hot(tokens, vocabulary, dtype) for tokens in (real, fake))
    gradient = grad(lambda phi: discriminator_loss(phi, x, y)[0])(players.discriminator)
    betas = (schedule.momentum, 0.999)
    phi, adam = adam_step(
        players.discriminator, gradient, players.discriminator_adam, schedule.discriminator_rate, betas
    )
    return players._replace(discriminator=phi, discriminator_adam=adam)


def problem(players: Players, length: int, reward: RewardFactory, phase: Phase = untimed) -> Problem:
    """Say what the generator climbs: the reward that the discriminator, as it stands, gives it."""
    return Problem(
        policy=lambda theta: MeteredPolicy(LSTMPolicy(theta, length), Meter(), phase),
        reward=lambda noise: reward(players.discriminator, noise),
    )


def generator_step(
    players: Players,
    noise: Noise,
    batch: Tensor,
    estimator: Estimator,
    reward: RewardFactory,
    schedule: Schedule,
    phase: Phase = untimed,
) -> Players:
    """Climb J by one estimated gradient, and let the estimator adapt; one session."""
    gradient, feedback = update_gradient(
        estimator,
        problem(players, batch.shape[1], reward, phase),
        players.generator,
        noise,
        players.state,
        batch,
    )
    descent = {name: -g for name, g in gradient.items()}
    betas = (schedule.momentum, 0.999)
    theta, adam = adam_step(
        players.generator, descent, players.generator_adam, schedule.generator_rate, betas
    )
    state = estimator.adapt(players.state, feedback)
    return players._replace(generator=theta, generator_adam=adam, state=state)


def noise_shapes(estimator: Estimator, task: Task) -> dict[str, tuple[int, ...]]:
    """List the uniforms of one sample: the estimator's, and the null reward's."""
    return {**estimator.noise(task.length, task.vocabulary), "reward": ()}


def adversarial(
    players: Players,
    data: Tensor,
    task: Task,
    estimator: Estimator,
    schedule: Schedule,
    streams: Streams,
    reward: RewardFactory = judged,
    phase: Phase = untimed,
) -> Iterator[Players]:
    """Train generator against discriminator; yields the players before the first update and after each.

    Args:
        players: as `pretrain` leaves them; never changed in place.
        data: training sets [sessions, n, T].
        task: their source.
        estimator: of the generator's gradient.
        schedule: as it says; Adam's moments start anew.
        streams: of the sessions; fresh ones, so that all estimators meet the same noise.
        reward: what the generator climbs.
        phase: keeps the time of "sampling", "discriminator" and "generator".
    """
    states = [estimator.init(task.length, task.vocabulary, g) for g in streams.generators("estimator")]
    state = tree_map(lambda leaf: leaf.to(streams.device), stack(states))
    players = players._replace(generator_adam=vmap(adam_init)(players.generator), state=state)
    shapes = noise_shapes(estimator, task)
    step = vmap(lambda p, n, b: generator_step(p, n, b, estimator, reward, schedule, phase))
    yield players
    for _ in range(schedule.updates):
        for _ in range(schedule.discriminator_steps):
            players = discriminator_batch(players, data, schedule, streams, phase)
        batch = take(data, streams.integers("batch", data.shape[1], (schedule.batch,)))
        with phase("generator"):
            players = step(players, streams.noise(shapes, schedule.batch), batch)
        yield players


def calls_per_update(
    players: Players, task: Task, estimator: Estimator, schedule: Schedule, reward: RewardFactory
) -> Calls:
    """Count the sequences that pass through each model in one generator update and what goes before it."""
    one = tree_map(lambda leaf: leaf[0], players)
    shapes, meter = noise_shapes(estimator, task), Meter()
    leaf = one.generator["out.bias"]
    noise = {name: leaf.new_full((schedule.batch, *shape), 0.5) for name, shape in shapes.items()}
    batch = torch.zeros(schedule.batch, task.length, dtype=torch.long, device=leaf.device)
    policy = MeteredPolicy(LSTMPolicy(one.generator, task.length), meter)
    judge = MeteredReward(reward(one.discriminator, noise), meter)
    estimator.estimate(policy, judge, noise, one.state, batch)
    step = Calls(generator=schedule.batch, discriminator=2 * schedule.batch)
    return meter.calls + step.times(schedule.discriminator_steps)
