"""Sources of real sequences, one file each, found by file name.

A file `<name>.py` holds a factory `<name>(length, **options) -> Task` and, for measures of quality that no
other task has, `MEASURES`: a list that says what each is, in the order of `Task.quality`.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor


class Measure(NamedTuple):
    """What a measure of quality is, for whoever reads of it.

    Attributes:
        name: as in `Task.quality`.
        words: what a sentence calls it, as in "the highest fraction balanced"; by default its name.
        falls: whether less is better.
        best: the best value that there can be, at every length; None where that is not known.
    """

    name: str
    words: str = ""
    falls: bool = False
    best: float | None = None


class Task(NamedTuple):
    """A language: where real sequences come from, and what is good about a generated one.

    Attributes:
        symbols: the vocabulary, one string per token.
        length: T.
        sample: (n, generator) -> n real sequences [n, T].
        quality: tokens [n, T] -> metric name -> value for each sequence [n]; the first is what counts most.
        text: one sequence -> the string a person reads.
        enumerated: log-probabilities of all V^T sequences in the data, where they can be listed.
        lengths: tokens [n, T] -> characters before the padding [n], all T where there is no padding.
        held_out: as `sample`, but of real sequences that `sample` never gives; None if none are held out.
        end: the token that ends a sequence early, where a generator can be asked to go without; else None.
    """

    symbols: tuple[str, ...]
    length: int
    sample: Callable[[int, Generator], Tensor]
    quality: Callable[[Tensor], dict[str, Tensor]]
    text: Callable[[Tensor], str]
    enumerated: Callable[[], Tensor]
    lengths: Callable[[Tensor], Tensor]
    held_out: Callable[[int, Generator], Tensor] | None = None
    end: int | None = None

    @property
    def vocabulary(self) -> int:
        """V."""
        return len(self.symbols)


def available() -> list[str]:
    """List the tasks, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def measures(name: str) -> list[Measure]:
    """Tell what a task says of measures of its own; nothing of what is no task here."""
    if name not in available():
        return []
    return list(getattr(importlib.import_module(f"{__name__}.{name}"), "MEASURES", ()))


def make(name: str, length: int, **options: Any) -> Task:
    """Make a task by its name.

    Args:
        name: one of `available()`.
        length: T, tokens of a sequence.
        options: of its factory, such as the words of `names`.

    Raises:
        ValueError: there is no such task, it has no sequences of that length, or `MEASURES` and its quality
            do not agree.
    """
    if name not in available():
        near = difflib.get_close_matches(name, available(), 1)
        raise ValueError(f"no task '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    task: Task = getattr(importlib.import_module(f"{__name__}.{name}"), name)(length, **options)
    check(name, task)
    return task


def check(name: str, task: Task) -> None:
    """Refuse `MEASURES` that are not of the task's quality, or do not begin as it does."""
    if not (said := measures(name)):
        return
    from numpy.random import default_rng  # the names of tasks are told without numpy

    judged = list(task.quality(task.sample(1, default_rng(0))))
    others = [measure.name for measure in said if measure.name not in judged]
    if others:
        raise ValueError(f"task {name}: its quality has no {others[0]!r}, as MEASURES has, but {judged}")
    if said[0].name != judged[0]:
        first = f"MEASURES begins with {said[0].name!r} and its quality with {judged[0]!r}"
        raise ValueError(f"task {name}: {first}; the first counts most, so that it is the same in both")
