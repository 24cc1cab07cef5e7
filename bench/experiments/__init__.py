"""Experiments, one file each, found by file name: adding a file is all there is to adding one.

An experiment's module has

* a docstring, whose first line `discgan-bench list` shows;
* `PRESETS`: name of the preset -> its settings, a frozen dataclass of JSON-able fields, among them
  `sessions`, `lengths` and `stack` (the most sessions in one unit of work), which alone must not
  change a session's numbers;
* `conditions(settings, lengths, estimators)`: every `Condition` of those lengths and estimators,
  leaving out an estimator at a length at which it cannot run;
* `run(settings, condition, sessions, device)`: trains and measures those sessions;
* `cost(settings, condition)`: about how many seconds a session takes on one core;
* `settings.CHOOSING`, where some settings only say what is run and told, as `stack` does;
* `estimator_of(settings, condition)`, where that is not the estimator that the condition names alone;
* `rows(settings, estimator)`: the setting that says of how many sequences an estimate is made, and their
  number, where that is not `generated` or, for one that learns from data, `batch`;
* `OWN`, where it has other defaults of an estimator's hyperparameters, by the estimator's name; `VARIES`,
  where it varies some itself; `FIXED`, where it has settings that follow from others or that nothing reads;
* `MEASURES`, where it measures a quality that neither its task nor `bench.tables.schema` knows: a list as a
  task's.

A session's numbers never depend on which other sessions run beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any

from discgan_core import estimators, tasks
from discgan_core.tasks import Measure

if TYPE_CHECKING:
    from bench.tables.condition import Condition
    from discgan_core.interface import Estimator

PRESETS = {
    "smoke": "everything once, in a minute",
    "standard": "the full number of sessions, in minutes; figures worth reading",
    "paper": "the papers' exact schedule, in hours",
}
"""What every experiment has settings for."""


def available() -> list[str]:
    """Name every experiment, in alphabetical order."""
    found = (module.name for module in iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def load(name: str) -> ModuleType:
    """Import the experiment of that name."""
    return import_module(f"{__name__}.{name}")


def measures(name: str, task: str) -> list[Measure]:
    """Tell what an experiment, and then its task, say of measures of their own."""
    return [*getattr(load(name), "MEASURES", ()), *tasks.measures(task)]


def estimator_of(name: str, settings: Any, condition: Condition) -> Estimator:
    """Make the estimator that an experiment has in a condition."""
    own = getattr(load(name), "estimator_of", None)
    made: Estimator = own(settings, condition) if own else estimators.make(condition.estimator)
    return made


def rows(name: str, settings: Any, estimator: Estimator) -> tuple[str, int]:
    """Name the setting that says how many sequences an update is made of, and give their number."""
    own = getattr(load(name), "rows", None)
    if own:
        found: tuple[str, int] = own(settings, estimator)
        return found
    learns = any(need.name == "DATA" for need in estimator.needs) or not hasattr(settings, "generated")
    setting = "batch" if learns else "generated"
    return setting, getattr(settings, setting, estimator.samples_per_draw)


def chosen(name: str, texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Spell estimators as an experiment does, each once, and tell apart those whose own it varies itself."""
    module = load(name)
    own, varies = getattr(module, "OWN", {}), set(getattr(module, "VARIES", ()))
    found = dict.fromkeys(estimators.spelled(text, own.get(estimators.bare(text), ())) for text in texts)
    left = [text for text in found if varies & estimators.given(text).keys()]
    return [text for text in found if text not in left], left
