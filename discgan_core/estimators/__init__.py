"""Gradient estimators, one file each, found by file name.

A file `<name>.py` holds a factory `<name>(**hyperparameters) -> Estimator` and nothing that another
estimator imports: shared mathematics lives in `discgan_core.sequences`.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import Any

from discgan_core.interface import Estimator


def available() -> list[str]:
    """List the estimators, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def make(name: str, **hyperparameters: Any) -> Estimator:
    """Make an estimator by its name.

    Args:
        name: one of `available()`.
        hyperparameters: of its factory.

    Raises:
        ValueError: there is no such estimator.
    """
    if name not in available():
        near = difflib.get_close_matches(name, available(), 1)
        raise ValueError(f"no estimator '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    factory = getattr(importlib.import_module(f"{__name__}.{name}"), name)
    estimator: Estimator = factory(**hyperparameters)
    return estimator
