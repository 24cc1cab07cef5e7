"""What a process has in common for all that runs in it, and whether it is still as it was at the beginning.

A user's code can change it unawares, by `torch.set_default_dtype(..)` at the top of a file, say, and with it
the numbers of whatever is computed after it in the same process.
"""

from __future__ import annotations

import builtins
import math
import os
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import _compile
from torch._C import _len_torch_dispatch_stack, _len_torch_function_stack

OURS = ("bench.", "discgan_core.")
LIBRARIES: list[Any] = [
    *(builtins, math, random, np, np.linalg, np.random, np.ndarray, torch, torch.Tensor, torch.autograd),
    *(torch.func, torch.linalg, torch.nn.functional, torch.special),
]
SHOWN = 3
"""Changes that are named."""


class ChangedError(Exception):
    """What a process has in common is not as it was, in words."""


@cache
def beginning() -> dict[str, Any]:
    """Take note of how it is when this is first called."""
    return found()


def require() -> None:
    """Hold it against the beginning.

    Raises:
        ChangedError: something is not as it was.
    """
    changes = list(differences(beginning(), found()))
    if changes:
        more = f", and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
        raise ChangedError(
            f"what all in a process have in common was changed: {', '.join(changes[:SHOWN])}{more}; "
            "whatever an estimator changes it must put back in the same call"
        )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Name what was there and is not the same any more, or hides what was."""
    for name, value in before.items():
        if value != now.get(name) and not (isinstance(value, Same) and value.hidden_by(now.get(name))):
            shown = isinstance(value, (Same, bytes)) or name.startswith(OURS)
            yield f"{name} is another" if shown else f"{name} is {now.get(name)}, no longer {value}"


class Same:
    """One very object, whatever it says of its equality."""

    def __init__(self, value: Any) -> None:
        """Hold it, so that no other can come to be in its place."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    __hash__ = object.__hash__

    def hidden_by(self, other: object) -> bool:
        """Tell whether it is another only because PyTorch has wrapped it, as it does by the way."""
        found = getattr(other, "value", None)
        file = getattr(getattr(found, "__code__", None), "co_filename", "")
        return getattr(found, "__wrapped__", None) is self.value and file == _compile.__file__


def found() -> dict[str, Any]:
    """Give all that is looked at: name -> value."""
    ours = [module for name, module in sorted(sys.modules.items()) if name.startswith(OURS)]
    return {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device() if hasattr(torch, "get_default_device") else "",
        "torch's number of threads": torch.get_num_threads(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's inference mode": torch.is_inference_mode_enabled(),
        "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "torch's anomaly mode": torch.is_anomaly_enabled(),
        "torch's precision of products": torch.get_float32_matmul_precision(),
        "the number of torch's modes": (_len_torch_function_stack(), _len_torch_dispatch_stack()),
        "numpy's handling of errors": str(np.geterr()),
        "the current folder": _folder(),
        "where stdout and stderr go": _streams(),
        "what a few sums and functions give": _arithmetic(),
        **{name: Same(value) for place in [*LIBRARIES, *ours] for name, value in _callables(place)},
        **{name: value for module in ours for name, value in _constants(module)},
    }


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - a text
    except FileNotFoundError:
        return ""


def _streams() -> bytes:
    found = []
    for number in (1, 2):
        with suppress(OSError):  # it may be closed
            there = os.fstat(number)
            found.append((number, there.st_dev, there.st_ino))
    return repr(found).encode()


def _callables(place: Any) -> Iterator[tuple[str, Any]]:
    """Give functions and classes by name; of a class also those that it inherits."""
    holders = [place] if isinstance(place, ModuleType) else place.__mro__[::-1]
    for holder in holders:
        for name, value in list(vars(holder).items()):
            if callable(value):
                yield f"{place.__name__}.{name}", value


def _constants(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Give our constants by name; of a table, such as that of the presets, what is in it."""
    for name, value in list(vars(module).items()):
        if name.isupper():
            table = (
                tuple((key, Same(inner)) for key, inner in value.items()) if isinstance(value, dict) else ()
            )
            yield f"{module.__name__}.{name}", (Same(value), table)


def _arithmetic() -> bytes:
    """Compute a little of everything, which tells what no name does, such as denormal numbers taken for 0."""
    x = torch.arange(1, 13, dtype=torch.float32, device="cpu").reshape(3, 4) / 7
    parts = [x @ x.T, x.exp(), x.log(), x.softmax(1), x.tanh(), x.sigmoid(), x.cumsum(1), x.logsumexp(1)]
    parts += [x[:1] * 1e-39, torch.nn.functional.softplus(x)]
    return b"".join(part.double().numpy().tobytes() for part in parts)
