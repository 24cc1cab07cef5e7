"""The draws of a batch, the state between updates, and where an estimator may be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from bench.contract import case
from bench.contract.case import Broken, Case
from discgan_core.accuracy import flatten
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import Estimator, Params
from discgan_core.models.from_logits import FromLogits
from discgan_core.randomness import TINY

CLOSE = 1e-6
"""Relative differences of float64 gradients that rounding may make."""
LARGE = 300.0
"""What weights are multiplied with for logits in the hundreds."""


def independence(estimator: Estimator) -> str:
    """Check that a batch's gradient is the mean of its draws, each made from its own samples alone."""
    one = case.some(estimator)
    together, _ = one.update(estimator)
    mean = {name: draws.mean(0) for name, draws in one.draws(estimator).items()}
    apart = distance(mean, together)
    if apart > CLOSE:
        raise Broken(
            f"the gradient of a batch differs from the mean of its draws made one by one by {apart:.2g} of "
            f"its norm: a draw may depend on its own samples alone, and declares "
            f"{estimator.samples_per_draw} (samples_per_draw)"
        )
    return "each made from its own samples"


def distance(one: Params, other: Params) -> float:
    """Give |a - b| / |b| of two gradients."""
    a, b = flatten(one), flatten(other)
    return float((a - b).norm() / b.norm().clamp(min=1e-300))


def single(one: Case) -> Case:
    """Take a case to float32, as training has it."""
    return tree_map(lambda leaf: leaf.float() if leaf.is_floating_point() else leaf, one)


def adaptation(estimator: Estimator) -> str:
    """Check that `adapt` keeps the state's form, and that what is learned can be learned."""
    one = single(case.some(estimator))
    _, feedback = one.update(estimator)
    after = estimator.adapt(one.state, feedback)
    was, now = described(one.state), described(after)
    if was != now:
        raise Broken(f"adapt turns a state of {was} into one of {now}: it must keep names, shapes and types")
    if not all(leaf.isfinite().all() for leaf in tree_flatten(after)[0]):
        raise Broken("adapt gives a state that is not finite")
    learned = feedback.variance_gradient
    if learned and not any(value.any() for value in learned.values()):
        raise Broken(
            "the variance's gradient by everything in State.learned is zero, so nothing would be learned: "
            "the surrogate's gradient does not depend on it, or the link is cut (by detach, or .item())"
        )
    return f"learned: {', '.join(learned) or 'nothing'}"


def described(state: object) -> str:
    """Describe a tree of tensors: its form, and their shapes and types."""
    return str(tree_map(lambda leaf: f"{str(leaf.dtype).removeprefix('torch.')}{list(leaf.shape)}", state))


def extremes(estimator: Estimator) -> str:
    """Check that policies almost certain of their tokens, and noise at its ends, give finite gradients."""
    one = single(case.some(estimator))
    ends = torch.tensor([TINY, 1 - 2 * TINY])
    noise = {name: edged(values, ends) for name, values in one.noise.items()}
    theta = {name: value * LARGE for name, value in one.theta.items()}
    for tried, what in (
        (one._replace(theta=theta), f"logits in the hundreds (weights times {LARGE:g})"),
        (one._replace(noise=noise), f"uniforms as near to 0 and 1 as they come ({TINY:.0e})"),
    ):
        gradient, _ = tried.update(estimator)
        bad = [name for name, value in gradient.items() if not value.isfinite().all()]
        if bad:
            raise Broken(
                f"with {what} the gradient by {', '.join(bad)} is not finite: work with log-probabilities "
                "(log_softmax, logsumexp) and keep arguments of log and division away from 0"
            )
    return "gradients stay finite"


def edged(uniforms: Tensor, ends: Tensor) -> Tensor:
    """Put every third of the uniforms to one end, and every third to the other."""
    place = torch.arange(uniforms.numel()).reshape(uniforms.shape) % 3
    return torch.where(place == 2, uniforms, ends[place.clamp(max=1)])


def anywhere(estimator: Estimator) -> str:
    """Check the estimator on a policy that is a table of logits, and a reward that is a plain function."""
    one = single(case.some(estimator))
    length, vocabulary = one.data.shape[-1], len(one.theta["out.bias"])
    rows = torch.arange((vocabulary + 1) * vocabulary).reshape(vocabulary + 1, vocabulary)
    problem = Problem(lambda theta, noise: bigrams(theta, length), lambda noise: first_tokens)
    policy = bigrams({"table": torch.sin(rows.float())}, length)
    state = estimator.init(policy, np.random.default_rng(0))
    gradient, _ = update_gradient(estimator, problem, policy.params, one.noise, state, one.data)
    if not gradient["table"].isfinite().all() or not gradient["table"].any():
        raise Broken(
            "for a table of logits and a plain function as reward, the gradient is zero or not finite"
        )
    return "a table of logits, a plain function"


def first_tokens(x: Tensor) -> Tensor:
    """Reward sequences [N, t, V] by how often they have token 0, between 0.1 and 0.9."""
    return 0.1 + 0.8 * x[..., 0].mean(-1)


def bigrams(theta: Params, length: int) -> Any:
    """Make a policy whose logits are a table: of a token by the one before, the last row for the first."""
    table = theta["table"]
    vocabulary = table.shape[1]

    def relaxed(x: Tensor) -> Tensor:
        start = table[-1].expand(len(x), 1, vocabulary)
        return torch.cat([start, x[:, :-1] @ table[:-1]], 1)

    def logits(tokens: Tensor) -> Tensor:
        before = torch.cat([torch.full_like(tokens[:, :1], vocabulary), tokens[:, :-1]], 1)
        return table[before]

    return FromLogits(logits, length, vocabulary, relaxed, theta, lambda other: bigrams(other, length))
