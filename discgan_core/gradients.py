"""From an estimator to gradients: the update's, one per draw, and what their spread and mean tell.

Everything here is a pure function of one session; vmap it over sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from discgan_core.contexts import CONTEXT
from discgan_core.interface import (
    Estimate,
    Estimator,
    Feedback,
    Noise,
    Params,
    Policy,
    Reward,
    State,
)
from discgan_core.meter import Meter, MeteredPolicy

NO_GRADIENT = (
    "the gradient by every parameter is zero: the surrogate does not depend on the policy's logits; are they "
    "detached, computed under no_grad, or of other parameters than theta?"
)

PolicyOf = Callable[[Params, Noise], Policy]
RewardOf = Callable[[Noise], Reward]


class Problem(NamedTuple):
    """What the gradient is of: J(theta) = E_{s ~ policy(theta, noise)}[reward(noise)(s)].

    Attributes:
        policy: (theta, noise) -> Policy; only one that starts from noise looks at it.
        reward: noise -> Reward; most rewards ignore the noise.
    """

    policy: PolicyOf
    reward: RewardOf


def update_gradient(
    estimator: Estimator,
    problem: Problem,
    theta: Params,
    noise: Noise,
    state: State,
    data: Tensor | None = None,
) -> tuple[Params, Feedback]:
    """Estimate grad J from one batch, with what the estimator needs to adapt.

    Args:
        estimator: one of `discgan_core.estimators`, or the user's own.
        problem: policy and reward.
        theta: the policy's parameters.
        noise: uniforms [N, ...] as `estimator.noise` asks; N a multiple of `samples_per_draw`.
        state: the estimator's.
        data: real sequences [N, T], for estimators that learn from data.

    Returns:
        the mean of g_hat over the batch's draws, named as theta, and the feedback for `estimator.adapt`.

    Raises:
        ValueError: the estimate does not depend on theta.
    """

    def objective(theta: Params) -> tuple[Tensor, Estimate]:
        estimate = estimator.estimate(problem.policy(theta, noise), problem.reward(noise), noise, state, data)
        if not estimate.surrogate.requires_grad:
            raise ValueError(NO_GRADIENT)
        return estimate.surrogate.mean(), estimate

    gradient, estimate = grad(objective, has_aux=True)(theta)
    if not state.learned:
        return gradient, Feedback({}, estimate, theta)
    few = some_draws(noise, estimator.samples_per_draw, estimator.variance_draws)
    return gradient, Feedback(variance_gradient(estimator, problem, theta, few, state), estimate, theta)


def some_draws(noise: Noise, size: int, count: int) -> Noise:
    """Choose the noise of a few draws: the first, or where there are contexts some of all of these."""
    rows = max((len(array) for array in noise.values()), default=0)
    every = max(1, rows // size // count) if any(name.startswith(CONTEXT) for name in noise) else 1
    draws = {name: array.unflatten(0, (-1, size))[::every][:count] for name, array in noise.items()}
    return {name: array.flatten(0, 1) for name, array in draws.items()}


def variance_gradient(
    estimator: Estimator, problem: Problem, theta: Params, noise: Noise, state: State
) -> Params:
    """Differentiate the mean square of the draws by what the estimator learns (REGAN eq. 19).

    Var[g_hat] = E[g_hat^2] - E[g_hat]^2, and the last term of an unbiased estimator does not change.

    Args: as `update_gradient`.

    Returns:
        the gradient, named as `state.learned`.
    """

    def mean_square(learned: Params) -> Tensor:
        draws, _ = draw_gradients(estimator, problem, theta, noise, state._replace(learned=learned))
        return torch.stack([g.square().flatten(1).sum(1) for g in draws.values()]).sum(0).mean()

    try:
        return grad(mean_square)(state.learned)
    except RuntimeError as error:
        raise RuntimeError(f"{SECOND} {told(error)}") from error


SECOND = "the estimator learns from second derivatives of single draws (torch.func.grad within vmap), and"


def told(error: RuntimeError) -> str:
    """Say what to do where torch has no such derivative."""
    words = " ".join(str(error).split())[:120]
    if "attention" in words:
        return (
            "torch's fast attention has none: choose the plain one, "
            f"`with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):` around it ({words})"
        )
    return (
        "policy or reward have none (nn.LSTM has; nn.GRU, nn.RNN, functional.one_hot and dropout have not): "
        f"take one that learns nothing, such as rebar or reinforce_loo ({words} ..)"
    )


def draw_gradients(
    estimator: Estimator,
    problem: Problem,
    theta: Params,
    noise: Noise,
    state: State,
    data: Tensor | None = None,
) -> tuple[Params, Estimate]:
    """Give every draw's g_hat by itself.

    Args: as `update_gradient`.

    Returns:
        per-draw gradients, named as theta, [draws, ...], and the estimates they came from.
    """
    arrays = dict(noise) if data is None else {**noise, "data": data}

    def one(arrays: Mapping[str, Tensor]) -> tuple[Params, Estimate]:
        def objective(theta: Params) -> tuple[Tensor, Estimate]:
            estimate = estimator.estimate(
                problem.policy(theta, arrays), problem.reward(arrays), arrays, state, arrays.get("data")
            )
            return estimate.surrogate.sum(), estimate

        return grad(objective, has_aux=True)(theta)

    if not arrays:
        gradient, estimate = one({})
        return {name: g[None] for name, g in gradient.items()}, estimate
    size = estimator.samples_per_draw
    draws, estimates = vmap(one)({name: a.unflatten(0, (-1, size)) for name, a in arrays.items()})
    return draws, tree_map(lambda leaf: leaf.flatten(0, 1), estimates)


def sequences_per_draw(
    estimator: Estimator,
    problem: Problem,
    theta: Params,
    noise: Noise,
    state: State,
    data: Tensor | None = None,
) -> int:
    """Count the whole sequences that one draw takes: all that it writes, `samples_per_draw` at least.

    A draw that writes more than it asks uniforms for, such as an antithetic pair from one row of them, takes
    them all. Completions of prefixes are no whole sequences; they are calls.

    Args: as `update_gradient`; of the noise and the data, the first draw's.
    """
    size, meter = estimator.samples_per_draw, Meter()
    noise, data = {name: array[:size] for name, array in noise.items()}, None if data is None else data[:size]
    policy = MeteredPolicy(problem.policy(theta, noise), meter)
    estimator.estimate(policy, problem.reward(noise), noise, state, data)
    return max(size, meter.sequences)


def variance_per_sample(draws: Params, sequences: int) -> dict[str, Tensor]:
    """Give the variance of each parameter's g_hat, times the sequences that one draw takes.

    The factor makes estimators comparable at equal numbers of samples: it is N times the variance of the
    mean over a batch of N.

    Args:
        draws: per-draw gradients [draws, ...].
        sequences: as `sequences_per_draw` counts them.

    Returns:
        variances, named and shaped as the parameters.
    """
    return {name: g.var(0) * sequences for name, g in draws.items()}
