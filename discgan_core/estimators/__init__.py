"""Gradient estimators, one file each, found by file name.

A file `<name>.py` holds a factory `<name>(**hyperparameters) -> Estimator` and nothing that another
estimator imports: shared mathematics lives in `discgan_core.sequences`. A user's own file of that kind, and
installed packages that bring estimators (`discgan_core.plugins`), join them. Wherever an estimator is named,
hyperparameters may follow: `rebar(temperature=0.5)`.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discgan_core import hyperparameters as texts
from discgan_core import plugins
from discgan_core.hyperparameters import bare as bare
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
    try:
        path, name = path.resolve(), path.stem
    except (OSError, RuntimeError) as error:  # symbolic links in a circle
        raise PluginError(f"cannot read {path}: {error}") from None
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
        name: one of `available()`, with or without hyperparameters: `rebar(temperature=0.5)`.
        hyperparameters: of its factory; they take the place of the name's.

    Raises:
        ValueError: there is no such estimator, its factory refuses, or it is a plug-in that fails.
    """
    name, given = texts.read(name)
    made = factory(name)
    options = texts.fitted(name, made, given) | hyperparameters
    from discgan_core.guard import guarded  # loads PyTorch, which a list of names can do without

    return guarded(name, made(**options) if name in _built_in() else _plugin(name).make(name, options))


def factory(name: str) -> Callable[..., Any]:
    """Give what makes an estimator; its parameters are the hyperparameters.

    Raises:
        ValueError: there is no such estimator, or it is a plug-in that fails.
    """
    name = bare(name)
    if name in _built_in():
        made: Callable[..., Any] = getattr(importlib.import_module(f"{__name__}.{name}"), name)
        return made
    _require(name)
    return _plugin(name).factory


def spelled(name: str, own: Collection[str] = ()) -> str:
    """Give the one spelling of an estimator: `rebar(temperature=1)` is `rebar`, for 1 is the default.

    Args:
        name: with or without hyperparameters.
        own: hyperparameters for which whoever asks has another default, so that they are always written.

    Raises:
        ValueError: there is no such estimator or hyperparameter, or a value is of the wrong type.
    """
    if "(" not in name:
        return name
    name, given = texts.read(name)
    made = factory(name)
    return texts.spelled(name, made, texts.fitted(name, made, given), own)


def given(name: str) -> dict[str, Any]:
    """Give the hyperparameters that a name gives."""
    return texts.read(name)[1]


def among(names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Give those names that are one of the estimators wanted, whatever their hyperparameters, in order."""
    names = list(names)
    return [name for one in wanted for name in names if bare(name) == one]


def _require(name: str) -> None:
    known = available()
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, 1)
        raise ValueError(f"no estimator '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))


def path(name: str) -> Path:
    """Give the file that an estimator is written in; it is not imported."""
    name = bare(name)
    if name in _built_in():
        return Path(__path__[0]) / f"{name}.py"
    return _loaded[name].path if name in _loaded else plugins.path_of(name)


def is_ours(name: str) -> bool:
    """Tell an estimator of this package from one that comes from elsewhere; nothing is imported."""
    return bare(name) in _built_in()


def origin(name: str) -> str:
    """Tell where an estimator from elsewhere comes from and what is in its file; "" of one of ours."""
    name = bare(name)
    return "" if name in _built_in() else _plugin(name).source


def _built_in() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__)}


def _plugin(name: str) -> Plugin:
    return _loaded[name] if name in _loaded else plugins.installed(name)
