"""Gradient estimators for expectations over sequences of discrete tokens, and what they need.

Read `interface` first: it is the whole vocabulary. `estimators.make(name)` makes an estimator, and
`gradients.update_gradient` takes its gradient for your policy and reward; `exact` is the referee, and
`check(policy, reward)` says in words what is wrong with yours.
This package knows no files, clocks or command lines.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__all__ = [
    "ascent",
    "check",
    "contexts",
    "endings",
    "estimators",
    "exact",
    "gradients",
    "interface",
    "randomness",
    "sequences",
    "tasks",
]

if TYPE_CHECKING:
    from discgan_core import (
        ascent,
        contexts,
        endings,
        estimators,
        exact,
        gradients,
        interface,
        randomness,
        sequences,
        tasks,
    )
    from discgan_core.diagnosis import check

    __version__: str
else:

    def __getattr__(name: str) -> Any:
        """Import a module when it is first asked for: the estimators' names are had without PyTorch."""
        if name == "__version__":
            return version("discgan-bench")
        if name == "check":
            return import_module(f"{__name__}.diagnosis").check
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
