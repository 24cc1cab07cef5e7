"""What there is: all of it in a line each, or one thing in full.

Meanings are those of the docstrings, so that they are written once.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from types import ModuleType
from typing import Any

from bench import experiments
from bench.errors import unknown
from discgan_core import estimators, tasks

Lines = Iterator[str]
WIDTH = 100


def everything(known: Sequence[str]) -> Lines:
    """Give all there is to choose from; the estimators are those known, with what they need."""
    files = {name: estimators.path(name) for name in known}
    yield from table("experiments", {n: summary(_path(experiments, n)) for n in experiments.available()})
    yield from table("estimators", {n: _with(summary(path), needs(path)) for n, path in files.items()})
    yield from table("tasks", {n: summary(_path(tasks, n)) for n in tasks.available()})
    yield from table("presets", experiments.PRESETS)


def one(name: str, known: Sequence[str]) -> Lines:
    """Give all that is to be said of an experiment, an estimator, a task or a preset; of all of that name.

    Raises:
        UserError: there is none.
    """
    kinds: dict[str, tuple[Sequence[str], Callable[[str], Lines]]] = {
        "experiment": (experiments.available(), experiment),
        "estimator": (known, estimator),
        "task": (tasks.available(), task),
        "preset": (list(experiments.PRESETS), preset),
    }
    told = [tell for names, tell in kinds.values() if estimators.bare(name) in names]
    if not told:
        raise unknown(
            "experiment, estimator, task or preset", name, {n for names, _ in kinds.values() for n in names}
        )
    for tell in told:
        yield from tell(estimators.bare(name))


def experiment(name: str) -> Lines:
    """Give an experiment's settings, their meaning, and what they are in each preset."""
    module = experiments.load(name)
    presets: dict[str, Any] = module.PRESETS
    (first, *_) = presets.values()
    yield f"experiment {name}: {summary(_path(experiments, name))}"
    yield "settings, each with its values in the presets (another by --set NAME=VALUE):"
    said = meanings(
        *(inspect.getdoc(kind) or "" for kind in reversed(type(first).__mro__)), section="Attributes"
    )
    for field in fields(first):
        values = {preset: getattr(settings, field.name) for preset, settings in presets.items()}
        if field.name not in getattr(module, "FIXED", ()):
            yield from entry(field.name, said.get(field.name, ""), in_each(values))
    yield ""


def in_each(values: dict[str, Any]) -> str:
    """Say what a setting is in each preset, in brief where it is the same in all."""
    if len(set(map(repr, values.values()))) == 1:
        return f"{written(next(iter(values.values())))} in every preset"
    return "; ".join(f"{preset} {written(value)}" for preset, value in values.items())


def written(value: Any) -> str:
    """Write a value as it can be typed, in brief."""
    if isinstance(value, tuple) and not any(isinstance(part, tuple) for part in value):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def estimator(name: str) -> Lines:
    """Give an estimator's paper, hyperparameters and needs."""
    factory, made = estimators.factory(name), estimators.make(name)
    yield f"estimator {name}: {summary(estimators.path(name))}"
    yield f"file: {estimators.path(name)}"
    yield f"unbiased: {'yes' if made.unbiased else 'no'}"
    asked = ", ".join(need.value for need in made.needs)
    yield f"needs: {asked or 'no more than a reward of whole sequences'}"
    yield f"samples to a draw: {made.samples_per_draw}"
    yield from hyperparameters(factory, f"hyperparameters (others by --estimators '{name}(NAME=VALUE)'):")


def hyperparameters(factory: Callable[..., Any], title: str) -> Lines:
    """Give a factory's hyperparameters with their defaults."""
    said = meanings(inspect.getdoc(factory) or "", section="Args")
    parameters = inspect.signature(factory).parameters.values()
    yield title if parameters else "hyperparameters: none"
    for parameter in parameters:
        known = parameter.default is not inspect.Parameter.empty
        yield from entry(
            parameter.name, said.get(parameter.name, ""), f"{parameter.default!r}" if known else ""
        )
    yield ""


def task(name: str) -> Lines:
    """Give a task's measures."""
    yield f"task {name}: {summary(_path(tasks, name))}"
    for measure in tasks.measures(name):
        way = "the less the better" if measure.falls else "the more the better"
        yield from entry(measure.name, measure.words, way)
    yield ""


def preset(name: str) -> Lines:
    """Give a preset's purpose, and how many sessions of what lengths it has."""
    yield f"preset {name}: {experiments.PRESETS[name]}"
    for each in experiments.available():
        settings = experiments.load(each).PRESETS[name]
        lengths = ",".join(map(str, settings.lengths))
        yield from entry(
            each, f"{settings.sessions} session{'s'[: settings.sessions > 1]}", f"lengths {lengths}"
        )
    yield ""


def meanings(*docstrings: str, section: str) -> dict[str, str]:
    """Read what docstrings say of names in a section of them, `Attributes` or `Args`; the last counts."""
    found: dict[str, str] = {}
    for text in docstrings:
        _, _, block = text.partition(f"{section}:\n")
        block = re.split(r"\n(?=\S)", block)[0]  # up to the next line that is not indented
        for name, meaning in re.findall(r"^ {4}(\w+): ((?:.*\n?)(?: {8}.*\n?)*)", block, re.MULTILINE):
            found[name] = " ".join(meaning.split())
    return found


def needs(path: Path) -> str:
    """Say in brief what the estimator in a file needs, by default; nothing is imported.

    They stand where it makes its `Estimator`, or in the function of ours that it takes them from.
    """
    tree = ast.parse(path.read_bytes())
    ours = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("discgan_core.")
        for alias in node.names
    }
    words = _words_of_needs()
    return ", ".join(words[name] for name in _needs_named(tree, ours) if name in words)


@cache
def _words_of_needs() -> dict[str, str]:
    """Read `Need`, whose module loads PyTorch, off its file."""
    tree = _parsed("discgan_core.interface")
    (words,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Need")
    values = [node for node in words.body if isinstance(node, ast.Assign)]
    return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in values}


def _parsed(module: str) -> ast.Module:
    spec = find_spec(module)
    return ast.parse(Path(spec.origin if spec and spec.origin else "").read_bytes())


def _needs_named(tree: ast.AST, ours: dict[str, str | None]) -> Iterator[str]:
    for call in _calls(tree, "Estimator"):
        for keyword in call.keywords:
            taken = keyword.value if keyword.arg is None else None
            if keyword.arg == "needs":
                yield from _members(keyword.value)
            elif isinstance(taken, ast.Call) and isinstance(taken.func, ast.Name) and taken.func.id in ours:
                yield from _members(_function(ours[taken.func.id] or "", taken.func.id))


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _members(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Need":
            yield node.attr


def _function(module: str, name: str) -> ast.AST:
    found = (n for n in _parsed(module).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return next(found, ast.Pass())


def summary(path: Path) -> str:
    """Give the first line of a file's docstring, without importing it."""
    text = ast.get_docstring(ast.parse(path.read_bytes()))
    return (text or "").partition("\n")[0]


def table(title: str, lines: dict[str, str]) -> Lines:
    """Give a title and a line for each name."""
    width = max(map(len, lines), default=0)
    yield title
    yield from (f"  {name.ljust(width)}  {text}".rstrip() for name, text in lines.items())
    yield ""


def entry(name: str, meaning: str, values: str) -> Lines:
    """Give a name, what it means, and on a line below its values."""
    yield fill(meaning or "-", WIDTH, initial_indent=f"  {name:<21} ", subsequent_indent=" " * 24)
    if values:
        indent = " " * 24
        yield fill(values, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _with(text: str, asked: str) -> str:
    return f"{text.rstrip('.')} (needs {asked})" if asked else text


def _path(package: ModuleType, name: str) -> Path:
    """Find a module's file, without importing it."""
    spec = find_spec(f"{package.__name__}.{name}")
    return Path(spec.origin if spec and spec.origin else "")
