"""Turns units of work into kept tables, wherever they are computed.

Units go through the standard library's `Executor`: local processes here, and any engine that
offers `submit` (most distributed ones do) in their place. No experiment knows where it runs.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from bench import experiments
from bench.errors import UserError
from bench.running.plan import Unit
from bench.running.provenance import circumstances
from bench.tables import schema
from bench.tables.condition import Outcome
from discgan_core import estimators
from discgan_core.plugins import where


class Finished(NamedTuple):
    """A computed unit and its two tables, ready for the store."""

    unit: Unit
    metrics: pd.DataFrame
    trials: pd.DataFrame


def run(units: Sequence[Unit], pool: Executor, keep: Callable[[Finished], None]) -> None:
    """Compute all units, handing each to `keep` as soon as it is finished.

    Cut off by Ctrl-C or by the loss of a worker, it still keeps what is finished, then raises.
    """
    waiting: set[Future[Finished]] = {pool.submit(run_unit, unit) for unit in units}
    try:
        for future in as_completed(waiting):
            with _interrupts_put_off():
                keep(future.result())
                waiting.remove(future)
    except (KeyboardInterrupt, BrokenExecutor):
        for future in filter(_succeeded, waiting):
            keep(future.result())
        raise


def run_unit(unit: Unit) -> Finished:
    """Compute one unit, in one thread; an error in it becomes rows that say so."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    try:
        module = experiments.load(unit.experiment)
        have_plugin(unit)
        outcome = module.run(unit.settings, unit.condition, unit.sessions, unit.device)
        if sorted(outcome.trials["session"]) != sorted(unit.sessions):
            raise ValueError("the experiment did not account for every session")
    except Exception as error:
        outcome = _failure(unit, error)
    constants = {"experiment": unit.experiment, **unit.condition._asdict()}
    trials = outcome.trials.assign(
        **constants,
        seconds=(time.perf_counter() - start) / len(unit.sessions),
        sessions_stacked=len(unit.sessions),
        preset=unit.preset,
        config=unit.config,
        config_hash=unit.config_hash,
        **circumstances(unit.device),
    )
    metrics = outcome.metrics.assign(**constants)
    return Finished(unit, metrics[[*schema.METRICS]], trials[[*schema.TRIALS]])


def have_plugin(unit: Unit) -> None:
    """Load the unit's estimator if it is a user's own.

    Raises:
        UserError: the file is no longer what it was when the unit was planned.
    """
    name, (path, _, _) = estimators.bare(unit.condition.estimator), unit.plugin.rpartition("#")
    if unit.plugin and name not in estimators.available():
        estimators.load(Path(path))
    if estimators.origin(name) != unit.plugin:
        raise UserError(f"{path} has changed since the command began; give it again for what is in it now")


@contextmanager
def _interrupts_put_off() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done."""
    caught: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        raise KeyboardInterrupt


def _failure(unit: Unit, error: Exception) -> Outcome:
    last = traceback.extract_tb(error.__traceback__)[-1]
    file, number = last.filename, last.lineno
    if unit.plugin:  # a user's own code, if it was under way, rather than what it called
        own, at = where(error, Path(unit.plugin.rpartition("#")[0]))
        file, number = (own, at) if at else (file, number)
    told = f"{type(error).__name__}: {error}".encode(errors="replace").decode()  # a path in it may be no text
    text = " ".join(told.split())
    line = f"{text} ({Path(file).name}:{number})"
    trials = pd.DataFrame({"session": unit.sessions, "status": schema.FAILED, "error": line})
    columns = [name for name in schema.METRICS if name not in schema.CONDITION]
    return Outcome(pd.DataFrame(columns=columns), trials)


def _succeeded(future: Future[Finished]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
