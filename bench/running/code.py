"""Which code computes a session: its hash tells rows of another code from these, committed or not.

It is of files, so it is the same for whoever has the same ones: in a repository, or installed elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import pandas as pd
import torch

import discgan_core
from bench import experiments, sessions
from bench.sessions.truth import TRAINER
from discgan_core import estimators

CORE, SESSIONS = Path(discgan_core.__path__[0]), Path(sessions.__path__[0])
IMPORT = re.compile(r"^from bench\.experiments(?:\.(\w+))? import ([\w, ]+)", re.MULTILINE)
"""How an experiment imports from another, or from the package: the module or, without one, the names."""
SHOWN = 5
"""Conditions that are named of those with rows of other code."""


def of(experiment: str, estimator: str) -> str:
    """Hash the code that computes an experiment's sessions with an estimator.

    Returns:
        `<a>-<b>`: a is of what all estimators of this experiment share, PyTorch's version among it; b of the
        estimator's own file, empty for a user's own, whose hash is a part of the configuration.
    """
    own = _file(estimators, estimators.bare(estimator))
    return f"{_digest(_shared(experiment))}-{_digest([own]) if own else ''}"


def _file(package: ModuleType, name: str) -> Path | None:
    """Find a module's file, as it is imported, without importing it; None of what is not in the package."""
    spec = PathFinder.find_spec(f"{package.__name__}.{name}", package.__path__)
    return Path(spec.origin) if spec and spec.origin else None


def others(trials: pd.DataFrame, commit: str) -> pd.Series:
    """Tell which trials other code has made; of those from before codes were kept, another commit."""
    pairs = trials[["experiment", "estimator"]].drop_duplicates()
    known = set(experiments.available())
    now = {(e, name): of(e, name) for e, name in pairs.itertuples(index=False) if e in known}
    keys = zip(trials["experiment"], trials["estimator"], strict=True)
    current = pd.Series([now.get(key, "") for key in keys], index=trials.index, dtype="string")
    return (trials["code"] != current).where(trials["code"] != "", trials["commit"] != commit)


def told(trials: pd.DataFrame) -> str:
    """Say of which conditions there are trials of other code, and of which code."""
    groups = [*trials.groupby(["experiment", "length", "estimator"], sort=True)]
    named = [f"{' '.join(map(str, key))} ({', '.join(_names(rows))})" for key, rows in groups[:SHOWN]]
    more = len(groups) - len(named)
    return "; ".join([*named, *([f"and {more} more conditions"] if more else [])])


def _names(trials: pd.DataFrame) -> list[str]:
    made = trials[["code", "commit"]].drop_duplicates().itertuples(index=False)
    return sorted(f"code {code or 'unknown'} of commit {commit[:8]}{commit[40:]}" for code, commit in made)


def _shared(experiment: str) -> list[Path]:
    """Give the core, the sessions and the experiment; of the estimators the one that trains for others."""
    folder = CORE / "estimators"
    core = [path for path in CORE.rglob("*.py") if path.parent != folder]
    core += [folder / "__init__.py", folder / f"{TRAINER}.py"]
    return sorted([*core, *SESSIONS.glob("*.py"), *_and_imported(experiment)])


def _and_imported(experiment: str) -> list[Path]:
    """Give an experiment's file, and those of others that it imports from."""
    names, found = [experiment], [Path(experiments.__file__)]
    for name in names:
        path = _file(experiments, name)
        if path:
            found.append(path)
            names += [other for other in _imports(path, *_state(path)) if other not in names]
    return found


def _digest(paths: Iterable[Path]) -> str:
    found = sha256(torch.__version__.encode())
    for path in paths:
        found.update(path.name.encode() + _content(path, *_state(path)))
    return found.hexdigest()[:8]


@cache
def _imports(path: Path, *_: int) -> list[str]:
    """Name the experiments that one imports from; read again only if it has changed, as below."""
    found = IMPORT.findall(path.read_text("utf-8"))
    return [name for module, names in found for name in ([module] if module else re.findall(r"\w+", names))]


@cache
def _content(path: Path, *_: int) -> bytes:
    return sha256(path.read_bytes()).digest()


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
