"""All kinds of faults, which share the time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from faults import damage, flips, kills, originals, surroundings
from faults.originals import Originals
from faults.tries import Job, Try, all_of


class Kind(NamedTuple):
    """A kind of fault.

    Attributes:
        jobs: given what undisturbed runs gave and the seed.
        share: of the time that is left when its turn comes.
        few: tries that are enough for a short campaign.
        at_once: tries at a time; None for one on each core.
    """

    jobs: Callable[[Originals, int], Iterator[Job]]
    share: float
    few: int
    at_once: int | None = None


KINDS = {
    "flips": Kind(flips.jobs, 0.15, 60, 1),
    "damage": Kind(damage.jobs, 0.2, 60, 1),
    "surroundings": Kind(surroundings.jobs, 0.45, 6),
    "kills": Kind(kills.jobs, 1.0, 6),
}


def run(folder: Path, seed: int, seconds: float, names: Sequence[str], few: bool = False) -> list[Try]:
    """Try all kinds of these names."""
    end, tries = time.monotonic() + seconds, []
    made = originals.make(folder)
    for name in names:
        kind, begin = KINDS[name], time.monotonic()
        share = kind.share if len(names) > 1 else 1
        found = all_of(kind.jobs(made, seed), (end - begin) * share, kind.few if few else None, kind.at_once)
        tries += found
        print(f"{name}: {len(found)} tries in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return tries
