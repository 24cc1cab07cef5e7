"""Adam, and plain descent, as pure functions: a session is one, and `torch.optim` works in place.

    m' = b1 m + (1 - b1) g,   v' = b2 v + (1 - b2) g^2,   theta' = theta - a m'_hat / (sqrt(v'_hat) + eps)

(Kingma and Ba, 2015); m'_hat and v'_hat are m' and v' divided by 1 - b^n after n updates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from discgan_core.interface import Feedback, Params, State


class AdamState(NamedTuple):
    """Moments, and b1^n and b2^n after n updates as running products.

    (A power may differ in its last digit between a vector's places; products may not.)
    """

    first: Params
    second: Params
    first_decay: Tensor
    second_decay: Tensor


def adam_init(params: Params) -> AdamState:
    """Start with zero moments."""
    zeros = {name: torch.zeros_like(value) for name, value in params.items()}
    some = next(iter(params.values()))
    return AdamState(zeros, dict(zeros), some.new_ones(()), some.new_ones(()))


def adam_step(
    params: Params,
    gradient: Params,
    state: AdamState,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[Params, AdamState]:
    """Descend by one update.

    Args:
        params: theta.
        gradient: g, of the same names and shapes.
        state: m, v and n.
        learning_rate: a.
        betas: b1 and b2.
        eps: as in the equation.

    Returns:
        theta' and the next state.
    """
    b1, b2 = betas
    decay = state.first_decay * b1, state.second_decay * b2
    first = {k: b1 * m + (1 - b1) * gradient[k] for k, m in state.first.items()}
    second = {k: b2 * v + (1 - b2) * gradient[k].square() for k, v in state.second.items()}
    scale = learning_rate * torch.sqrt(1 - decay[1]) / (1 - decay[0])
    moved = {k: p - scale * first[k] / (second[k].sqrt() + eps) for k, p in params.items()}
    return moved, AdamState(first, second, *decay)


def sgd_step(
    params: Params,
    gradient: Params,
    state: AdamState,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[Params, AdamState]:
    """Descend by theta' = theta - a g, and leave moments as they are; arguments as of `adam_step`."""
    return {name: value - learning_rate * gradient[name] for name, value in params.items()}, state


OPTIMISERS = {"adam": adam_step, "sgd": sgd_step}


def learn_by_adam(
    learning_rate: float,
) -> tuple[Callable[[Params], State], Callable[[State, Feedback], State]]:
    """Make the two functions by which an estimator lowers its own variance.

    Args:
        learning_rate: of Adam on the gradient of E[|g_hat|^2].

    Returns:
        start: learned parameters -> State; adapt: (State, Feedback) -> State, as `Estimator.adapt`.
    """

    def start(learned: Params) -> State:
        return State(learned, adam_init(learned)) if learned else State()

    def adapt(state: State, feedback: Feedback) -> State:
        if not state.learned:
            return state
        return State(*adam_step(state.learned, feedback.variance_gradient, state.carried, learning_rate))

    return start, adapt
