"""Under what circumstances a session ran, so that a number can be traced and doubted."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
VERSION = version("discgan-bench")


def circumstances(device: str) -> dict[str, str | int]:
    """Give the trials table's columns about code, machine and time."""
    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "commit": commit(),
        "version": VERSION,
        "python": platform.python_version(),
        "machine": machine(device),
        "finished": datetime.now(timezone.utc).isoformat(),
    }


@cache
def commit(root: Path = ROOT) -> str:
    """Name the commit of the code, "+dirty" if the code differs from it, "unknown" outside git."""
    if not (root / ".git").exists():  # installed elsewhere, perhaps inside another repository
        return "unknown"
    try:
        head = _git(root, "rev-parse", "HEAD")
        changes = _git(root, "status", "--porcelain", "--", "bench", "discgan_core")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+dirty" if changes else head


@cache
def machine(device: str) -> str:
    """Describe the machine without naming it."""
    accelerator = [torch.cuda.get_device_name()] if device == "cuda" else []
    cores = f"{cpu_count()} cores"
    return ", ".join([platform.system(), platform.machine(), _cpu(), cores, *accelerator])


def cpu_count() -> int:
    """Count the cores this process may use, which in a container can be few of many."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    """Give the processor's model, which `platform` does not know on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else "unknown processor"


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
