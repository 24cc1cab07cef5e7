"""Settings that are not a preset's: of the type that the experiment's dataclass says, or told in one line."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from bench import experiments
from bench.errors import UserError, program
from bench.printable import printable
from bench.running.request import Assignment
from bench.sessions import controls
from bench.sessions.settings import problems
from discgan_core import estimators

ELSEWHERE = {"source": "--source or --data"}
"""Settings that have an option which does more than set them."""

NAMING = {"left_out", "compared", "controls", "few"}
"""Settings whose words name estimators and controls."""

WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def settings(experiment: str, preset: str, assignments: Sequence[Assignment]) -> Any:
    """Give a preset's settings with what is assigned in the place of its own.

    Raises:
        UserError: a value cannot be one of that setting.
    """
    found = experiments.load(experiment).PRESETS[preset]
    own = sorted((a for a in assignments if concerns(a, experiment)), key=lambda a: a.experiment != "")
    changed = {a.name: a for a in own}  # what is given for one experiment goes before what is for all
    hints = typing.get_type_hints(type(found))
    values = {name: fitted(a, hints[name]) for name, a in changed.items()}
    made = replace(found, **values)
    for name, problem in problems(made):
        if name in changed:
            raise _refused(changed[name], problem)
    for name in NAMING & changed.keys():
        _require_names(changed[name], values[name])
    return made


def _require_names(assignment: Assignment, value: Any) -> None:
    """Refuse what is no estimator and no control."""
    if isinstance(value, tuple):
        for part in value:
            _require_names(assignment, part)
    elif isinstance(value, str) and value.partition("@")[0] not in (
        known := [*estimators.available(), *controls.NAMES]
    ):
        near = get_close_matches(value.lower().partition("@")[0], known, 1)
        raise _refused(
            assignment,
            f'there is no "{printable(value, 60)}"' + (f': did you mean "{near[0]}"?' if near else ""),
        )


def concerns(assignment: Assignment, experiment: str) -> bool:
    """Tell whether an experiment is one that is meant, and has such a setting."""
    named = assignment.experiment in ("", experiment)
    return named and assignment.name in settable(experiment)


def settable(experiment: str) -> list[str]:
    """Name the settings of an experiment that change something there."""
    module = experiments.load(experiment)
    (preset, *_) = module.PRESETS.values()
    return [field.name for field in fields(preset) if field.name not in getattr(module, "FIXED", ())]


def checked(names: Sequence[str], assignments: Sequence[Assignment]) -> list[str]:
    """Refuse what none of these experiments has, and give a line for whatever only some of them have."""
    notes = []
    for assignment in assignments:
        meant = [name for name in names if assignment.experiment in ("", name)]
        if assignment.name in ELSEWHERE:
            raise _refused(assignment, f"this is chosen by {ELSEWHERE[assignment.name]}")
        have = [name for name in meant if concerns(assignment, name)]
        if not meant and assignment.said.startswith("--"):
            raise _refused(assignment, f"{assignment.experiment} is not among the experiments to run")
        if not meant:  # a file may be for several commands
            notes.append(f"{assignment.said} is not used: {assignment.experiment} is not run")
            continue
        if not have:
            raise _refused(assignment, _unknown(assignment.name, meant))
        if len(have) < len(meant):
            lacking = ", ".join(name for name in meant if name not in have)
            notes.append(f"{assignment.said} is for {', '.join(have)}; there is nothing to set in {lacking}")
    return notes


def require_source(names: Sequence[str], source: str | None) -> None:
    """Refuse a source of words for experiments none of which takes one."""
    if source and not any("source" in settable(name) for name in names):
        able = ", ".join(name for name in experiments.available() if "source" in settable(name))
        raise UserError(
            f"{ELSEWHERE['source']} changes nothing in {', '.join(names)}: it is for {able or 'none'}"
        )


def _unknown(name: str, meant: Sequence[str]) -> str:
    if any(name in vars(next(iter(experiments.load(each).PRESETS.values()))) for each in meant):
        return f"it changes nothing in {', '.join(meant)} (`{program()} list {meant[0]}` shows what does)"
    every = sorted({setting for experiment in meant for setting in settable(experiment)})
    near = get_close_matches(name.lower(), every, 1, 0.6)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    lacks = "none of them has such a setting" if len(meant) > 1 else f"{meant[0]} has no such setting"
    return f"{lacks}{hint} (`{program()} list {meant[0]}` shows what there is)"


def _refused(assignment: Assignment, why: str) -> UserError:
    return UserError(f"{assignment.said}={printable(str(assignment.value), 61)}: {why}")


def fitted(assignment: Assignment, hint: Any) -> Any:
    """Make a value what the setting's type says."""
    try:
        return _as(assignment.value, hint)
    except (TypeError, ValueError, OverflowError):
        raise _refused(assignment, f"it must be {'; '.join(_words(hint))}") from None


def _as(value: Any, hint: Any) -> Any:
    """Give the value as one of that type, or raise."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return _first(value, typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return _tuple(value, typing.get_args(hint))
    if hint is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if hint is float and type(value) is int:
        return float(value)
    if hint in WORDS and type(value) is not hint:
        raise TypeError
    return value


def _first(value: Any, hints: Sequence[Any]) -> Any:
    for hint in hints:
        with suppress(TypeError, ValueError):
            return _as(value, hint)
    raise TypeError


def _tuple(value: Any, inner: Sequence[Any]) -> tuple[Any, ...]:
    values = value if isinstance(value, (list, tuple)) else (value,)
    if inner[-1] is Ellipsis:
        return tuple(_as(part, inner[0]) for part in values)
    return tuple(_as(part, hint) for part, hint in zip(values, inner, strict=True))


def _words(hint: Any) -> Iterator[str]:
    """Say what a type is, in words."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is not tuple:
        yield WORDS.get(hint, str(hint))
    elif inner[-1] is Ellipsis:
        yield f"a list, each {', '.join(_words(inner[0]))}"
    else:
        yield f"({', '.join(word for part in inner for word in _words(part))})"
