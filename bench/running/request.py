"""What the user asked for, checked: made once, at the door, and all that the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Assignment(NamedTuple):
    """A setting and its value, as typed.

    Attributes:
        said: the option or the file, and the setting, for what the user is told.
        name: of the setting.
        value: of any type that can be typed.
        experiment: whose; "" for all that have such a setting.
    """

    said: str
    name: str
    value: Any
    experiment: str = ""


@dataclass(frozen=True)
class Request:
    """What is to be run, where and how.

    Attributes:
        experiments: their names.
        preset: how much is computed.
        estimators: their names, with hyperparameters of their own or without; a user's own are loaded.
        sessions: of each condition, their numbers; None leaves it to the preset.
        lengths: of the sequences; None leaves them to the preset.
        assignments: settings that are not the preset's.
        source: of the word lists; None leaves it to the preset.
        device: cpu or cuda.
        workers: processes; None leaves their number to the machine.
        results: folder of the tables.
        reports: folder of the report.
        anew: whether sessions that other code has made are computed again.
        dry_run: whether only the plan is shown.
    """

    experiments: Sequence[str]
    preset: str
    estimators: Sequence[str]
    sessions: Sequence[int] | None = None
    lengths: Sequence[int] | None = None
    assignments: Sequence[Assignment] = ()
    source: str | None = None
    device: str = "cpu"
    workers: int | None = None
    results: Path = Path("results")
    reports: Path = Path("reports")
    anew: bool = False
    dry_run: bool = False
