"""Gradient estimators, one file each, found by file name.

A file `<name>.py` holds a factory `<name>(**hyperparameters) -> Estimator` and nothing that another
estimator imports: shared mathematics lives in `discgan_core.sequences`. A user's own file of that kind, and
installed packages that bring estimators (`discgan_core.plugins`), join them.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discgan_core import plugins
from discgan_core.plugins import Plugin, PluginError

if TYPE_CHECKING:
    from discgan_core.interface import Estimator

_loaded: dict[str, Plugin] = {}
"""Of files that were given by their path."""


def available() -> list[str]:
    """List the estimators, in alphabetical order.

    Raises:
        PluginError: an installed package brings one under a name that is taken.
    """
    for name in _built_in() & plugins.entries().keys():
        brings = f"{plugins.package(plugins.entries()[name])} brings an estimator {name}"
        raise PluginError(f"{brings}, which is the name of one of ours: uninstall it")
    return sorted({*_built_in(), *plugins.entries(), *_loaded})


def load(path: Path) -> str:
    """Add the estimator of a user's own file `<name>.py`; a file that was edited may be loaded again.

    Returns:
        its name.

    Raises:
        PluginError: the file does not follow the rule, or its name is taken.
    """
    path, name = path.resolve(), path.stem
    others = {*_built_in(), *plugins.entries(), *(n for n, p in _loaded.items() if p.path != path)}
    if name in others:
        raise PluginError(f"{path}: there is an estimator {name} already; give the file another name")
    plugin = plugins.read(path)
    plugin.make(name, {})
    _loaded[name] = plugin
    return name


def make(name: str, **hyperparameters: Any) -> Estimator:
    """Make an estimator by its name.

    Args:
        name: one of `available()`.
        hyperparameters: of its factory.

    Raises:
        ValueError: there is no such estimator, or it is a plug-in that fails.
    """
    if name not in available():
        near = difflib.get_close_matches(name, available(), 1)
        raise ValueError(f"no estimator '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    from discgan_core.guard import guarded  # loads PyTorch, which a list of names can do without

    if name in _built_in():
        factory = getattr(importlib.import_module(f"{__name__}.{name}"), name)
        return guarded(name, factory(**hyperparameters))
    return guarded(name, _plugin(name).make(name, hyperparameters))


def path(name: str) -> Path:
    """Give the file that an estimator is written in; it is not imported."""
    if name in _built_in():
        return Path(__path__[0]) / f"{name}.py"
    return _loaded[name].path if name in _loaded else plugins.path_of(name)


def origin(name: str) -> str:
    """Tell where an estimator from elsewhere comes from and what is in its file; "" of one of ours."""
    return "" if name in _built_in() else _plugin(name).source


def _built_in() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__)}


def _plugin(name: str) -> Plugin:
    return _loaded[name] if name in _loaded else plugins.installed(name)
