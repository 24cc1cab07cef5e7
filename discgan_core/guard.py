"""What `estimators.make` puts before an estimator: a look at its arguments before anything is computed."""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from discgan_core.checks import of_shape, ragged, readable, unsupported, wide
from discgan_core.contexts import require_together
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.policies import like


def guarded(name: str, estimator: Estimator) -> Estimator:
    """Have an estimator refuse, in one line, what it cannot mean or do; what it computes stays the same.

    Its `init` gives a state of the policy's type and device.
    """

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        require(name, estimator, policy, reward, noise, data)
        return estimator.estimate(policy, reward, noise, state, data)

    def init(policy: Policy, generator: Generator | None = None) -> State:
        state = estimator.init(policy, generator)
        if not tree_leaves(state):
            return state
        own = wide(like(policy))
        placed: State = tree_map(lambda leaf: of_kind(leaf, own), state)
        return placed

    return estimator._replace(estimate=estimate, init=init)


def require(
    name: str, estimator: Estimator, policy: Policy, reward: Reward, noise: Noise, data: Tensor | None
) -> None:
    """Refuse arguments of an estimate that it cannot be made of.

    Raises:
        ValueError: which, and why.
    """
    length, vocabulary, size = policy.length, policy.vocabulary, estimator.samples_per_draw
    if not estimator.supports(length, vocabulary):
        raise ValueError(unsupported(name, length, vocabulary))
    rows = {rows_of(name, noise, key, s) for key, s in estimator.noise(length, vocabulary).items()}
    if Need.DATA in estimator.needs:
        rows.add(rows_of_data(name, data, policy))
    if len(rows) > 1:
        raise ValueError(f"{name} is given {' and '.join(map(str, sorted(rows)))} rows: all need as many")
    for count in rows:
        if count % size:
            raise ValueError(ragged(name, count, size))
        for asked in (policy, reward):
            require_together(asked, count, size)


def of_kind(leaf: Any, like: Tensor) -> Any:
    """Give a tensor the device of `like`, and one of torch's usual type its type."""
    if not isinstance(leaf, Tensor):
        return leaf
    return leaf.to(like.device, like.dtype if leaf.dtype == torch.float32 else leaf.dtype)


def rows_of(name: str, noise: Noise, key: str, shape: tuple[int, ...]) -> int:
    """Count the rows of what an estimator asks for, uniforms in (0, 1), [N, *shape].

    Raises:
        ValueError: they are not that.
    """
    if key not in noise:
        raise ValueError(f"{name} asks for noise `{key}`, [N, ..]: `randomness.noise_for` draws it")
    u = noise[key]
    rows = len(u) if isinstance(u, Tensor) and u.ndim else 0
    of_shape(u, [rows, *shape], f"noise `{key}` of {name} is {{}}; it must be {{}}")
    if readable(u) and not ((u > 0) & (u < 1)).all():
        raise ValueError(
            f"noise `{key}` is of {u.min():.3g} to {u.max():.3g}, and must be uniforms in (0, 1)"
        )
    return rows


def rows_of_data(name: str, data: Tensor | None, policy: Policy) -> int:
    """Count real sequences, tokens [N, T].

    Raises:
        ValueError: they are not that.
    """
    length, most = policy.length, policy.vocabulary - 1
    if data is None:
        raise ValueError(f"{name} learns from real sequences: give `data`, tokens [N, {length}]")
    if data.ndim != 2 or data.shape[1] != length or data.is_floating_point():
        kind = str(data.dtype).removeprefix("torch.")
        raise ValueError(f"data are {kind} {list(data.shape)}, and must be whole numbers [N, {length}]")
    if readable(data) and not ((data >= 0) & (data <= most)).all():
        raise ValueError(f"data have tokens {data.min()} to {data.max()}; the policy's are 0 to {most}")
    return len(data)
