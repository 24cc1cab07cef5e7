"""What is to be done: settings and options, less what the results folder holds, as units of work.

Sessions are planned one by one and grouped only then, so that asking for 30 after having run 4
computes the 26 that are missing, whatever groups the 4 were in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import groupby, pairwise
from math import ceil
from statistics import fmean, median
from typing import Any, NamedTuple

import pandas as pd

from bench import experiments
from bench.running import adjust, code, provenance
from bench.running.request import Request
from bench.sessions.parameters import require_whole_draws
from bench.tables import schema
from bench.tables.condition import Condition
from bench.tables.naming import fitting
from discgan_core import estimators

#: Settings that choose which sessions are run and how they are grouped, never what a session gives.
NEUTRAL = ("sessions", "lengths", "stack")


@dataclass(frozen=True)
class Unit:
    """Some sessions of one condition, computed together and kept together."""

    experiment: str
    preset: str
    settings: Any  # the experiment's own frozen dataclass
    condition: Condition
    sessions: tuple[int, ...]
    device: str
    seconds: float  # predicted, on one core
    plugin: str = ""  # where the estimator comes from and a hash of its file, if it is not one of ours
    code: str = ""  # which is to compute it

    @property
    def config(self) -> str:
        """The settings, the plug-in and the task's own measures if there are any, as JSON text."""
        measures = [m._asdict() for m in experiments.measures(self.experiment, self.condition.task)]
        estimator = experiments.estimator_of(self.experiment, self.settings, self.condition)
        beside = {
            schema.PLUGIN: self.plugin,
            schema.MEASURES: measures,
            schema.SET: self._set(),
            schema.NEEDS: [need.name for need in estimator.needs],
        }
        kept = {name: value for name, value in beside.items() if value}
        return json.dumps(asdict(self.settings) | kept, sort_keys=True)

    def _set(self) -> dict[str, Any]:
        """What is not as the preset has it, but for what has an option of its own."""
        preset = asdict(experiments.load(self.experiment).PRESETS[self.preset])
        own = {name: value for name, value in asdict(self.settings).items() if value != preset[name]}
        return {name: value for name, value in own.items() if name not in (*NEUTRAL, "source")}

    @property
    def config_hash(self) -> str:
        """The short name of whatever in the settings and the plug-in can change a number."""
        return config_hash(self.settings, self.plugin)

    @property
    def name(self) -> str:
        """A readable file name; sessions are consecutive, so no two units share one."""
        task, length, estimator, setting, source = self.condition
        parts = [self.experiment] if task == self.experiment else [self.experiment, task]
        parts += [] if source == schema.SYNTHETIC else [source]
        parts += [str(length), estimator, setting]
        parts += [f"s{self.sessions[0]:04d}", f"s{self.sessions[-1]:04d}", self.config_hash]
        return fitting("-".join(part.replace("/", "_") for part in parts))


class Entry(NamedTuple):
    """A condition, and how far it is."""

    experiment: str
    settings: Any
    condition: Condition
    done: int
    pending: list[int]
    seconds: float  # predicted, per session, on one core


def config_hash(settings: Any, plugin: str = "") -> str:
    """Hash all settings but the neutral ones; the hash of a plug-in's file stands behind."""
    neutral = (*NEUTRAL, *getattr(settings, "CHOOSING", ()))
    kept = {name: value for name, value in asdict(settings).items() if name not in neutral}
    found = sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]
    return found + schema.AND_PLUGIN + plugin.rpartition("#")[2] if plugin else found


def make(request: Request, trials: pd.DataFrame, reference: pd.DataFrame) -> list[Entry]:
    """List every condition asked for, with the sessions that `trials` does not hold yet.

    A session that failed is pending again: whatever made it fail may have been put right. One that other code
    has made is, if that is asked for.
    """
    entries = []
    kept = trials[~code.others(trials, provenance.commit())] if request.anew else trials
    for name in request.experiments:
        module = experiments.load(name)
        settings = adjust.settings(name, request.preset, request.assignments)
        if request.source and hasattr(settings, "source"):
            settings = replace(settings, source=request.source)
        lengths = request.lengths or settings.lengths
        done = _done(kept[kept["experiment"] == name])
        pace = Pace(name, settings, request.device, reference, trials)
        chosen, _ = experiments.chosen(name, request.estimators)
        for condition in module.conditions(settings, lengths, chosen):
            _require_whole_draws(name, settings, condition)
            wanted = request.sessions or range(settings.sessions)
            config = config_hash(settings, estimators.origin(condition.estimator))
            pending = sorted(set(wanted) - done.get((config, condition), set()))
            seconds = module.cost(settings, condition) * pace(condition)
            entry = Entry(name, settings, condition, len(wanted) - len(pending), pending, seconds)
            entries.append(entry)
    return entries


def notes(request: Request) -> list[str]:
    """Say in a line each what some of the experiments leave out of what is asked for."""
    adjust.require_source(request.experiments, request.source)
    found = adjust.checked(request.experiments, request.assignments)
    for name in request.experiments:
        left = experiments.chosen(name, request.estimators)[1]
        if left:
            varied = ", ".join(experiments.load(name).VARIES)
            found.append(f"{name} varies {varied} itself, and leaves out {', '.join(left)}")
    return found


def _require_whole_draws(name: str, settings: Any, condition: Condition) -> None:
    made = experiments.estimator_of(name, settings, condition)
    setting, rows = experiments.rows(name, settings, made)
    require_whole_draws(name, setting, rows, condition.estimator, made)


def units(request: Request, entries: Sequence[Entry]) -> list[Unit]:
    """Group the pending sessions; longest first, so that workers finish at about the same time."""
    found = [
        Unit(
            experiment=entry.experiment,
            preset=request.preset,
            settings=entry.settings,
            condition=entry.condition,
            sessions=sessions,
            device=request.device,
            seconds=entry.seconds * len(sessions),
            plugin=estimators.origin(entry.condition.estimator),
            code=code.of(entry.experiment, entry.condition.estimator),
        )
        for entry in entries
        for sessions in _groups(entry.pending, entry.settings.stack)
    ]
    return sorted(found, key=lambda unit: unit.seconds, reverse=True)


class Pace:
    """How much slower than predicted one experiment's sessions were, where any were measured."""

    def __init__(self, name: str, settings: Any, device: str, *tables: pd.DataFrame) -> None:
        """Measure from `tables` of trials; of two that know a condition, the later counts."""
        self._measured: dict[tuple[int, str], float] = {}
        for trials in tables:
            chosen = (trials["experiment"] == name) & (trials["status"] == schema.OK)
            rows = trials[chosen & (trials["device"] == device)]
            for (length, estimator), group in rows.groupby(["length", "estimator"]):
                ratios = list(_ratios(name, settings, group))
                if ratios:
                    self._measured[length, estimator] = fmean(ratios)

    def __call__(self, condition: Condition) -> float:
        """Give the factor of the condition, or that of a typical one."""
        typical = median(self._measured.values()) if self._measured else 1.0
        return self._measured.get((condition.length, condition.estimator), typical)


def _ratios(name: str, settings: Any, trials: pd.DataFrame) -> Iterator[float]:
    """Compare measured with predicted seconds, under the settings that each trial had."""
    for (config, *condition), rows in trials.groupby(["config", *Condition._fields]):
        fields = {k: _frozen(v) for k, v in json.loads(config).items() if k not in schema.BESIDE_SETTINGS}
        if fields.keys() == asdict(settings).keys():
            then = replace(settings, **fields)
            yield rows["seconds"].mean() / experiments.load(name).cost(then, Condition(*condition))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _done(trials: pd.DataFrame) -> dict[tuple[str, Condition], set[int]]:
    worked = trials[trials["status"] != schema.FAILED]
    groups = worked.groupby(["config_hash", *Condition._fields])["session"]
    return {(config, Condition(*condition)): set(sessions) for (config, *condition), sessions in groups}


def _groups(sessions: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Split into runs of consecutive sessions, and long runs into near-equal parts."""
    for _, run in groupby(enumerate(sessions), key=lambda pair: pair[1] - pair[0]):
        numbers = [session for _, session in run]
        count = ceil(len(numbers) / most)
        cuts = [len(numbers) * part // count for part in range(count + 1)]
        yield from (tuple(numbers[a:b]) for a, b in pairwise(cuts))
