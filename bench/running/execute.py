"""Turns units of work into kept tables, wherever they are computed.

Units go through the standard library's `Executor`: local processes here, and any engine that
offers `submit` (most distributed ones do) in their place. No experiment knows where it runs.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from bench import experiments, notices, stopping
from bench.errors import UserError
from bench.printable import printable
from bench.running import code
from bench.running.plan import Unit
from bench.running.provenance import circumstances
from bench.running.workers import Workers
from bench.sessions import cache, intact
from bench.tables import schema
from bench.tables.condition import Outcome
from discgan_core import estimators
from discgan_core.plugins import text, where


class Finished(NamedTuple):
    """A computed unit and its two tables, ready for the store; and what there was to say beside."""

    unit: Unit
    metrics: pd.DataFrame
    trials: pd.DataFrame
    notices: Sequence[str] = ()


def run(units: Sequence[Unit], pool: Executor, keep: Callable[[Finished], None]) -> None:
    """Compute all units, handing each to `keep` as soon as it is finished.

    A unit whose worker is lost is tried again when nothing else runs, since it may not have been its fault,
    then is a failure. Asked to stop, this still keeps what is finished, then raises.

    Raises:
        Stop: the command was asked to.
        BrokenExecutor: the pool takes no more units.
    """
    waiting = {_submit(pool, unit): unit for unit in units}
    lost = []
    try:
        for future in as_completed([*waiting]):
            with stopping.put_off():
                unit = waiting.pop(future)
                error = future.exception()
                if isinstance(error, BrokenExecutor):
                    lost.append(unit)
                elif error is not None:  # what came of it could not be sent
                    keep(_tabled(unit, _failure(unit, error), time.perf_counter()))
                else:
                    keep(future.result())
        for unit in lost:
            item = _alone(pool, unit)
            with stopping.put_off():
                keep(item)
    except stopping.Stop:
        for future in filter(_succeeded, waiting):
            keep(future.result())
        raise


def _submit(pool: Executor, unit: Unit) -> Future[Finished]:
    """Hand a unit in; a user's own code has workers of its own, where the pool can tell them apart."""
    chosen = pool.apart(unit.plugin) if isinstance(pool, Workers) else pool
    return chosen.submit(run_unit, unit)


def _alone(pool: Executor, unit: Unit) -> Finished:
    start, future = time.perf_counter(), _submit(pool, unit)
    try:
        return future.result()
    except BrokenExecutor as error:
        return _tabled(unit, _failed(unit, f"it ended its worker, twice: {error}"), start)


def run_unit(unit: Unit) -> Finished:
    """Compute one unit, in one thread; an error in it becomes rows that say so."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    with notices.gathered() as said, cache.only_read(bool(unit.plugin)):
        try:
            _require_code(unit)
            module = experiments.load(unit.experiment)
            intact.beginning()
            have_plugin(unit)
            outcome = module.run(unit.settings, unit.condition, unit.sessions, unit.device)
            intact.require()
            if sorted(outcome.trials["session"]) != sorted(unit.sessions):
                raise ValueError("the experiment did not account for every session")
        except intact.ChangedError as error:
            outcome = _failed(unit, str(error))
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: here they are the unit's own
            outcome = _failure(unit, error)
    return _tabled(unit, outcome, start)._replace(notices=said)


def _tabled(unit: Unit, outcome: Outcome, start: float) -> Finished:
    """Give the outcome's rows all that they are rows of."""
    constants = {"experiment": unit.experiment, **unit.condition._asdict()}
    trials = outcome.trials.assign(
        **constants,
        seconds=(time.perf_counter() - start) / len(unit.sessions),
        sessions_stacked=len(unit.sessions),
        preset=unit.preset,
        config=unit.config,
        config_hash=unit.config_hash,
        code=unit.code,
        **circumstances(unit.device),
    )
    metrics = outcome.metrics.assign(**constants)
    return Finished(unit, metrics[[*schema.METRICS]], trials[[*schema.TRIALS]])


def _require_code(unit: Unit) -> None:
    """Refuse to compute with code edited since, of which this process may have loaded some before."""
    if code.of(unit.experiment, unit.condition.estimator) != unit.code:
        raise UserError("the code has changed since the command began; run it again")


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


def _failure(unit: Unit, error: BaseException) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    file, number = (frames[-1].filename, frames[-1].lineno) if frames else ("", None)
    if unit.plugin:  # a user's own code, if it was under way, rather than what it called
        own, at = where(error, Path(unit.plugin.rpartition("#")[0]))
        file, number = (own, at) if at else (file, number)
    return _failed(
        unit, f"{printable(f'{type(error).__name__}: {text(error)}')} ({printable(Path(file).name)}:{number})"
    )


def _failed(unit: Unit, line: str) -> Outcome:
    trials = pd.DataFrame({"session": unit.sessions, "status": schema.FAILED, "error": line})
    columns = [name for name in schema.METRICS if name not in schema.CONDITION]
    return Outcome(pd.DataFrame(columns=columns), trials)


def _succeeded(future: Future[Finished]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
