"""What is tried, what came of it, and how long there is for more."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from random import Random
from typing import NamedTuple

TOLD, SAME, CHANGED, MISSING = "told", "same", "changed unnoticed", "missing unnoticed"
TRACEBACK, HANG, LEFT, OTHER = "traceback", "hang", "left over", "otherwise wrong"
SKIPPED = "skipped"
WRONG = (CHANGED, MISSING, TRACEBACK, HANG, LEFT, OTHER)
"""Outcomes of which there must be none; `told` and `same` are right."""


class Try(NamedTuple):
    """One fault and what came of it."""

    kind: str
    case: str
    outcome: str
    detail: str = ""


Job = Callable[[], Try]


def wrong(tries: Sequence[Try]) -> list[Try]:
    """Give what must not be."""
    return [each for each in tries if each.outcome in WRONG]


def chance(seed: int, *what: object) -> Random:
    """Draw alike for the same seed and the same thing, whatever was tried before it."""
    return Random(zlib.crc32(repr((seed, *what)).encode()))


def all_of(
    jobs: Iterator[Job], seconds: float, most: int | None = None, at_once: int | None = None
) -> list[Try]:
    """Carry out jobs, some at a time, until they end, there are enough or the time is over."""
    end, done = time.monotonic() + seconds, []
    count = at_once or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(count) as pool:
        for job in pool.map(lambda job: job() if time.monotonic() < end else None, islice(jobs, most)):
            if job is not None:
                done.append(job)
                if len(done) % 25 == 0:
                    print(f"{job.kind}: {len(done)} tries so far", file=sys.stderr, flush=True)
                _say(job)
    return done


def _say(done: Try) -> None:
    """Say at once what is wrong."""
    if done.outcome in WRONG:
        print(f"WRONG {done.kind}: {done.case}: {done.outcome}: {done.detail}", file=sys.stderr, flush=True)
