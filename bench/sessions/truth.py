"""What gradients are held against: common parameters, and the exact gradient there.

Both are computed once and kept on disk: sessions at some moments of their training, and every session's
gradient at each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor

from bench.sessions import checkpoints
from bench.sessions.measure import Gradients, apart
from bench.sessions.pretrained import pretrained
from discgan_core import estimators, training
from discgan_core.game import REGAN, Game
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Players, Schedule

TRAINER = "reinforce_loo"
"""By what the sessions are trained."""
ROLES = ("generator", "discriminator")


def trajectory(
    name: str,
    schedule: Schedule,
    steps: Sequence[int],
    task: Task,
    stack: tuple[int, ...],
    device: str,
    game: Game = REGAN,
) -> dict[int, Players]:
    """Train sessions, or load them as they were; those of `grammar` are that experiment's own.

    Args:
        name: of the task.
        schedule: of the training.
        steps: updates after which the parameters are kept.
        task: the language.
        stack: the sessions.
        device: where.
        game: its rules.

    Returns:
        updates -> the players then; only their parameters.
    """
    study = f"{name}/{task.length}"

    def train() -> dict[str, Tensor]:
        start, data = pretrained(name, task.length, schedule.beginning(), stack, device, game)
        streams = Streams(f"{study}/adversarial", stack, device)
        trainer = estimators.make(TRAINER)
        loop = training.adversarial(start, data, task, trainer, schedule, streams, game)
        moments = ((step, players) for step, players in enumerate(loop) if step in steps)
        return {
            f"{step}/{role}/{name}": tensor
            for step, players in moments
            for role in ROLES
            for name, tensor in getattr(players, role).items()
        }

    path = checkpoints.path_of(f"{name}-{task.length}", [asdict(schedule), stack, list(steps), device])
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


def true_gradients(draws: Gradients, players: Players, study: str) -> list[Tensor]:
    """Give every session's exact gradient, computed once for all estimators."""
    jobs = {}
    for session, one in zip(draws.streams.sessions, apart(players), strict=True):
        inputs = [study, checkpoints.digest({**one.generator, **one.discriminator})]
        path = checkpoints.path_of(f"gradient-{draws.task.length}-session-{session}", inputs)
        jobs[path] = partial(named_exact, draws, one)
    return [kept["gradient"].to(draws.streams.device) for kept in checkpoints.kept(jobs)]


def named_exact(draws: Gradients, one: Players) -> dict[str, Tensor]:
    """Give the exact gradient of one session under a name."""
    return {"gradient": draws.exact_of(one)}
