"""What the user asked for, checked: made once, at the door, and all that the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """What is to be run, where and how.

    Attributes:
        experiments: their names.
        preset: how much is computed.
        estimators: their names; a user's own are loaded.
        sessions: of each condition; None leaves it to the preset.
        lengths: of the sequences; None leaves them to the preset.
        source: of the word lists; None leaves it to the preset.
        device: cpu or cuda.
        workers: processes; None leaves their number to the machine.
        results: folder of the tables.
        reports: folder of the report.
        dry_run: whether only the plan is shown.
    """

    experiments: Sequence[str]
    preset: str
    estimators: Sequence[str]
    sessions: int | None = None
    lengths: Sequence[int] | None = None
    source: str | None = None
    device: str = "cpu"
    workers: int | None = None
    results: Path = Path("results")
    reports: Path = Path("reports")
    dry_run: bool = False
