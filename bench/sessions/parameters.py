"""What is asked of an experiment must fit the networks and the batches that it has."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import numpy as np

from bench.errors import UserError
from discgan_core import estimators
from discgan_core.interface import Estimator, Params
from discgan_core.models.generator import init_generator

Init = Callable[[int, int, np.random.Generator], Params]

ELEMENT = re.compile(r"(?P<tensor>[\w.]+)\[(?P<index>\d+(,\d+)*)\]")
"""One number of a generator: `out.weight[0,0]`."""


def require_parameters(settings: Any, vocabulary: int, init: Init = init_generator) -> None:
    """Refuse parameters, of which the variance is to be kept, that the generator does not have.

    Args:
        settings: with `parameters` and `hidden`.
        vocabulary: V.
        init: which makes the generator.
    """
    shapes = shapes_of(init, vocabulary, settings.hidden)
    for text in settings.parameters:
        found = ELEMENT.fullmatch(text)
        if not found:
            raise UserError(f'--parameters: "{text}" is no parameter; write it as out.weight[0,0]')
        name, index = found["tensor"], [int(number) for number in found["index"].split(",")]
        shape = shapes.get(name)
        if not shape or len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
            near = [] if shape else get_close_matches(name, shapes, 1, 0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            known = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
            raise UserError(f"--parameters {text}: {hint}the generator has, counted from 0, {known}")


@lru_cache
def shapes_of(init: Init, vocabulary: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Give the shape of each of a generator's tensors."""
    made = init(vocabulary, hidden, np.random.default_rng(0))
    return {name: tuple(tensor.shape) for name, tensor in made.items()}


def require_whole_draws(
    experiment: str, setting: str, rows: int, name: str, made: Estimator | None = None
) -> None:
    """Refuse a batch that does not come apart into an estimator's draws.

    Args:
        experiment: which has it.
        setting: that says how large it is; "" if none does.
        rows: so large.
        name: of the estimator.
        made: it, if it is not what the name alone makes.
    """
    size = (made or estimators.make(name)).samples_per_draw
    if rows % size:
        held = f"{setting} is {rows}" if setting else f"an update is of {rows} sequences"
        raise UserError(
            f"experiment {experiment}: {held}, no multiple of the {size} samples that a draw of {name} takes"
            "; change one of them, or leave it out by --estimators"
        )
