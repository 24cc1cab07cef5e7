"""What a process has in common for all that runs in it, and whether it is still as it was at the beginning.

A user's code can change it unawares, by `torch.set_default_dtype(..)` at the top of a file, say, and with it
the numbers of whatever is computed after it in the same process.
"""

from __future__ import annotations

import builtins
import math
import os
import random
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import _compile
from torch._C import _len_torch_dispatch_stack, _len_torch_function_stack

from bench import stopping

OURS = ("bench.", "discgan_core.")
LIBRARIES: list[Any] = [
    *(builtins, math, random, np, np.linalg, np.random, np.ndarray, torch, torch.Tensor, torch.autograd),
    *(torch.func, torch.linalg, torch.nn.functional, torch.special),
]
LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
SHOWN = 3
"""Changes that are named."""


class ChangedError(Exception):
    """What a process has in common is not as it was, in words."""


class Name(NamedTuple):
    """What a name stands for.

    Attributes:
        words: the name in full.
        holders: namespaces, of which the first that has the key counts.
        key: the name there.
        value: what it stood for at the beginning.
        form: of a function what it did.
    """

    words: str
    holders: tuple[Mapping[Any, Any], ...]
    key: Any
    value: Any
    form: tuple[Any, ...]

    def same(self) -> bool:
        """Tell whether it is the very same object, or PyTorch has wrapped it, as it does by the way."""
        now = next((holder[self.key] for holder in self.holders if self.key in holder), None)
        file = getattr(getattr(now, "__code__", None), "co_filename", "")
        wrapped = getattr(now, "__wrapped__", None) is self.value and file == _compile.__file__
        return (now is self.value and _form(now) == self.form) or wrapped


@cache
def beginning() -> tuple[dict[str, Any], list[Name]]:
    """Take note of how it is when this is first called: states, and what names stand for."""
    return states(), list(names())


def require() -> None:
    """Hold it against the beginning.

    Raises:
        ChangedError: something is not as it was.
    """
    before, known = beginning()
    now = states()
    changes = [_told(name, value, now[name]) for name, value in before.items() if now[name] != value]
    changes += [f"{name.words} is another" for name in known if not name.same()]
    if changes:
        more = f", and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
        raise ChangedError(
            f"what all in a process have in common was changed: {', '.join(changes[:SHOWN])}{more}; "
            "whatever an estimator changes it must put back in the same call"
        )


def _form(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, part, None) for part in ("__code__", "__defaults__", "__kwdefaults__"))


def _told(name: str, before: Any, now: Any) -> str:
    return f"{name} is another" if isinstance(before, bytes) else f"{name} is {now}, no longer {before}"


def states() -> dict[str, Any]:
    """Give what is not to be seen in what names stand for."""
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
        "the umask": _umask(),
        "what is done at signals": str([signal.getsignal(number) for number in stopping.SIGNALS]),
        "the limits of the process": str([resource.getrlimit(kind) for kind in LIMITS]),
        "where stdout and stderr go": _streams(),
        "what a few sums and functions give": _arithmetic(),
    }


def names() -> Iterator[Name]:
    """Give the functions and classes of libraries and of ours, and our constants."""
    for place in LIBRARIES:
        yield from _of(place, lambda _, value: callable(value))
    for name, module in sorted(sys.modules.items()):
        if name.startswith(OURS):
            yield from _of(module, lambda key, value: callable(value) or key.isupper())
            for made in [
                value for value in vars(module).values() if getattr(value, "__module__", "") == name
            ]:
                if isinstance(made, type):
                    yield from _of(made, lambda _, value: callable(value))
            for key, table in list(vars(module).items()):
                if key.isupper() and isinstance(table, dict):  # such as that of the presets
                    yield from (
                        Name(f"{name}.{key}", (table,), inner, value, _form(value))
                        for inner, value in table.items()
                    )


def _of(place: Any, wanted: Any) -> Iterator[Name]:
    """Give the names of a module, or of a class with those that it inherits."""
    holders = (vars(place),) if isinstance(place, ModuleType) else tuple(map(vars, place.__mro__))
    for key in dict.fromkeys(key for holder in holders for key in holder):
        value = next(holder[key] for holder in holders if key in holder)
        if wanted(key, value):
            yield Name(f"{place.__name__}.{key}", holders, key, value, _form(value))


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - a text
    except FileNotFoundError:
        return ""


def _umask() -> str:
    found = os.umask(0o077)  # it cannot be had without setting it
    os.umask(found)
    return f"{found:03o}"


def _streams() -> bytes:
    found = []
    for number in (1, 2):
        with suppress(OSError):  # it may be closed
            there = os.fstat(number)
            found.append((number, there.st_dev, there.st_ino))
    return repr(found).encode()


def _arithmetic() -> bytes:
    """Compute a little of everything, which tells what no name does, such as denormal numbers taken for 0."""
    x = torch.arange(1, 13, dtype=torch.float32, device="cpu").reshape(3, 4) / 7
    parts = [x @ x.T, x.exp(), x.log(), x.softmax(1), x.tanh(), x.sigmoid(), x.cumsum(1), x.logsumexp(1)]
    parts += [x[:1] * 1e-39, torch.nn.functional.softplus(x)]
    return b"".join(part.double().numpy().tobytes() for part in parts)
