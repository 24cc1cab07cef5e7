"""Many units in one file per table: `metrics.parquet` and `trials.parquet` at the top of a results folder.

A further column `unit` says which unit a row is of, and the rows are sorted by it: the same rows as in
loose files, in a small part of the space. `metrics.parquet` is put in place first, as with loose units.
"""

from collections.abc import Container, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bench.errors import UserError
from bench.tables import files, schema
from bench.tables.files import (
    arrow_schema,
    damaged,
    foreign,
    load,
    replace,
    require_table,
    require_together,
    to_arrow,
)

COLUMNS = {kind: {**columns, "unit": "string"} for kind, columns in files.COLUMNS.items()}
NAMES = {kind: f"{kind}.parquet" for kind in COLUMNS}
ORDER = {"metrics": ["unit", *schema.METRICS_KEY], "trials": ["unit", *schema.SESSION]}


def check(results: Path) -> None:
    """Refuse at the folder's top what is no whole pair of packed tables."""
    known = require_ours(results)
    metrics, trials = (results / name for name in NAMES.values())
    if trials.exists() and not metrics.exists():
        raise damaged(trials, "it has no metrics.parquet beside it")
    if metrics.exists() and not trials.exists():
        raise UserError(
            f"{metrics} has no trials.parquet beside it, as a merge leaves it that was cut off: "
            "merge again, or move it away"
        )
    if known:
        require_together(metrics, known["metrics"], known["trials"])


def require_ours(results: Path) -> dict[str, Mapping[bytes, bytes]]:
    """Refuse a Parquet file at the top that is no packed table; give what the others say of themselves."""
    known = {}
    for path in sorted(results.glob("[!.]*.parquet")):
        if path.name not in NAMES.values():
            raise foreign(path, "tables lie in metrics.parquet, trials.parquet and folders of these names")
        known[path.stem] = require_table(path, COLUMNS[path.stem], results)
    return known


def finished(results: Path) -> bool:
    """Say whether both files are there: the trials come last."""
    return (results / NAMES["trials"]).exists()


def read_trials(results: Path, but: Container[str] = ()) -> pa.Table:
    """Read the packed trials of all units but these, `unit` being the last column."""
    path = results / NAMES["trials"]
    if not path.exists():
        return arrow_schema(COLUMNS["trials"]).empty_table()
    return _without(load(path, COLUMNS["trials"]), but)


def read_metrics(results: Path, but: Container[str] = ()) -> pa.Table:
    """Read the packed metrics of all units but these, `unit` being the last column."""
    path = results / NAMES["metrics"]
    if not path.exists():
        return arrow_schema(COLUMNS["metrics"]).empty_table()
    return _without(load(path, COLUMNS["metrics"]), but)


def _without(table: pa.Table, units: Container[str]) -> pa.Table:
    """Leave units out."""
    there = [name for name in pc.unique(table["unit"]).to_pylist() if name in units]
    if not there:
        return table
    return table.filter(pc.invert(pc.is_in(table["unit"], value_set=pa.array(there, pa.string()))))


def write(results: Path, metrics: pd.DataFrame, trials: pd.DataFrame) -> int:
    """Pack both tables, each with a column `unit`, and give the size of the files."""
    results.mkdir(parents=True, exist_ok=True)
    seal = ""
    for kind, frame in (("metrics", metrics), ("trials", trials)):
        rows = to_arrow(frame, COLUMNS[kind]).sort_by([(name, "ascending") for name in ORDER[kind]])
        # Numbers seldom repeat: a dictionary of them would only be a second copy.
        words = [name for name, type_ in COLUMNS[kind].items() if type_ != "float64"]
        how = {"compression": "zstd", "compression_level": 9, "use_dictionary": words}
        seal = replace(results / NAMES[kind], rows, beside=seal, **how)
    return sum((results / name).stat().st_size for name in NAMES.values())
