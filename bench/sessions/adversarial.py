"""Adversarial training, measured: what the experiments that train a GAN have in common.

An experiment names its conditions and what differs between them; here the sessions are trained, and at
evenly spaced updates everything is measured that the tables hold.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bench.sessions.corpus import Corpus
from bench.sessions.measure import Gradients, Row, against_data, forced, losses, quality, sampled
from bench.sessions.pretrained import TaskMaker, pretrained
from bench.sessions.settings import Settings
from bench.tables import schema
from bench.tables.condition import Condition, Outcome
from discgan_core import exact, tasks, training
from discgan_core.game import REGAN, Game, judged
from discgan_core.interface import Estimator
from discgan_core.meter import Calls
from discgan_core.randomness import Streams
from discgan_core.tasks import Task
from discgan_core.training import Players


class Clock:
    """Keeps the time of nested phases; time in an inner phase is not the outer one's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Spend the time in the block on a phase."""
        self._charge()
        self._open.append(name)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


def run(
    experiment: str,
    settings: Settings,
    condition: Condition,
    sessions: Sequence[int],
    device: str,
    estimator: Estimator,
    game: Game = REGAN,
    make_task: TaskMaker = tasks.make,
) -> Outcome:
    """Train and measure some sessions of a condition; steps count rounds.

    Args:
        experiment: its name; sessions of the same number and length share their streams, and their
            pre-training with all experiments on the task that begin alike.
        settings: as they say.
        condition: what is trained.
        sessions: their numbers.
        device: where.
        estimator: of the generator's gradient.
        game: its rules.
        make_task: (name, length) -> the task; the same function for the same task.
    """
    stack = filled(sessions, settings.batch)
    study = f"{experiment}/{condition.length}"
    schedule = settings.schedule(condition.length)
    rules = game._replace(reward=judged)
    task = make_task(condition.task, condition.length)
    start, data = pretrained(
        condition.task, condition.length, schedule.beginning(), stack, device, rules, make_task
    )
    clock, streams = Clock(), Streams(f"{study}/adversarial", stack, device)
    loop = training.adversarial(start, data, task, estimator, schedule, streams, game, clock.phase)
    corpus = Corpus(task, data) if settings.corpus else None
    observer = Observer(settings, task, estimator, game, corpus, Streams(f"{study}/measuring", stack, device))
    frames = []
    for step, players in enumerate(loop):
        if step == 0:
            calls = training.calls_per_update(players, task, estimator, schedule, game)
        if step in settings.moments():
            rows = list(observer.look(players, step, calls.times(step), clock))
            frames.append(frame(rows, stack, step))
    table = pd.concat(frames, ignore_index=True)
    return outcome(table[table["session"].isin(sessions)], sessions)


def filled(sessions: Sequence[int], batch: int) -> tuple[int, ...]:
    """Add sessions, whose numbers are not kept, until those asked for get the same numbers in any stack.

    One session alone would take other kernels, and so get other last digits, than in a stack; and what is
    left of a tensor after its last whole vector is computed by other code (see `discgan_core.randomness`).
    """
    whole = 32 // math.gcd(32, batch)
    missing = max(2 - len(sessions), -len(sessions) % whole)
    following = max(sessions) + 1
    return (*sessions, *range(following, following + missing))


class Observer:
    """Measures a stack of sessions, on streams of its own, so that measuring never changes training."""

    def __init__(
        self,
        settings: Settings,
        task: Task,
        estimator: Estimator,
        game: Game,
        corpus: Corpus | None,
        streams: Streams,
    ) -> None:
        self.settings, self.task, self.game, self.streams = settings, task, game, streams
        self.corpus = corpus
        self.gradients = Gradients(task, estimator, game, streams)
        plain = game.reward is judged and not game.latent
        self.truth = plain and exact.enumerable(task.length, task.vocabulary)

    def look(self, players: Players, step: int, calls: Calls, clock: Clock) -> Iterator[Row]:
        """Give every row of one moment."""
        settings, task = self.settings, self.task
        with clock.phase("evaluation"):
            tokens = sampled(players, task.length, settings.samples, self.streams, self.game)
            real = self.real()
            yield from quality(task, tokens)
            yield from against_data(task, players, tokens, real, self.streams, self.game)
            yield from losses(players, real, self.streams, self.game)
            if self.corpus:
                yield from self.corpus.compare(tokens.cpu(), real.cpu())
            if step == 0:
                yield from self.of_the_data(real)
        with clock.phase("variance"):
            yield from self.of_the_gradient(players, step)
        if step == settings.updates:
            yield from self.strings(schema.STRING, tokens[:, : settings.strings])
            if task.end is not None:
                yield from self.forced(players)
        same = tokens.new_ones(len(tokens), dtype=torch.float64)
        yield Row(schema.GENERATOR_CALLS, "", same * calls.generator)
        yield Row(schema.DISCRIMINATOR_CALLS, "", same * calls.discriminator)
        for phase, seconds in clock.seconds.items():
            yield Row(schema.SECONDS, phase, same * seconds / len(same))

    def real(self) -> Tensor:
        """Draw as many real sequences as are generated, held-out ones if any are: [sessions, samples, T]."""
        draw, sets = self.task.held_out or self.task.sample, self.streams.generators("real")
        return torch.stack([draw(self.settings.samples, g) for g in sets]).to(self.streams.device)

    def of_the_data(self, real: Tensor) -> Iterator[Row]:
        """Give what the measures come to for real sequences, in place of generated ones."""
        named = {schema.UNIGRAM, schema.VALID_FRACTION, schema.ORACLE_NLL}
        found = (r for r in quality(self.task, real) if r.metric in named or schema.is_own(r.metric))
        yield from (row._replace(metric=row.metric + schema.DATA_SUFFIX) for row in found)
        if self.corpus:
            yield from self.corpus.reference(real.cpu(), self.real().cpu())

    def of_the_gradient(self, players: Players, step: int) -> Iterator[Row]:
        """Give its variance and, at the end, its bias where that can be enumerated."""
        settings = self.settings
        if settings.draws:
            yield from self.gradients.log_variance(players, settings.draws, settings.parameters)
        if settings.bias_draws and self.truth and step == settings.updates:
            yield from self.gradients.accuracy(players, settings.bias_draws)

    def forced(self, players: Players) -> Iterator[Row]:
        """Give what is written with the end mark forbidden: its tokens' frequencies, and some of it."""
        tokens = forced(self.task, players, self.settings.samples, self.streams, self.game)
        for token, symbol in enumerate(self.task.symbols):
            yield Row(schema.FORCED_UNIGRAM, symbol, (tokens == token).double().mean((1, 2)))
        yield from self.strings(schema.FORCED_STRING, tokens[:, : self.settings.strings])

    def strings(self, metric: str, tokens: Tensor) -> Iterator[Row]:
        """Keep each session's first strings, with the task's first measure of each.

        A string that came twice stands once.
        """
        nothing = torch.full((len(tokens),), float("nan"), dtype=torch.float64)
        for session, rows in enumerate(tokens):
            scores = next(iter(self.task.quality(rows).values()))
            for text, score in {self.task.text(r): s for r, s in zip(rows, scores, strict=True)}.items():
                values = nothing.clone()
                values[session] = score
                yield Row(metric, text, values)


def frame(rows: Sequence[Row], sessions: Sequence[int], step: int) -> pd.DataFrame:
    """Lay rows out as a long table; a value that is not a number is no measurement."""
    values = torch.stack([row.values.detach().double().cpu() for row in rows]).numpy()
    table = pd.DataFrame(
        {
            "session": np.tile(np.asarray(sessions), len(rows)),
            "step": step,
            "metric": np.repeat([row.metric for row in rows], len(sessions)),
            "parameter": np.repeat([row.parameter for row in rows], len(sessions)),
            "value": values.ravel(),
        }
    )
    return table[np.isfinite(table["value"])]


def completed(table: pd.DataFrame, sessions: Sequence[int]) -> Outcome:
    """Tell that all sessions asked for ended well."""
    trials = pd.DataFrame({"session": list(sessions), "status": schema.OK, "error": ""})
    return Outcome(table[table["session"].isin(sessions)].reset_index(drop=True), trials)


def outcome(table: pd.DataFrame, sessions: Sequence[int], metric: str = schema.CROSS_ENTROPY) -> Outcome:
    """Tell the sessions that ended well from those whose numbers ran away, by a metric that all have."""
    losses = table[table["metric"] == metric]
    last = losses.groupby("session")["step"].max().reindex(sessions, fill_value=-1)
    end = table["step"].max()
    good = last == end
    trials = pd.DataFrame(
        {
            "session": list(sessions),
            "status": np.where(good, schema.OK, schema.DIVERGED),
            "error": ["" if step == end else f"not a number any more after update {step}" for step in last],
        }
    )
    return Outcome(table.reset_index(drop=True), trials)
