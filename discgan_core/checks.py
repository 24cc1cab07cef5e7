"""What is refused at the door, in one line: hyperparameters that mean nothing, tensors of another form.

Shapes and types are always looked at. Values are where there are any: not within `torch.func.vmap`, nor in
tensors that hold no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch


def whole(owner: str, least: int, **values: Any) -> None:
    """Refuse what is no whole number of at least so much.

    Args:
        owner: whose hyperparameters they are.
        least: the smallest there may be.
        values: by name.

    Raises:
        ValueError: one is not.
    """
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{owner}: {name} is {value!r}, and must be a whole number of {least} or more")


def real(owner: str, **values: Any) -> None:
    """Refuse what is no finite number; as `whole`."""
    for name, value in values.items():
        if not isinstance(value, Real) or isinstance(value, bool) or not isfinite(value):
            raise ValueError(f"{owner}: {name} is {value!r}, and must be a finite number")


def positive(owner: str, **values: Any) -> None:
    """Refuse what is no finite number above 0; as `whole`."""
    real(owner, **values)
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"{owner}: {name} is {value!r}, and must be above 0")


def not_negative(owner: str, **values: Any) -> None:
    """Refuse what is no finite number of 0 or more; as `whole`."""
    real(owner, **values)
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{owner}: {name} is {value!r}, and must be 0 or more")


def unsupported(who: str, length: int, vocabulary: int) -> str:
    """Say that an estimator does not serve a length and vocabulary."""
    return f"{who} cannot run at length {length} with {vocabulary:,} tokens to choose from; take another"


def ragged(who: str, samples: int, size: int) -> str:
    """Say that samples do not fill whole draws."""
    down, up = samples // size * size, -(-samples // size) * size
    near = f"{down} or {up}" if down else f"{up}"
    return f"{who} takes {size} samples to a draw: {samples} make no whole number of draws; give {near}"


def of_shape(found: Any, shape: Sequence[int], sentence: str) -> None:
    """Refuse what is no tensor of real numbers of this shape.

    Args:
        found: what came.
        shape: that it must have.
        sentence: says so, with a place for what came and one for what must, as in "reward gives {}, not {}".

    Raises:
        ValueError: it is none.
    """
    if not isinstance(found, Tensor):
        raise ValueError(sentence.format(f"a {type(found).__name__}", f"a tensor {list(shape)}"))
    if list(found.shape) != list(shape):
        raise ValueError(sentence.format(list(found.shape), list(shape)))
    if not found.is_floating_point():
        kind = str(found.dtype).removeprefix("torch.")
        raise ValueError(sentence.format(kind, "float: .float() makes it so"))


def readable(x: Tensor) -> bool:
    """Tell whether a tensor's values can be looked at."""
    # asking for a value would tell as well, and take a hundred times as long
    while _functorch.is_functorch_wrapped_tensor(x):
        if _functorch.is_batchedtensor(x):
            return False
        x = _functorch.get_unwrapped(x)
    if x.is_meta or not x.numel():
        return False
    try:
        bool(x[(0,) * x.ndim] == 0)
    except RuntimeError:  # a fake tensor's
        return False
    return True


def offers(asked: Any, way: str, *instead: str) -> bool:
    """Tell whether something has a cheaper way that means the same as its methods `instead`.

    It does not where a subclass has its own of these, and the way is that of the class it was made from.
    """
    owners = type(asked).__mro__

    def place(name: str) -> int:
        return next((n for n, owner in enumerate(owners) if name in vars(owner)), len(owners))

    of_itself = place(way) == len(owners)
    return hasattr(asked, way) and (of_itself or all(place(way) <= place(name) for name in instead))


def wide(x: Tensor) -> Tensor:
    """Give half types as float32: sums of probabilities need it."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
