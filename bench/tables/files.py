"""One Parquet file of a table: written whole or not at all, read whole or refused in one line."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import UserError
from bench.tables import schema

COLUMNS = {"metrics": schema.METRICS, "trials": schema.TRIALS}


def require_table(path: Path, columns: Mapping[str, str], results: Path) -> None:
    """Refuse a file of this results folder that has not these columns, without reading its rows."""
    with _reading(path):
        found = pq.read_schema(path).names
    missing = [column for column in columns if column not in [*found, *schema.LATER]]
    if missing and "experiment" in found:
        raise UserError(
            f"{path} is of another version: it has no column {missing[0]}; "
            f"move the folder {results} elsewhere and run again"
        )
    if missing:
        raise foreign(path, f"it has no column {missing[0]}")


def load(path: Path, columns: Mapping[str, str]) -> pa.Table:
    """Read these columns, and what stands for those that came later."""
    # ParquetFile rather than read_table, which takes "a=b" in a folder's name for a column.
    with _reading(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read(list(columns))
        for name in columns:
            if name not in table.column_names:
                table = table.append_column(name, pa.array([schema.LATER[name]] * len(table), pa.string()))
        return table.select(list(columns)).cast(arrow_schema(columns))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # the last of a name of a column
        raise damaged(path, "is cut short, damaged or no Parquet file") from None


def to_arrow(frame: pd.DataFrame, columns: Mapping[str, str]) -> pa.Table:
    """Give a table the types of its file."""
    return pa.Table.from_pandas(frame, schema=arrow_schema(columns), preserve_index=False)


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Give the columns' types in Arrow's words."""
    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])


def replace(path: Path, table: pa.Table, **how: Any) -> None:
    """Write beside the place and rename, so that the name never stands for half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, half, write_page_checksum=True, **how)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def unwritable(folder: Path, error: OSError) -> UserError:
    """Say that a folder cannot be written to."""
    reason = error.strerror or str(error)
    return UserError(f"cannot write to {folder} ({reason}): free it, or name another folder")


def foreign(path: Path, reason: str) -> UserError:
    """Say that something is not ours."""
    return UserError(f"{path} is not this benchmark's: {reason}; move it elsewhere and run again")


def damaged(path: Path, reason: str) -> UserError:
    """Say that something is no longer whole."""
    return UserError(f"{path} {reason}: move it away and run again, which computes its part anew")
