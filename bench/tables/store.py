"""The results folder: one pair of Parquet files per finished unit of work.

`metrics/<unit>.parquet` is put in place first and `trials/<unit>.parquet` last, each by an atomic
rename, so a unit is finished exactly if its trials file exists, and a run may be cut off anywhere.
A unit is written again only if all its sessions failed before. Reading refuses anything it does
not recognise: a table that quietly lacks rows is worse than none.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.errors import UserError, program
from bench.tables import schema

COLUMNS = {"metrics": schema.METRICS, "trials": schema.TRIALS}


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
        raise _unwritable(folder, error) from None


def write(results: Path, unit: str, metrics: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Keep a finished unit's two tables."""
    metrics = metrics.sort_values(schema.METRICS_KEY, kind="stable")
    try:
        for kind, frame in (("metrics", metrics), ("trials", trials)):
            _replace(results / kind / f"{unit}.parquet", _to_arrow(frame, COLUMNS[kind]))
    except OSError as error:
        raise _unwritable(results, error) from None


def read(results: Path) -> Tables:
    """Read both tables, the newest configuration of each experiment and source only."""
    trials, notes = newest(read_trials(results))
    if trials.empty:
        raise UserError(f"no results in {results} yet: `{program()} run-all` makes them")
    sessions = trials.groupby("unit", sort=False)["session"].agg(list)
    parts = [_read_metrics(results, str(unit), wanted) for unit, wanted in sessions.items()]
    metrics = pa.concat_tables(parts).to_pandas()
    return Tables(metrics, trials.drop(columns="unit"), notes)


def read_trials(results: Path) -> pd.DataFrame:
    """Read the trials of every finished unit, with its name as a further column `unit`."""
    check(results)
    parts = [_arrow_schema({**schema.TRIALS, "unit": "string"}).empty_table()]
    for path in _files(results, "trials"):
        table = _load(path, schema.TRIALS)
        parts.append(table.append_column("unit", pa.array([path.stem] * len(table))))
    return pa.concat_tables(parts).to_pandas()


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
    kept = pd.concat(parts[1:] or parts)
    kept = kept.assign(worked=kept["status"] != schema.FAILED)
    kept = kept.sort_values([*schema.SESSION, "worked", "finished"], kind="stable")
    kept = kept.drop_duplicates(schema.SESSION, keep="last").drop(columns="worked")
    return kept.reset_index(drop=True), notes


def _latest(trials: pd.DataFrame, version: pd.Series) -> pd.DataFrame:
    """Keep the trials of the version that finished last."""
    return trials[version == trials.groupby(version)["finished"].max().idxmax()]


def check(results: Path) -> None:
    """Refuse a folder with anything in it that is not a whole table of this benchmark."""
    for path in sorted(results.glob("*.parquet")):
        raise _foreign(path, "tables lie in the folders metrics and trials")
    for kind, columns in COLUMNS.items():
        for path in _files(results, kind):
            _require_table(path, columns)
    for path in _files(results, "trials"):
        if not (results / "metrics" / path.name).exists():
            raise _damaged(path, "has no file of that name in metrics beside it")


def _files(results: Path, kind: str) -> Iterator[Path]:
    """List a table's files; hidden ones are half-written or the operating system's."""
    folder = results / kind
    if folder.exists() and not folder.is_dir():
        raise _foreign(folder, "a folder of tables should be there")
    paths = folder.iterdir() if folder.is_dir() else []
    for path in sorted(path for path in paths if not path.name.startswith(".")):
        if path.suffix != ".parquet":
            raise _foreign(path, "only Parquet files lie there")
        yield path


def _require_table(path: Path, columns: Mapping[str, str]) -> None:
    with _reading(path):
        found = pq.read_schema(path).names
    missing = [column for column in columns if column not in found]
    if missing and "experiment" in found:
        raise UserError(
            f"{path} is of another version: it has no column {missing[0]}; "
            f"move the folder {path.parent.parent} elsewhere and run again"
        )
    if missing:
        raise _foreign(path, f"it has no column {missing[0]}")


def _load(path: Path, columns: Mapping[str, str]) -> pa.Table:
    # ParquetFile rather than read_table, which takes "a=b" in a folder's name for a column.
    with _reading(path), pq.ParquetFile(path) as file:
        return file.read(list(columns)).cast(_arrow_schema(columns))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (pa.ArrowException, OSError):
        raise _damaged(path, "is cut short or is no Parquet file") from None


def _read_metrics(results: Path, unit: str, sessions: list[int]) -> pa.Table:
    table = _load(results / "metrics" / f"{unit}.parquet", schema.METRICS)
    wanted = pc.is_in(table["session"], value_set=pa.array(sessions))
    return table.filter(wanted)


def _to_arrow(frame: pd.DataFrame, columns: Mapping[str, str]) -> pa.Table:
    return pa.Table.from_pandas(frame, schema=_arrow_schema(columns), preserve_index=False)


def _arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])


def _replace(path: Path, table: pa.Table) -> None:
    """Write beside the place and rename, so that the name never stands for half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, half)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"cannot write to {folder} ({reason}): free it, or name another folder")


def _foreign(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is not this benchmark's: {reason}; move it elsewhere and run again")


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path} {reason}: move it away and run again, which computes its part anew")
