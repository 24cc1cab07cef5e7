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
from torch.func import vjp

from bench.sessions import checkpoints
from bench.sessions.measure import Gradients
from bench.sessions.pretrained import pretrained
from discgan_core import estimators, exact, training
from discgan_core.accuracy import Truth, flatten
from discgan_core.interface import Params
from discgan_core.models import prefixes
from discgan_core.models.generator import LSTMPolicy
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Players, Schedule, each

TRAINER = "reinforce_loo"
"""By what the sessions are trained."""
SUMS = 32
"""With random signs, at least."""
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
        start, data = pretrained("grammar", task.length, schedule.beginning(), stack, device)
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
    """Average REINFORCE draws of one sample each; of n samples n_s are the string s, with advantage A_s.

        g = sum_s n_s A_s grad log p(s) / (n - 1),    A_s = f(s) - sum_s n_s f(s) / n,

    which is leave-one-out REINFORCE of all n, without bias. Its squared standard error,
    sum_s n_s (A_s grad log p(s))^2 / n^2, is that of sums with random signs e_s, over pieces of the strings:

        sum_pieces (sum_s e_s sqrt(n_s) A_s grad log p(s))^2 / n^2

    Args:
        count: n.
        length: T.
        theta: of the generator.
        phi: of the discriminator.
        streams: of one session.

    Returns:
        `gradient` and `noise`, as `Truth` has them.
    """
    policy, (rng,) = LSTMPolicy(theta, length), streams.generators("strings")
    pieces, times = zip(*prefixes.draw(policy, count, rng), strict=True)
    rewards = [prefixes.log_odds(phi, strings).sigmoid() for strings in pieces]
    mean = torch.cat(times).double() @ torch.cat(rewards).double() / count
    rounds = -(-SUMS // len(pieces))
    gradient = square = torch.zeros((), dtype=torch.float64)
    for strings, n, f in zip(pieces, times, rewards, strict=True):
        pull = vjp(lambda theta, s=strings: prefixes.log_likelihood(policy.at(theta), s), theta)[1]
        gradient = gradient + flatten(pull(n * (f - mean))[0])
        for signs in torch.from_numpy(rng.choice([-1.0, 1.0], (rounds, len(f)))).to(f):
            square = square + flatten(pull(signs * n.sqrt() * (f - mean))[0]).square()
    return {"gradient": gradient / (count - 1), "noise": square / rounds / count**2}
