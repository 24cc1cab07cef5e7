"""One Parquet file of a table: written whole or not at all, read whole or refused in one line.

What is written is sealed: the file's metadata have a hash of all its bytes, and those of trials also the seal
of the metrics that belong to them. So a bit that has flipped, rows that are gone and a file in another's
place are noticed; files of before there were seals have Parquet's checksums and `bench.tables.sound`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench import disk
from bench.errors import UserError
from bench.tables import schema

COLUMNS = {"metrics": schema.METRICS, "trials": schema.TRIALS}
MOST = 1 << 40
"""Bytes of a file that are read: any."""
SEAL, BESIDE = b"discgan_bench.seal", b"discgan_bench.metrics"
"""Under which names a file has its seal in its metadata and, if it holds trials, that of their metrics."""
BLANK = b"0" * 64
"""In the place of a seal while it is made."""


def require_table(path: Path, columns: Mapping[str, str], results: Path) -> Mapping[bytes, bytes]:
    """Refuse a file of this results folder that has not these columns; its rows are not read.

    Returns:
        what the file says of itself, its seal among it.
    """
    content = disk.read(path, MOST)
    with _reading(path), pq.ParquetFile(pa.BufferReader(content)) as file:
        found, known = file.schema_arrow.names, file.metadata.metadata or {}
    missing = [column for column in columns if column not in [*found, *schema.LATER]]
    if missing and "experiment" in found:
        raise UserError(
            f"{path} is of another version: it has no column {missing[0]}; "
            f"move the folder {results} elsewhere and run again"
        )
    if missing:
        raise foreign(path, f"it has no column {missing[0]}")
    return known


def require_together(path: Path, metrics: Mapping[bytes, bytes], trials: Mapping[bytes, bytes]) -> None:
    """Refuse metrics in this file, and trials, that were not put in place with one another.

    Args:
        path: of the metrics.
        metrics: what they say of themselves.
        trials: likewise; among it which seal their metrics should have.
    """
    if trials.get(BESIDE) != metrics.get(SEAL):
        raise damaged(path, "it and its trials were not written together")


def load(path: Path, columns: Mapping[str, str]) -> pa.Table:
    """Read these columns, and what stands for those that came later.

    Raises:
        UserError: the file is not as it was written.
    """
    content = disk.read(path, MOST)
    # ParquetFile rather than read_table, which takes "a=b" in a folder's name for a column.
    # Words are read faster with their dictionaries; those that came later need not be there.
    words = [name for name, kind in columns.items() if kind == "string" and name not in schema.LATER]
    how = {"page_checksum_verification": True, "read_dictionary": words}
    with _reading(path), pq.ParquetFile(pa.BufferReader(content), **how) as file:
        known = file.metadata.metadata or {}  # of the file; the schema has them as they were before
        _require_seal(path, content, known)
        table = file.read(list(columns))
        for name in columns:
            if name not in table.column_names:
                table = table.append_column(name, pa.array([schema.LATER[name]] * len(table), pa.string()))
        return table.select(list(columns)).cast(arrow_schema(columns))


def _require_seal(path: Path, content: bytes, known: Mapping[bytes, bytes]) -> None:
    """Refuse a file that has a seal and not the content of which it is the seal."""
    seal = known.get(SEAL)
    if seal is not None:
        place = content.rfind(seal)
        blank = content[:place] + BLANK + content[place + len(seal) :]
        if place < 0 or sha256(blank).hexdigest().encode() != seal:
            raise damaged(path, "it is not as it was written")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # the last of a name of a column
        raise damaged(path, "it is cut short, changed or no Parquet file") from None


def to_arrow(frame: pd.DataFrame, columns: Mapping[str, str]) -> pa.Table:
    """Give a table the types of its file."""
    return pa.Table.from_pandas(frame, schema=arrow_schema(columns), preserve_index=False)


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Give the columns' types in Arrow's words."""
    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])


def replace(path: Path, table: pa.Table, beside: str = "", **how: Any) -> str:
    """Put a table in place, whole, in a folder that is there; its seal is a hash of all of it but itself.

    Args:
        path: of the file.
        table: what is to be in it.
        beside: the seal of the metrics, of which these are the trials.
        how: it is packed.

    Returns:
        the seal.
    """
    sink = pa.BufferOutputStream()
    metadata = {SEAL: BLANK, **({BESIDE: beside.encode()} if beside else {})}
    pq.write_table(table.replace_schema_metadata(metadata), sink, write_page_checksum=True, **how)
    blank = sink.getvalue().to_pybytes()
    seal, place = sha256(blank).hexdigest().encode(), blank.rfind(BLANK)
    disk.put(path, blank[:place] + seal + blank[place + len(seal) :])
    disk.settle(path.parent)
    return seal.decode()


def unwritable(folder: Path, error: OSError) -> UserError:
    """Say that a folder cannot be written to."""
    reason = error.strerror or str(error)
    return UserError(f"cannot write to {folder} ({reason}): free it, or name another folder")


def foreign(path: Path, reason: str) -> UserError:
    """Say that something is not ours."""
    return UserError(f"{path} is not this benchmark's: {reason}; move it elsewhere and run again")


def damaged(path: Path, reason: str) -> UserError:
    """Say that something is no longer whole."""
    return UserError(f"{path} is damaged: {reason}; move it away and run again, which computes its part anew")
