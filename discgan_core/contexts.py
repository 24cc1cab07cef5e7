"""Conditional generation: p_theta(s | c) and f(s, c) of given contexts c, such as prompts.

    J(theta) = 1/P sum_p E_{s ~ p_theta(. | c_p)}[f(s, c_p)]

Of M rows that a policy or a reward is asked about, row m belongs to context m P // M: the rows of a context
stand together. Estimators repeat rows, never mix them, so that the contexts are repeated along. There may be
as many contexts as samples, or one for each block of them; samples of one draw have one context.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from discgan_core.checks import readable

CONTEXT = "context"
"""Begins the names of contexts, one for each row, that stand beside the noise."""


class Given:
    """f(x | c), a function of x alone with contexts c; made by `given`.

    Attributes:
        context: c, a tensor [P, ...], or a tree of tensors.
        contexts: P.
    """

    def __init__(self, function: Callable[[Tensor, Any], Tensor], context: Any) -> None:
        self.function, self.context = function, context
        self.contexts = len(tree_leaves(context)[0])

    def __call__(self, x: Tensor) -> Tensor:
        """Give f(x_m | c) of rows x [M, ...], each with its context: [M, ...]."""
        return self.function(x, repeated(self.context, per_context(self, len(x))))


def given(function: Callable[[Tensor, Any], Tensor], context: Any) -> Given:
    """Condition the logits of a policy, or a reward, on contexts.

    Args:
        function: (x [M, ...], c [M, ...]) -> one row for each of x.
        context: c [P, ...], a tensor or a tree of tensors.
    """
    return Given(function, context)


def contexts_of(asked: Any) -> int:
    """Count the contexts of a policy or a reward; one that has none is the same for all rows."""
    return getattr(asked, "contexts", 1)


def per_context(asked: Any, rows: int) -> int:
    """Count the rows of each context.

    Raises:
        ValueError: the rows are no multiple of the contexts.
    """
    contexts = contexts_of(asked)
    if rows % contexts:
        raise ValueError(f"{rows} rows for {contexts} contexts: give each context as many rows as any other")
    return rows // contexts


def repeated(context: Any, times: int) -> Any:
    """Repeat every context, copies side by side: [P, ...] -> [P times, ...]."""
    return tree_map(lambda leaf: leaf.repeat_interleave(times, 0), context)


def per_context_repeated(rows: Tensor, contexts: int, wanted: int) -> Tensor:
    """Repeat what is given for some contexts for as many as are wanted, those of a context together: [M]."""
    return rows.unflatten(0, (contexts, -1)).repeat_interleave(max(1, wanted // contexts), 0).flatten()


def require_together(asked: Any, rows: int, size: int) -> None:
    """Refuse draws of `size` rows that mix contexts.

    Raises:
        ValueError: the rows of a draw have not all the same context, or are no multiple of the contexts.
    """
    each = per_context(asked, rows)
    if each % size == 0:
        return
    index = torch.arange(rows).div(each, rounding_mode="floor").unflatten(0, (-1, size))
    for leaf in tree_leaves(asked.context):
        if readable(leaf):
            draws = leaf[index.to(leaf.device)]
            if (draws != draws[:, :1]).any():
                raise ValueError(
                    f"the {size} samples of a draw must have one context: give each a multiple of {size} "
                    f"samples, side by side, as c.repeat_interleave({size}, 0) does"
                )
