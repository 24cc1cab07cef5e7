"""Turns units of work into kept tables, wherever they are computed.

Units go through the standard library's `Executor`: local processes here, and any engine that
offers `submit` (most distributed ones do) in their place. No experiment knows where it runs.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pandas as pd
import torch

from bench import experiments, schema
from bench.errors import UserError
from bench.plan import Unit
from bench.provenance import circumstances
from discgan_core import estimators

#: A worker has one thread: units are many and independent, so cores are better spent on units.
#: glibc gives large temporaries back to the system and asks for them again at every step; keeping
#: them makes training 25% faster (measured). Other systems ignore the last three.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "10000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


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
    """Compute one unit; an error in it becomes rows that say so."""
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
    name, (path, _, _) = unit.condition.estimator, unit.plugin.rpartition("#")
    if unit.plugin and name not in estimators.available():
        estimators.load(Path(path))
    if estimators.origin(name) != unit.plugin:
        raise UserError(f"{path} has changed since the command began; give it again for what is in it now")


@contextmanager
def local_workers(count: int) -> Iterator[Executor]:
    """Start worker processes, and end them at once if the block is left by an exception."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    context = get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker) as pool:
        with _interrupts_ignored():  # each of these starts a process, which inherits that
            for _ in range(count):
                pool.submit(os.getpid)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise


def mapping(pool: Executor) -> Callable[..., Iterator[Any]]:
    """Give a `map` done by a pool's workers.

    The pool's own cancels what is left after an error, and up to Python 3.11 cannot then be ended.
    """

    def each(function: Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        rows = [pool.submit(function, *row) for row in zip(*columns, strict=False)]
        return (row.result() for row in rows)

    return each


def _start_worker() -> None:
    torch.set_num_threads(1)
    Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """Wait for the parent's end: one that was killed cannot end its workers."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


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


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Leave Ctrl-C, which reaches every process of the terminal, to the parent alone."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _failure(unit: Unit, error: Exception) -> experiments.Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    plugin = [frame for frame in frames if frame.filename == unit.plugin.rpartition("#")[0]]
    where = (plugin or frames)[-1]  # a user's own code, if it was under way, rather than what it called
    text = " ".join(f"{type(error).__name__}: {error}".split())
    line = f"{text} ({Path(where.filename).name}:{where.lineno})"
    trials = pd.DataFrame({"session": unit.sessions, "status": schema.FAILED, "error": line})
    columns = [name for name in schema.METRICS if name not in schema.CONDITION]
    return experiments.Outcome(pd.DataFrame(columns=columns), trials)


def _succeeded(future: Future[Finished]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
