"""Parameters kept on disk: what several units of work need alike is computed by the first of them.

A file holds named tensors in the safetensors format, nothing that could be run. Its name ends with a hash
of whatever its numbers depend on, the code of `discgan_core` among it, so a file is never out of date; it
is safe to delete at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from safetensors.torch import load_file, save_file
from torch import Tensor

import discgan_core
from bench.sessions import cache

Tensors = dict[str, Tensor]


@lru_cache
def code() -> str:
    """Hash the core's source files and torch's version."""
    root = Path(discgan_core.__path__[0])
    found = sha256(torch.__version__.encode())
    for path in sorted(root.rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Hash named tensors."""
    found = sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(name.encode() + tensor.cpu().numpy().tobytes())
    return found.hexdigest()


def numbered(tensors: Iterable[Tensor]) -> Tensors:
    """Name tensors by their places."""
    return {str(place): tensor for place, tensor in enumerate(tensors)}


def path_of(name: str, depends_on: object) -> Path:
    """Give the file of these tensors.

    Args:
        name: for a person to read.
        depends_on: whatever else the numbers depend on, as JSON can hold it.
    """
    text = json.dumps([code(), depends_on], sort_keys=True)
    return cache.folder() / "checkpoints" / f"{name}-{sha256(text.encode()).hexdigest()[:16]}.safetensors"


def kept(jobs: Mapping[Path, Callable[[], Tensors]]) -> list[Tensors]:
    """Load each file, making those that are not there yet.

    Processes that want the same files at the same time make different ones first, and wait for one another
    only at the end.

    Args:
        jobs: file, as `path_of` names it -> what makes its tensors.
    """
    for patience in (0, -1):
        for path, make in jobs.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with FileLock(path.with_suffix(".lock"), timeout=patience):
                    if not path.exists():
                        write(path, make())
            except Timeout:
                continue
    return [load_file(path) for path in jobs]


def write(path: Path, tensors: Tensors) -> None:
    """Put a whole file in place, or none."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    # apart from one another: the format refuses tensors that share their memory, as zeros to begin with may
    apart = {name: t.clone(memory_format=torch.contiguous_format) for name, t in tensors.items()}
    save_file(apart, half)
    half.replace(path)
