"""Files that are no tables any more, or in another's place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

Change = Callable[[Path], object]


def _instead(make: Callable[[Path], object]) -> Change:
    """Remove what is there and put something else in its place."""

    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def _tail(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


FILES: dict[str, Change] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": _cut,
    "longer": _tail,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": lambda path: path.write_text("session,step\n1,2\n"),
    "a folder": _instead(Path.mkdir),
    "a pipe": _instead(os.mkfifo),
    "a link to itself": _instead(_link_loop),
    "a link to nothing": _instead(lambda path: path.symlink_to("nowhere")),
    "a device": _instead(lambda path: path.symlink_to("/dev/zero")),
    "another Parquet file": lambda path: pd.DataFrame({"a": [1]}).to_parquet(path),
}
"""What can happen to any file."""


def _other(path: Path) -> Path:
    return next(other for other in sorted(path.parent.iterdir()) if other != path)


def _swapped(path: Path) -> None:
    other, between = _other(path), path.with_name("between")
    path.rename(between)
    other.rename(path)
    between.rename(other)


def _both_swapped(path: Path) -> None:
    for kind in ("metrics", "trials"):
        _swapped(path.parents[1] / kind / path.name)


def _under_two_names(path: Path) -> None:
    for kind in ("metrics", "trials"):
        folder = path.parents[1] / kind
        shutil.copy(folder / path.name, folder / f"again-{path.name}")


LOOSE: dict[str, Change] = {
    "another unit's": lambda path: shutil.copy(_other(path), path),
    "swapped with another unit's": _swapped,
    "in another folder": lambda path: shutil.copy(path, path.parents[1] / path.name),
    "beside a text file": lambda path: path.with_name("notes.txt").write_text("note"),
    "with another name": lambda path: path.rename(path.with_name("renamed.parquet")),
}
"""What can happen to one of several."""
PAIRS: dict[str, Change] = {
    "a unit under two names": _under_two_names,
    "two units' names exchanged": _both_swapped,
}
"""What can happen to a pair: the same rows are there, so the same numbers are right."""
