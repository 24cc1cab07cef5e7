"""What an estimator declares, and the form of what it takes and gives."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from bench.contract import case
from bench.contract.case import Broken, Case
from discgan_core.interface import Estimator, State

SMALLEST_BATCH = 32
"""Samples in the smallest batch on which an experiment trains; the other batches are multiples of it."""
OURS = {"reward", "latent", "data"}
"""Names of noise and data that are not the estimator's own."""


def declarations(estimator: Estimator) -> str:
    """Check the plain fields, and the noise asked for, at every size supported."""
    size = estimator.samples_per_draw
    if type(size) is not int or size < 1 or SMALLEST_BATCH % size:
        raise Broken(f"samples_per_draw is {size!r}: it must be a whole number that divides {SMALLEST_BATCH}")
    if type(estimator.variance_draws) is not int or estimator.variance_draws < 1:
        raise Broken(f"variance_draws is {estimator.variance_draws!r}: it must be a whole number above 0")
    if not isinstance(estimator.unbiased, bool):
        raise Broken(f"unbiased is {estimator.unbiased!r}: it must be True or False")
    sizes = case.supported(estimator)
    for vocabulary, length in sizes:
        noise_shapes(estimator.noise(length, vocabulary), length)
    return f"{size} sample{'s'[: size > 1]} to a draw, {'no bias' if estimator.unbiased else 'a bias'}"


def noise_shapes(asked: Any, length: int) -> None:
    """Check what `noise` asks for at a length."""
    if not isinstance(asked, dict):
        raise Broken(
            f"noise(length, vocabulary) gives a {type(asked).__name__}, not a dict of shapes by name"
        )
    for name, shape in asked.items():
        if not isinstance(shape, tuple) or any(type(n) is not int or n < 0 for n in shape):
            raise Broken(f"noise asks for '{name}' of shape {shape!r}, which is no tuple of whole numbers")
    if OURS & asked.keys():
        raise Broken(
            f"noise asks for '{min(OURS & asked.keys())}', a name that the benchmark needs: rename it"
        )
    if asked.get("tokens", (length,)) != (length,):
        raise Broken(
            f"noise asks for 'tokens' of shape {asked['tokens']} at length {length}: that name is for "
            f"policy.sample, ({length},), so that all estimators sample alike; give other noise another name"
        )


def shapes(estimator: Estimator) -> str:
    """Check what an estimate and its gradient look like, at every size supported."""
    sizes = case.supported(estimator)
    for size in sizes:
        shapes_at(estimator, *size)
    return f"{len(sizes)} sizes, up to length {max(length for _, length in sizes)}"


def shapes_at(estimator: Estimator, vocabulary: int, length: int) -> None:
    """Check one size."""
    try:
        shapes_of(estimator, case.make(estimator, vocabulary, length))
    except Broken as broken:
        raise Broken(f"with {vocabulary} tokens and length {length}: {broken}") from None


def shapes_of(estimator: Estimator, one: Case) -> None:
    """Check one case."""
    estimate = one.estimate(estimator)
    of_surrogate(estimator, estimate.surrogate, len(one.data))
    if not isinstance(estimate.info, Mapping):
        raise Broken(f"info is a {type(estimate.info).__name__}, not a dict of tensors")
    for name, value in estimate.info.items():
        if not isinstance(value, Tensor) or value.ndim == 0:
            raise Broken(f"info['{name}'] must be a tensor with an axis of samples or draws; it has none")
    gradient, _ = one.update(estimator)
    for name, value in gradient.items():
        if not value.isfinite().all():
            raise Broken(f"the gradient by {name} has entries that are not finite")
    if not any(value.any() for value in gradient.values()):
        raise Broken(
            "the gradient by every parameter is zero: the surrogate does not depend on the policy's logits"
        )


def of_surrogate(estimator: Estimator, surrogate: Any, samples: int) -> None:
    """Check a surrogate made from so many samples."""
    size = estimator.samples_per_draw
    if not isinstance(surrogate, Tensor):
        raise Broken(f"surrogate is a {type(surrogate).__name__}, not a tensor")
    expected, found = [samples // size], list(surrogate.shape)
    free = found == [1] and not estimator.noise(1, 2)  # of no noise, as the exact gradient: one draw is all
    if found != expected and not free:
        raise Broken(
            f"surrogate has shape {found}, expected {expected}: {samples} samples / samples_per_draw {size}, "
            "each entry one draw"
        )
    if not surrogate.is_floating_point() or not surrogate.isfinite().all():
        raise Broken("surrogate has entries that are not finite numbers")


def determinism(estimator: Estimator) -> str:
    """Check that numbers come from the arguments alone, and that these are left as they were."""
    one, before = case.some(estimator), generators()
    copy = tree_map(torch.clone, one)
    first = numbers(estimator, one)
    if not same(copy, one):
        raise Broken("it writes into its arguments (noise, data, parameters or state): make new tensors")
    case.make(estimator, *sizes_of(one), seed=1).update(estimator)
    second = numbers(estimator, one)
    drawn = [name for name, state in generators().items() if state != before[name]]
    if drawn:
        raise Broken(
            f"it draws from the global generator of {' and '.join(drawn)}: all randomness has to come from "
            "the uniforms that it asks for with `noise`, or in `init` from the generator given"
        )
    if not same(first, second):
        raise Broken(
            "the same arguments gave other numbers after another call: it keeps something of its own "
            "between calls; carry it in `State`"
        )
    return "to the last bit"


def sizes_of(one: Case) -> tuple[int, int]:
    """Give the vocabulary and the length of a case."""
    return len(one.theta["out.bias"]), one.data.shape[-1]


def numbers(estimator: Estimator, one: Case) -> object:
    """Give all that an estimator computes: its first state, the gradient, the state after."""
    gradient, feedback = one.update(estimator)
    policy = one.problem().policy(one.theta, one.noise)
    start: State = estimator.init(policy, np.random.default_rng(0))
    return start, gradient, feedback.estimate, estimator.adapt(one.state, feedback)


def same(one: object, other: object) -> bool:
    """Tell whether two trees of tensors are the same bit for bit; entries that are no numbers count alike."""
    pairs = zip(tree_flatten(one)[0], tree_flatten(other)[0], strict=True)
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)


def generators() -> dict[str, object]:
    """Give the states of the global random number generators."""
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002 - it is to be left alone
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": repr(legacy),
        "Python": random.getstate(),
    }
