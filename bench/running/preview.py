"""What a dry run shows: how far every condition is, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Sequence

from bench.running.plan import Entry, Unit
from bench.running.progress import duration
from bench.tables import schema


def table(entries: Sequence[Entry]) -> list[list[object]]:
    """Give a line for each condition, below a heading."""
    return [[*schema.CONDITION, "done", "pending", "core time"], *map(_line, entries)]


def summary(entries: Sequence[Entry], units: Sequence[Unit], workers: int) -> str:
    """Say what is to do in all."""
    pending = sum(len(entry.pending) for entry in entries)
    time_left = duration(sum(map(_left, entries)) / workers)
    return (
        f"{pending} sessions to run in {len(units)} units: "
        f"about {time_left} with {workers} worker{'s'[: workers > 1]}"
    )


def _line(entry: Entry) -> list[object]:
    known = {"experiment": entry.experiment, **entry.condition._asdict()}
    condition = [known[column] for column in schema.CONDITION]
    return [*condition, entry.done, len(entry.pending), duration(_left(entry))]


def _left(entry: Entry) -> float:
    return entry.seconds * len(entry.pending)
