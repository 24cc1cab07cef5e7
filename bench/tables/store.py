"""The results folder: one pair of Parquet files per finished unit of work, and packed ones beside them.

`metrics/<unit>.parquet` is put in place first and `trials/<unit>.parquet` last, each by an atomic
rename, so a unit is finished exactly if its trials file exists, and a run may be cut off anywhere.
A unit is written again only if all its sessions failed before, or other code has made them (`--anew`).
`bench.tables.packed` keeps many units in one pair of files; a loose unit takes the place of a packed one of
its name, which is written again. Reading refuses anything it does not recognise: a table that quietly lacks
rows is worse than none.
"""

import errno
import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from bench.errors import UserError, program
from bench.tables import locks, packed, schema, sound
from bench.tables.files import (
    COLUMNS,
    damaged,
    foreign,
    load,
    replace,
    require_table,
    require_together,
    to_arrow,
    unwritable,
)


class Tables(NamedTuple):
    """What a results folder holds, one configuration per experiment and source of its data."""

    metrics: pd.DataFrame
    trials: pd.DataFrame
    notes: list[str]  # a line for each configuration left out


def require_writable(folder: Path) -> None:
    """Make the folder, and find out before any computing whether files can be put there."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise unwritable(folder, error) from None


def require_possible(*folders: Path) -> None:
    """Find out, leaving nothing behind, whether `require_writable` could make the folders and write there."""
    for folder in folders:
        _require_possible(folder)


def require_name(folder: Path) -> None:
    """Refuse what no folder can be called, such as a name that is too long."""
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UserError(f"no folder can be {folder} ({error.strerror}): name another") from None


def _require_possible(folder: Path) -> None:
    try:
        folder.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # such as a name that is too long
        raise unwritable(folder, error) from None
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        raise unwritable(folder, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not os.access(there, os.W_OK | os.X_OK):
        raise unwritable(folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def write(results: Path, unit: str, metrics: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Keep a finished unit's two tables."""
    metrics = metrics.sort_values(schema.METRICS_KEY, kind="stable")
    paths = {kind: results / kind / f"{unit}.parquet" for kind in COLUMNS}
    try:
        for path in paths.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        with locks.alone(results):
            # First the old trials go, where there are any: they are not those of the new metrics.
            paths["trials"].unlink(missing_ok=True)
            seal = replace(paths["metrics"], to_arrow(metrics, schema.METRICS))
            replace(paths["trials"], to_arrow(trials, schema.TRIALS), beside=seal)
    except OSError as error:
        raise unwritable(results, error) from None


def lacking(results: Path, trials: pd.DataFrame) -> int:
    """Count the sessions of these trials that the folder does not hold."""
    key = [*schema.SESSION, "config_hash"]
    both = (
        trials[key]
        .drop_duplicates()
        .merge(read_trials(results)[key].drop_duplicates(), how="left", indicator=True)
    )
    return int((both["_merge"] == "left_only").sum())


def identity(results: Path) -> tuple[int, int]:
    """Tell a folder from another that has taken its name; (0, 0) if there is none."""
    try:
        found = results.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def read(results: Path) -> Tables:
    """Read both tables, the newest configuration of each experiment and source only."""
    every = read_trials(results)
    trials, notes = newest(every)
    if trials.empty:
        raise UserError(f"no results in {results} yet: `{program()} run-all` makes them")
    metrics = read_metrics(results, every, trials).drop_columns("unit").to_pandas()
    return Tables(metrics, trials.drop(columns="unit"), notes)


def read_trials(results: Path) -> pd.DataFrame:
    """Read the trials of every finished unit, with its name as a further column `unit`."""
    check(results)
    loose = _units(results)
    parts = [packed.read_trials(results, but=loose)]
    for unit, path in loose.items():
        table = load(path, schema.TRIALS)
        if not len(table):
            raise damaged(path, "it has no rows")
        parts.append(_named(table, unit))
    found = pa.concat_tables(parts).to_pandas()
    _require_sound(results, loose, sound.trials(found))
    return found


def read_metrics(results: Path, every: pd.DataFrame, trials: pd.DataFrame) -> pa.Table:
    """Read the metrics of some trials, `unit` being the last column.

    Args:
        results: the folder.
        every: all its trials, as `read_trials` gives them.
        trials: those whose metrics are wanted.
    """
    loose, wanted = _units(results), set(trials.loc[trials["status"] != schema.FAILED, "unit"])
    others = {unit for unit in every["unit"].unique() if unit not in wanted}
    parts = [packed.read_metrics(results, but={*loose, *others})]
    for unit in sorted(wanted & loose.keys()):
        path = results / "metrics" / f"{unit}.parquet"
        parts.append(_named(load(path, schema.METRICS), unit))
    found = pa.concat_tables(parts)
    _require_sound(results, loose, sound.metrics(found, every[every["unit"].isin(wanted)]))
    if len(trials) == len(every):
        return found
    have = found.select(["unit", "session"]).to_pandas()
    chosen = pd.MultiIndex.from_frame(have).isin(pd.MultiIndex.from_frame(trials[["unit", "session"]]))
    return found.filter(pa.array(chosen))


def _named(table: pa.Table, unit: str) -> pa.Table:
    return table.append_column("unit", pa.array([unit] * len(table), pa.string()))


def _require_sound(results: Path, loose: Container[str], problems: Iterator[sound.Problem]) -> None:
    """Refuse the file in which there is the first problem."""
    for problem in problems:
        name = f"{problem.kind}/{problem.unit}" if problem.unit in loose else problem.kind
        where = "" if problem.unit in loose else f" in {problem.unit}"
        raise damaged(results / f"{name}.parquet", f"it says what cannot be{where}: {problem.text}")


def newest(trials: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep each experiment and source's newest configuration, and of a session tried again the better row.

    A plug-in's file is a part of the configuration of its own trials alone, and has a newest content too.
    """
    notes, parts = [], [trials.iloc[:0]]
    for key, rows in trials.groupby(["experiment", "source"]):
        chosen = _latest(rows, rows["config_hash"].str.partition(schema.AND_PLUGIN)[0])
        chosen = pd.concat(_latest(own, own["config_hash"]) for _, own in chosen.groupby("estimator"))
        others = rows.drop(chosen.index)
        if len(others):
            shown, left = (", ".join(sorted(r["config_hash"].unique())) for r in (chosen, others))
            notes.append(
                f"{schema.with_source(*key)}: showing configuration {shown}, the newest; "
                f"{len(others)} trials of {left} are left out (they stay in the results folder)"
            )
        parts.append(chosen)
    return settled(pd.concat(parts[1:] or parts), schema.SESSION), notes


def settled(trials: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Of what was tried again, by that key, the row to believe: the last that worked, or the last."""
    found = trials.assign(worked=trials["status"] != schema.FAILED)
    found = found.sort_values([*key, "worked", "finished"], kind="stable")
    return found.drop_duplicates(key, keep="last").drop(columns="worked").reset_index(drop=True)


def _latest(trials: pd.DataFrame, version: pd.Series) -> pd.DataFrame:
    """Keep the trials of the version that finished last."""
    return trials[version == trials.groupby(version)["finished"].max().idxmax()]


def check(results: Path) -> None:
    """Refuse a folder with anything in it that is not a whole table of this benchmark."""
    packed.check(results)
    metrics, trials = (
        {path: require_table(path, columns, results) for path in _files(results, kind)}
        for kind, columns in COLUMNS.items()
    )
    for path, known in trials.items():
        beside = results / "metrics" / path.name
        if beside not in metrics:
            raise damaged(path, "it has no file of that name in metrics beside it")
        require_together(beside, metrics[beside], known)


def holds_tables(results: Path) -> bool:
    """Say whether there is anything that could be read, be it only half of a unit."""
    loose = any(any(_files(results, kind)) for kind in COLUMNS)
    return loose or packed.finished(results)


def _units(results: Path) -> dict[str, Path]:
    """Give the trials file of every finished loose unit."""
    return {path.stem: path for path in _files(results, "trials")}


def _files(results: Path, kind: str) -> Iterator[Path]:
    """List a table's files; hidden ones are half-written or the operating system's."""
    folder = results / kind
    if folder.exists() and not folder.is_dir():
        raise foreign(folder, "a folder of tables should be there")
    paths = folder.iterdir() if folder.is_dir() else []
    for path in sorted(path for path in paths if not path.name.startswith(".")):
        if path.suffix != ".parquet":
            raise foreign(path, "only Parquet files lie there")
        yield path
