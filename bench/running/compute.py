"""Computes units with worker processes, keeps them and shows how far it is; a cut leaves what is finished."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor
from importlib import import_module
from pathlib import Path
from threading import Thread

import pandas as pd

from bench.errors import BenchError, Stopped, UserError
from bench.running import execute
from bench.running.plan import Unit
from bench.running.progress import Display
from bench.stopping import Stop
from bench.tables import store


def compute(units: Sequence[Unit], workers: int, pool: Executor, results: Path) -> pd.DataFrame:
    """Compute and keep the units; give their trials."""
    display = Display(units, workers)
    Thread(target=import_module, args=("bench.report",), daemon=True).start()  # while this process waits

    place, kept = store.identity(results), []

    def keep(item: execute.Finished) -> None:
        if store.identity(results) != place:  # to make it anew would hide what is missing in it
            raise UserError(
                f"{results} is not there any more, it was moved or removed while this command ran: put it "
                f"back, and the same command goes on; {display.done} of {display.units} units were kept in it"
            )
        store.write(results, item.unit.name, item.metrics, item.trials)
        kept.append(item.trials)
        display.finished(item)

    try:
        with display:
            execute.run(units, pool, keep)
    except (Stop, BrokenExecutor) as error:
        safe = f"{display.done} of {display.units} units are done and kept in {results}"
        if isinstance(error, Stop):
            raise Stopped(f"stopped: {safe}; the same command goes on from there", error.exit_code) from None
        raise BenchError(
            f"no worker processes start any more ({error}): {safe}; the same command goes on from there"
        ) from None
    return pd.concat(kept)
