"""What the commands that compute were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The options of `run` and `run-all`, as they were typed."""

    preset: str
    sessions: int | None
    estimators: Sequence[str] | None
    lengths: Sequence[str] | None
    source: str | None
    data: Path | None
    plugins: Sequence[Path] | None
    results: Path | None
    reports: Path | None
    device: str
    workers: int | None
    dry_run: bool
