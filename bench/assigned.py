"""Settings as they are typed, `updates=234` or `grammar.updates=234`, and as they stand in a file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import disk, experiments, lists
from bench.errors import UserError, unknown
from bench.running.request import Assignment

LARGEST = 1_000_000
"""Bytes of a file of settings."""


def assignments(
    file: Path | None, texts: Sequence[str] | None, parameters: Sequence[str] | None
) -> list[Assignment]:
    """Give what is set: in the file, then by itself, then by an option of its own; the last counts.

    Args:
        file: of `--settings`.
        texts: of `--set`.
        parameters: of `--parameters`.
    """
    found = list(_filed(file)) if file else []
    given = [_assignment(text) for text in texts or []]
    if len({(a.experiment, a.name) for a in given}) < len(given):
        raise UserError("--set: the same setting is given twice")
    chosen = tuple(text.replace(" ", "") for text in lists.split("--parameters", parameters))
    own = [Assignment("--parameters", "parameters", chosen)] if chosen else []
    return [*found, *given, *own]


def _assignment(text: str) -> Assignment:
    name, equals, value = text.partition("=")
    experiment, _, setting = name.strip().rpartition(".")
    if not equals or not setting:
        raise UserError(
            f'--set "{text}": write it as updates=234, or for one experiment as grammar.updates=234'
        )
    if experiment:
        _require_experiment(experiment)
    return Assignment(f"--set {name.strip()}", setting, _literal(value.strip()), experiment)


def _literal(text: str) -> Any:
    """Read a number, a list or a truth value; anything else is words, several if there are commas."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        words = tuple(part.strip() for part in lists.parts(text) if part.strip())
        return words[0] if len(words) == 1 else words


def _filed(path: Path) -> Iterator[Assignment]:
    """Read settings from a TOML file."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    content = disk.read(path, LARGEST, "settings in TOML")
    try:
        read: Mapping[str, Any] = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # of what is no TOML, or no UTF-8
        raise UserError(f"--settings {path}: this is no TOML: {error}") from None
    if not read:
        raise UserError(f"--settings {path}: it sets nothing")
    for name, value in read.items():
        if isinstance(value, dict):
            _require_experiment(name, f" in {path}:")
            for setting, inner in value.items():
                yield Assignment(f"{path}: {name}.{setting}", setting, inner, name)
        else:
            yield Assignment(f"{path}: {name}", name, value)


def _require_experiment(name: str, where: str = "") -> None:
    if name not in experiments.available():
        raise unknown(f"experiment{where}", name, experiments.available())
