"""What gradients are held against: common parameters, and the true gradient there.

Both are computed once and kept on disk: `grammar`'s sessions at some moments of their training, and, where
sequences are too many to enumerate, the mean of very many draws with its standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor

from bench import checkpoints
from bench.adversarial import pretrained
from bench.measure import Gradients
from discgan_core import estimators, exact, tasks, training
from discgan_core.accuracy import Truth, flatten
from discgan_core.game import REGAN
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import Params, State
from discgan_core.models.discriminator import DiscriminatorReward
from discgan_core.models.generator import LSTMPolicy
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Players, Schedule, each

TRAINER = "reinforce_loo"
"""By what the sessions are trained."""
UNIT = "reinforce"
"""By what the reference is drawn."""
PORTION = 4096
"""Draws of the reference at once."""
ROLES = ("generator", "discriminator")


def trajectory(
    schedule: Schedule, steps: Sequence[int], task: Task, stack: tuple[int, ...], device: str
) -> dict[int, Players]:
    """Train `grammar`'s sessions, or load them as they were.

    Args:
        schedule: as in `grammar`.
        steps: updates after which the parameters are kept.
        task: the language.
        stack: the sessions.
        device: where.

    Returns:
        updates -> the players then; only their parameters.
    """
    study = f"grammar/{task.length}"

    def train() -> dict[str, Tensor]:
        arguments = (study, "grammar", task.length, schedule, stack, device, REGAN, tasks.make)
        start, data = pretrained(*arguments)
        streams = Streams(f"{study}/adversarial", stack, device)
        loop = training.adversarial(start, data, task, estimators.make(TRAINER), schedule, streams)
        moments = ((step, players) for step, players in enumerate(loop) if step in steps)
        return {
            f"{step}/{role}/{name}": tensor
            for step, players in moments
            for role in ROLES
            for name, tensor in getattr(players, role).items()
        }

    path = checkpoints.path_of(f"grammar-{task.length}", [asdict(schedule), stack, list(steps), device])
    (tensors,) = checkpoints.kept({path: train})
    return {step: players_of(tensors, step, len(stack), device) for step in steps}


def players_of(tensors: Mapping[str, Tensor], step: int, sessions: int, device: str) -> Players:
    """Give the players that were kept after so many updates; nothing of them but parameters is known."""
    generator, discriminator = (
        {name.removeprefix(start): t.to(device) for name, t in tensors.items() if name.startswith(start)}
        for start in (f"{step}/{role}/" for role in ROLES)
    )
    updates = torch.full((sessions,), float(step), device=device)
    return training.untrained(generator, discriminator)._replace(updates=updates)


def true_gradients(draws: Gradients, players: Players, count: int, study: str) -> list[Truth]:
    """Give every session's true gradient: by enumeration, or a reference of `count` draws."""
    task, streams = draws.task, draws.streams
    if exact.enumerable(task.length, task.vocabulary):
        return draws.exact(players)
    jobs = {}
    both = zip(streams.sessions, each(players.generator), each(players.discriminator), strict=True)
    for session, theta, phi in both:
        own = Streams(f"{study}/reference", [session], streams.device)
        inputs = [checkpoints.digest(params) for params in (theta, phi)]
        path = checkpoints.path_of(f"gradient-{task.length}-session-{session}", [count, study, inputs])
        jobs[path] = partial(reference, count, task.length, theta, phi, own)
    return [Truth(**tensors) for tensors in checkpoints.kept(jobs)]


def reference(count: int, length: int, theta: Params, phi: Params, streams: Streams) -> dict[str, Tensor]:
    """Average REINFORCE draws of one sample each; the spread of batches' means gives the error.

    From the reward the mean reward of other samples is subtracted, which changes no expectation.

    Args:
        count: draws.
        length: T.
        theta: of the generator.
        phi: of the discriminator.
        streams: of one session.

    Returns:
        `gradient` and `noise`, as `Truth` has them.
    """

    def noise() -> Params:
        return {name: rows[0] for name, rows in streams.noise({"tokens": (length,)}, PORTION).items()}

    policy = LSTMPolicy(theta, length)
    baseline = DiscriminatorReward(phi).of_tokens(policy.sample(noise()["tokens"])).mean()
    reward = DiscriminatorReward(phi, measure=lambda logits: torch.sigmoid(logits) - baseline)
    aim = Problem(lambda params, _: LSTMPolicy(params, length), lambda _: reward)
    unit, batches = estimators.make(UNIT), max(2, -(-count // PORTION))
    means = [flatten(update_gradient(unit, aim, theta, noise(), State())[0]) for _ in range(batches)]
    total = torch.stack(means)
    return {"gradient": total.mean(0), "noise": total.var(0) / batches}
