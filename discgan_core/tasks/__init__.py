"""Sources of real sequences, one file each, found by file name.

A file `<name>.py` holds a factory `<name>(length, **options) -> Task`.
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


def make(name: str, length: int, **options: Any) -> Task:
    """Make a task by its name.

    Args:
        name: one of `available()`.
        length: T, tokens of a sequence.
        options: of its factory, such as the words of `names`.

    Raises:
        ValueError: there is no such task, or it has no sequences of that length.
    """
    if name not in available():
        near = difflib.get_close_matches(name, available(), 1)
        raise ValueError(f"no task '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    task: Task = getattr(importlib.import_module(f"{__name__}.{name}"), name)(length, **options)
    return task
