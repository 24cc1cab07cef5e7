"""Many units in one file per table: `metrics.parquet` and `trials.parquet` at the top of a results folder.

A further column `unit` says which unit a row is of, and the rows are sorted by it: the same rows as in
loose files, in a small part of the space. `metrics.parquet` is put in place first, as with loose units.
"""

from collections.abc import Container
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bench.errors import UserError
from bench.tables import files, schema
from bench.tables.files import arrow_schema, damaged, foreign, load, replace, require_table, to_arrow

COLUMNS = {kind: {**columns, "unit": "string"} for kind, columns in files.COLUMNS.items()}
NAMES = {kind: f"{kind}.parquet" for kind in COLUMNS}
ORDER = {"metrics": ["unit", *schema.METRICS_KEY], "trials": ["unit", *schema.SESSION]}


def check(results: Path) -> None:
    """Refuse at the folder's top what is no whole pair of packed tables."""
    require_ours(results)
    metrics, trials = (results / name for name in NAMES.values())
    if trials.exists() and not metrics.exists():
        raise damaged(trials, "has no metrics.parquet beside it")
    if metrics.exists() and not trials.exists():
        raise UserError(
            f"{metrics} has no trials.parquet beside it, as a merge leaves it that was cut off: "
            "merge again, or move it away"
        )


def require_ours(results: Path) -> None:
    """Refuse a Parquet file at the folder's top that is no packed table."""
    for path in sorted(results.glob("[!.]*.parquet")):
        if path.name not in NAMES.values():
            raise foreign(path, "tables lie in metrics.parquet, trials.parquet and folders of these names")
        require_table(path, COLUMNS[path.stem], results)


def finished(results: Path) -> bool:
    """Say whether both files are there: the trials come last."""
    return (results / NAMES["trials"]).exists()


def read_trials(results: Path, but: Container[str] = ()) -> pa.Table:
    """Read the packed trials of all units but these, `unit` being the last column."""
    path = results / NAMES["trials"]
    if not path.exists():
        return arrow_schema(COLUMNS["trials"]).empty_table()
    table = load(path, COLUMNS["trials"])
    return table.filter(pa.array([unit not in but for unit in table["unit"].to_pylist()], pa.bool_()))


def read_metrics(results: Path) -> dict[str, pa.Table]:
    """Read the packed metrics of each unit."""
    path = results / NAMES["metrics"]
    if not path.exists():
        return {}
    table = load(path, COLUMNS["metrics"])
    units = table["unit"].dictionary_encode().combine_chunks()
    starts = np.flatnonzero(np.diff(units.indices.to_numpy(), prepend=-1))
    names = pc.take(table["unit"], pa.array(starts)).to_pylist()
    if len(set(names)) < len(names):
        raise damaged(path, "is not sorted by unit")
    lengths = np.diff(starts, append=len(table))
    rows = table.drop_columns("unit")
    return {name: rows.slice(*at) for name, *at in zip(names, starts, lengths, strict=True)}


def write(results: Path, metrics: pd.DataFrame, trials: pd.DataFrame) -> int:
    """Pack both tables, each with a column `unit`, and give the size of the files."""
    for kind, frame in (("metrics", metrics), ("trials", trials)):
        rows = to_arrow(frame, COLUMNS[kind]).sort_by([(name, "ascending") for name in ORDER[kind]])
        # Numbers seldom repeat: a dictionary of them would only be a second copy.
        words = [name for name, type_ in COLUMNS[kind].items() if type_ != "float64"]
        replace(results / NAMES[kind], rows, compression="zstd", compression_level=9, use_dictionary=words)
    return sum((results / name).stat().st_size for name in NAMES.values())
