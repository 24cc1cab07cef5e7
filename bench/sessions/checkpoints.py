"""Parameters kept on disk: what several units of work need alike is computed by the first of them.

A file holds named tensors in the safetensors format, nothing that could be run. Its name ends with a hash
of whatever its numbers depend on, the code that makes them among it, so a file is never out of date; a hash
of its content is in it, so that a damaged one is made anew. Nothing of this is needed: where it cannot be
kept, or somebody else holds on to it for too long, it is computed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import safetensors.torch
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from torch import Tensor

import discgan_core
from bench import disk, notices
from bench.errors import UserError
from bench.sessions import cache, intact

Tensors = dict[str, Tensor]

SEAL = "sha256"
PATIENCE = 60.0
"""Seconds to wait for somebody who makes the same file; who holds it longer may have been stopped."""


@lru_cache
def code() -> str:
    """Hash the source files of the core and of the sessions, and torch's version."""
    found = sha256(torch.__version__.encode())
    for root in (Path(discgan_core.__path__[0]), Path(__file__).parent):
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
    text = json.dumps([SEAL, code(), depends_on], sort_keys=True)
    return cache.checkpoints() / f"{name}-{sha256(text.encode()).hexdigest()[:16]}.safetensors"


def kept(jobs: Mapping[Path, Callable[[], Tensors]]) -> list[Tensors]:
    """Load each file, making those that are not there or not whole.

    Processes that want the same files at the same time make different ones first, and wait for one another
    only at the end.

    Args:
        jobs: file, as `path_of` names it -> what makes its tensors.
    """
    found: dict[Path, Tensors] = {}
    for patience in (0.0, PATIENCE):
        for path, make in jobs.items():
            if path not in found:
                tensors = _load(path) or _made_once(path, make, patience)
                if tensors is not None:
                    found[path] = tensors
    return [found[path] for path in jobs]


def _made_once(path: Path, make: Callable[[], Tensors], patience: float) -> Tensors | None:
    """Make a file's tensors unless somebody else is at it, or has been just now."""
    with _locked(path, patience) as mine:
        return (_load(path) or _made(path, make)) if mine else None


def _made(path: Path, make: Callable[[], Tensors]) -> Tensors:
    """Make a file's tensors, and keep them if that can be done."""
    # apart from one another: the format refuses tensors that share their memory, as zeros to begin with may
    made = {name: t.clone(memory_format=torch.contiguous_format).cpu() for name, t in make().items()}
    intact.require()  # or what one has computed in a process that is not as it was would be all others'
    if not cache.written():
        return made
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.put(path, safetensors.torch.save(made, {SEAL: _seal(path, made)}))
        cache.trim()
    except OSError as error:
        _unusable(error)
    return made


def _load(path: Path) -> Tensors | None:
    """Give a file's tensors; None where there is none that is whole."""
    if not os.path.lexists(path):
        return None
    try:
        content = disk.read(path, cache.LIMIT)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        tensors = safetensors.torch.load(content)
        if header["__metadata__"][SEAL] != _seal(path, tensors):
            raise ValueError
    except UserError as error:
        notices.say(f"the cache cannot be used: {error}")
        return None
    except (SafetensorError, ValueError, LookupError, TypeError):
        notices.say(f"{path} is damaged, and made anew")
        return None
    cache.used(path)
    return tensors


def _seal(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Hash all that a file says, and which one it is."""
    forms = [(name, str(tensor.dtype), list(tensor.shape)) for name, tensor in sorted(tensors.items())]
    return sha256(f"{path.name} {forms} {digest(tensors)}".encode()).hexdigest()


@contextmanager
def _locked(path: Path, patience: float) -> Iterator[bool]:
    """Hold the file, so that nobody else makes it at the same time; says whether to make it.

    Without patience that is up to whoever holds it; with, it is not left to them for ever.
    """
    lock = FileLock(path.with_suffix(".lock"), timeout=patience)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        if patience:
            notices.say(f"{path} is held by another process for more than {patience:.0f} s: made without it")
        yield patience > 0
        return
    except (OSError, NotImplementedError) as error:
        if not path.exists():
            _unusable(error)
        yield True
        return
    try:
        yield True
    finally:
        with suppress(OSError):  # whoever still waits for this one finds the file made
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _unusable(error: Exception) -> None:
    reason = getattr(error, "strerror", None) or str(error)
    notices.say(
        f"the cache {cache.folder()} cannot be used ({reason}): pre-training is computed; "
        f"{cache.VARIABLE}=DIR names another"
    )
