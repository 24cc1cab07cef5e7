"""What may befall a table's file, loose or packed."""

from pathlib import Path

import pandas as pd


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def other_table(path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(path)
