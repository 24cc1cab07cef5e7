"""Pre-training, done by whoever needs it first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache, partial

from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from bench.sessions import checkpoints
from discgan_core import tasks, training
from discgan_core.game import HARD, REGAN, Game
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Players, Schedule

TaskMaker = Callable[[str, int], Task]


@lru_cache(maxsize=8)
def pretrained(
    name: str,
    length: int,
    schedule: Schedule,
    sessions: tuple[int, ...],
    device: str,
    game: Game = REGAN,
    make_task: TaskMaker = tasks.make,
) -> tuple[Players, Tensor]:
    """Pre-train once for all that begin so, and keep it: it depends on no estimator and no experiment.

    Args:
        name: of the task.
        length: T.
        schedule: only its beginning, so that all that begin alike share it.
        sessions: whose streams are drawn from.
        device: where.
        game: its rules.
        make_task: (name, length) -> the task.

    Returns:
        the players, and the sessions' training sets.
    """
    streams = Streams(f"{name}/{length}/pretraining", sessions, device)
    players, data = training.begin(make_task(name, length), schedule, streams, game)
    prepare = partial(training.prepare, players, data, schedule, streams, game)
    trains = schedule.pretraining_epochs or schedule.warmup
    if not trains or game.view is not HARD:  # what is kept is told apart by numbers; a view has none
        return prepare(), data
    leaves, form = tree_flatten(players)
    start = checkpoints.digest({"data": data, **checkpoints.numbered(leaves)})
    depends_on = [asdict(schedule), sessions, device, game.latent, start]
    path = checkpoints.path_of(f"pretrained-{name}-{length}", depends_on)
    (kept,) = checkpoints.kept({path: lambda: checkpoints.numbered(tree_leaves(prepare()))})
    return tree_unflatten([kept[str(n)].to(device) for n in range(len(leaves))], form), data
