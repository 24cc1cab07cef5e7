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
from threading import Lock
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
    end, done, turn, left = time.monotonic() + seconds, [], Lock(), islice(jobs, most)

    def work() -> None:
        while time.monotonic() < end:
            with turn:  # jobs may be without end: each is made when its turn comes
                job = next(left, None)
            if job is None:
                return
            done.append(job())
            _say(done[-1], len(done))

    count = at_once or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(count) as pool:
        for worker in [pool.submit(work) for _ in range(count)]:
            worker.result()
    return done


def _say(done: Try, count: int) -> None:
    """Say at once what is wrong, and now and then how far it is."""
    if done.outcome in WRONG:
        print(f"WRONG {done.kind}: {done.case}: {done.outcome}: {done.detail}", file=sys.stderr, flush=True)
    if count % 25 == 0:
        print(f"{done.kind}: {count} tries so far", file=sys.stderr, flush=True)
