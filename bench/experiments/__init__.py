"""Experiments, one file each, found by file name: adding a file is all there is to adding one.

An experiment's module has

* a docstring, whose first line `discgan-bench list` shows;
* `PRESETS`: name of the preset -> its settings, a frozen dataclass of JSON-able fields, among them
  `sessions`, `lengths` and `stack` (the most sessions in one unit of work), which alone must not
  change a session's numbers;
* `conditions(settings, lengths, estimators)`: every `Condition` of those lengths and estimators,
  leaving out an estimator at a length at which it cannot run;
* `run(settings, condition, sessions, device)`: trains and measures those sessions;
* `sessions(settings, length)`, where not all lengths have `settings.sessions` of them;
* `cost(settings, condition)`: about how many seconds a session takes on one core;
* `MEASURES`, where it measures a quality that neither its task nor `bench.tables.schema` knows: a list as a
  task's.

A session's numbers never depend on which other sessions run beside it.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from discgan_core import tasks
from discgan_core.tasks import Measure

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
