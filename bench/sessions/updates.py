"""Updates of an estimator while the parameters stay where they are: to let it learn, to time, to count."""

from __future__ import annotations

import time

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils._pytree import tree_leaves

from discgan_core import training
from discgan_core.game import REGAN, Game
from discgan_core.gradients import update_gradient
from discgan_core.interface import Estimator, Noise, Params, State
from discgan_core.meter import Calls
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Players

BATCH = 128
"""Samples of an update, or more if a single draw takes more."""


class Updates:
    """Updates of an estimator while the parameters are held where they are.

    Args:
        task: the language.
        estimator: which estimates, and may learn.
        players: whose parameters, of a stack of sessions.
        streams: of the noise.
        game: its rules.
    """

    def __init__(
        self, task: Task, estimator: Estimator, players: Players, streams: Streams, game: Game = REGAN
    ) -> None:
        self.task, self.estimator, self.streams, self.game = task, estimator, streams, game
        state = training.initial_state(players, task, estimator, streams, game)
        self.players = players._replace(state=state)
        self.rows = max(BATCH, estimator.samples_per_draw)
        self.draws = 0

    def update(self) -> None:
        """Estimate the gradient from one batch, and let the estimator adapt."""
        noise = self.streams.noise(
            training.noise_shapes(self.estimator, self.task, self.players, self.game), self.rows
        )
        sets = self.streams.generators("data")
        data = torch.stack([self.task.sample(self.rows, g) for g in sets]).to(self.streams.device)

        def one(players: Players, noise: Noise, data: Tensor) -> tuple[Params, State]:
            aim = training.problem(players, self.task.length, self.game)
            arguments = (self.estimator, aim, players.generator, noise, players.state, data)
            gradient, feedback = update_gradient(*arguments)
            self.draws = len(feedback.estimate.surrogate)
            return gradient, self.estimator.adapt(players.state, feedback)

        _, state = vmap(one)(self.players, noise, data)
        self.players = self.players._replace(state=state)

    def learn(self, updates: int) -> None:
        """Let the estimator adapt, if there is anything that it carries along."""
        for _ in range(updates if tree_leaves(self.players.state) else 0):
            self.update()

    def seconds(self) -> float:
        """Time an update: of one draw of one session."""
        start = time.process_time()
        self.update()
        return (time.process_time() - start) / len(self.streams.sessions) / self.draws

    def calls(self) -> Calls:
        """Count the calls of one draw."""
        sizes = self.rows, self.rows
        found = training.calls_of(self.players, self.task, self.estimator, *sizes, self.game)
        return found.times(1 / self.draws)
