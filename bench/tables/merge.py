"""Puts results folders together, of several machines, shards or runs, and packs them.

A session is the same in two folders if its condition, configuration and number are. What both have computed
must then be the same to the last bit, times apart; one copy is kept: one that worked rather than one that
failed, and of two alike the first folder's. So the order of the folders decides whose times and
circumstances are kept, and nothing else.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench.errors import UserError
from bench.tables import packed, schema, store
from bench.tables.files import unwritable
from bench.tables.sameness import same_bits, untimed

KEY = [*schema.SESSION, "config_hash"]
NUMBER = ["id", "step", "metric", "parameter"]
#: What may be at the bottom of numbers that differ.
CAUSES = ["commit", "code", "version", "torch", "machine", "device"]


class Merged(NamedTuple):
    """What was put together."""

    sessions: int
    shared: int  # of these, in more than one folder
    size: int  # in bytes


def merge(folders: Sequence[Path], to: Path) -> Merged:
    """Put the folders' sessions together in packed tables in `to`."""
    if store.holds_tables(to):
        raise UserError(
            f"{to} holds tables already: name another folder with --to, "
            f"and {to} among the folders to merge if its sessions are wanted too"
        )
    packed.require_ours(to)  # a first half that a merge left which was cut off gives way
    trials = _all_trials(folders)
    kept = trials.sort_values("failed", kind="stable").drop_duplicates("id")
    _require_one_configuration(kept)
    parts: list[pd.DataFrame] = []
    for place, folder in enumerate(folders):
        metrics = _metrics(folder, trials[trials["place"] == place])
        own = kept.loc[kept["place"] == place, "id"]
        again = trials[(trials["place"] == place) & ~trials["failed"] & ~trials["id"].isin(own)]
        if len(again):
            _require_same(kept, again, pd.concat(parts), metrics)
        parts.append(metrics[metrics["id"].isin(own)])
    try:
        size = packed.write(to, pd.concat(parts), kept)
    except OSError as error:
        raise unwritable(to, error) from None
    return Merged(len(kept), int(trials.loc[trials["id"].duplicated(), "id"].nunique()), size)


def _all_trials(folders: Sequence[Path]) -> pd.DataFrame:
    """Every folder's trials in the order of the folders; `id` is the same for the same session."""
    found = pd.concat([_trials(folder).assign(place=place) for place, folder in enumerate(folders)])
    return found.assign(id=found.groupby(KEY).ngroup())


def _trials(folder: Path) -> pd.DataFrame:
    """One folder's trials; of a session that was tried again the row to believe."""
    found = store.read_trials(folder)
    if found.empty:
        raise UserError(f"no results in {folder}: name folders of results, as `--results` does")
    return store.settled(found, KEY).assign(
        failed=lambda rows: rows["status"] == schema.FAILED, folder=str(folder)
    )


def _metrics(folder: Path, trials: pd.DataFrame) -> pd.DataFrame:
    """The metrics of one folder's trials, with `unit` and `id`."""
    found = store.read_metrics(folder, store.read_trials(folder), trials).to_pandas()
    return found.merge(trials[["unit", *schema.SESSION, "id"]], on=["unit", *schema.SESSION])


def _require_one_configuration(kept: pd.DataFrame) -> None:
    """Refuse what could not be told apart again: a unit's name in the packed tables stands for one thing."""
    configurations = kept.groupby("unit")["config_hash"].nunique()
    for unit in configurations.index[configurations > 1]:
        folders = ", ".join(kept.loc[kept["unit"] == unit, "folder"].unique())
        raise UserError(f"unit {unit} is of several configurations in {folders}: rename its two files in one")


def _require_same(kept: pd.DataFrame, again: pd.DataFrame, first: pd.DataFrame, other: pd.DataFrame) -> None:
    """Hold sessions computed again against those that are kept, number by number."""
    sides = [
        untimed(side[side["id"].isin(again["id"])]).drop_duplicates(NUMBER)[[*NUMBER, "value"]]
        for side in (first, other)
    ]
    both = sides[0].merge(sides[1], on=NUMBER, how="outer", suffixes=("_a", "_b"), indicator="held")
    differ = both[(both["held"] != "both") | ~same_bits(both["value_a"], both["value_b"])]
    ends = kept.merge(again[["id", "status"]], on="id", suffixes=("", "_b"))
    ends = ends[ends["status"] != ends["status_b"]]
    if len(differ):
        number = next(differ.itertuples())
        what = f"{number.metric} {number.parameter}".strip()
        values = [number.value_a, number.value_b]
        held = [number.held != "right_only", number.held != "left_only"]
        shown = [repr(value) if there else "nothing" for value, there in zip(values, held, strict=True)]
        raise _disagreement(kept, again, number.id, f"step {number.step}: {what}", shown, len(differ) - 1)
    if len(ends):
        end = next(ends.itertuples())
        raise _disagreement(kept, again, end.id, "status", [end.status, end.status_b], len(ends) - 1)


def _disagreement(
    kept: pd.DataFrame, again: pd.DataFrame, session: int, what: str, values: Sequence[str], others: int
) -> UserError:
    """Say in which number two folders differ, and what can be the cause."""
    a, b = (next(side[side["id"] == session].itertuples()) for side in (kept, again))
    task = "" if a.task == a.experiment else f" {a.task}"
    where = f"{schema.with_source(a.experiment + task, a.source)}, length {a.length}"
    where += f", {a.estimator} {a.setting}, session {a.session}"
    return UserError(
        f"{a.folder} and {b.folder} disagree: {where}, {what} is {values[0]} in the first and {values[1]} in "
        f"the other, and {others:,} more of what they share differs: other code or another kind of machine "
        f"made it ({_causes(a, b)}); merge only what was made alike"
    )


def _causes(a: Any, b: Any) -> str:
    """The circumstances of two trials that are not the same."""
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in CAUSES]
    found = [
        f"{name} {one or 'unknown'} and {other or 'unknown'}" for name, one, other in pairs if one != other
    ]
    return "; ".join(found) or f"both say commit {a.commit}, {a.machine}"
