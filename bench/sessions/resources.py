"""What a piece of work takes: seconds, and memory at its peak."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import accumulate
from typing import TypeVar

import torch
from torch.autograd.profiler import profile

Result = TypeVar("Result")
Work = Callable[[], Result]

MEMORY = "[memory]"
"""What torch's profiler calls an allocation or a release."""


def fastest(work: Work[object], device: str, spend: float) -> float:
    """Time the work again and again until so many seconds are spent, and give the least.

    On a CPU it is the processor's time, which other processes do not add to; elsewhere it is the clock's.
    """
    times = [seconds(work, device)]
    while sum(times) < spend:
        times.append(seconds(work, device))
    return min(times)


def seconds(work: Work[object], device: str) -> float:
    """Time the work once."""
    if device == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def peak_memory(work: Work[Result], device: str) -> tuple[Result, int]:
    """Give what the work returns, and how many bytes of tensors it holds at most beyond those before it.

    On a CPU every allocation and release is counted: the same bytes whenever the same work is done, whatever
    the allocator keeps. What numpy allocates is not seen.
    """
    if device != "cpu":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        return work(), torch.cuda.max_memory_allocated() - before
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or a line on stderr at the begin and end of each
    with profile(use_kineto=False, profile_memory=True) as found:
        result = work()
    events = [event for event in found.kineto_results.events() if event.name() == MEMORY]
    events.sort(key=lambda event: event.start_ns())
    return result, max(accumulate((event.nbytes() for event in events), initial=0))
