"""Hyperparameters as text: `rebar(temperature=0.5)` names an estimator that is not the default one.

Whatever names an estimator takes this text: its one spelling has the factory's order and no defaults. Values
are Python's literals; nothing that is typed is run.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import math
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

LONGEST = 120
"""Letters of a spelling at most: it is a part of the names of files."""


def bare(text: str) -> str:
    """Give the name alone: `rebar` of `rebar(temperature=0.5)`."""
    return text.partition("(")[0].strip()


def read(text: str) -> tuple[str, dict[str, Any]]:
    """Take `name(a=1, b=True)` apart; a name alone has no hyperparameters.

    Raises:
        ValueError: it is written in another way.
    """
    if "(" not in text:
        return text, {}
    name = bare(text)
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # of null characters, and of many brackets
        call = None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        raise ValueError(f'"{text}" cannot be read: write it as {name or "rebar"}(name=value)')
    if call.args or any(keyword.arg is None for keyword in call.keywords):
        raise ValueError(f"{text}: give hyperparameters by name, as in {name}(name=value)")
    given: dict[str, Any] = {}
    for keyword in call.keywords:
        key = str(keyword.arg)
        if key in given:
            raise ValueError(f"{text}: {key} is given twice")
        given[key] = _value(text, key, keyword.value)
    return name, given


def _value(text: str, key: str, node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(
            f"{text}: {key} is no value; write a number, True, False, None or a word in quotes"
        ) from None


def defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    """Give a factory's hyperparameters with their defaults; `inspect.Parameter.empty` where there is none."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(factory).parameters.values()
    return {p.name: p.default for p in parameters if p.kind in named}


def fitted(name: str, factory: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give hyperparameters in the factory's order, each of the type of its default.

    Raises:
        ValueError: there is none of that name, or its default is of another type.
    """
    known = defaults(factory)
    others = [key for key in given if key not in known]
    if others and not _takes_any(factory):
        raise ValueError(f"{name} has no hyperparameter {others[0]}: {_instead(others[0], known)}")
    fitting = {key: _typed(f"{name}: {key}", given[key], known[key]) for key in known if key in given}
    return fitting | {key: given[key] for key in sorted(others)}


def _takes_any(factory: Callable[..., Any]) -> bool:
    kinds = [parameter.kind for parameter in inspect.signature(factory).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds


def _instead(key: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(key.lower(), known, 1, 0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    return meant + (f"it has {', '.join(known)}" if known else "it has none")


def _typed(what: str, value: Any, default: Any) -> Any:
    kind = type(default)
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < sys.float_info.max else math.inf
    if kind in WORDS and type(value) is not kind:
        raise ValueError(f"{what} is {value!r}, and must be {WORDS[kind]}, as {default!r} is")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{what} is {value!r}, and must be a finite number")
    return value


WORDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a word in quotes"}


def spelled(name: str, factory: Callable[..., Any], given: Mapping[str, Any], own: Collection[str]) -> str:
    """Write an estimator's one spelling.

    Args:
        name: of the estimator.
        factory: which makes it.
        given: as `fitted` gives them.
        own: hyperparameters that are written though they are the default's, as whoever asks has others.

    Raises:
        ValueError: it is too long.
    """
    known = defaults(factory)
    kept = {key: value for key, value in given.items() if key in own or value != known.get(key)}
    inside = ", ".join(f"{key}={value!r}" for key, value in kept.items())
    text = f"{name}({inside})" if inside else name
    if len(text) > LONGEST:
        raise ValueError(f"{text[:40]}…: hyperparameters of more than {LONGEST} letters")
    return text
