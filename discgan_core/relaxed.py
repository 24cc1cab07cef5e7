"""What the estimators share that feed relaxed tokens back, or hard ones with a relaxed token's gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core.checks import positive, whole
from discgan_core.interface import Feedback, Need, Noise, Policy, State
from discgan_core.policies import log_softmax, usable
from discgan_core.sequences import bounded, gumbel, one_hot, soften

Schedule = Callable[[Tensor], Tensor]
"""Updates done -> temperature tau, both scalar tensors."""

Temperature = float | Schedule
"""A constant, or a schedule."""


def linear(start: float, end: float, updates: int) -> Schedule:
    """tau_n = start + (end - start) n / updates, then constant (Kusner and Hernandez-Lobato: 5 to 1)."""
    positive("linear", start=start, end=end)
    whole("linear", 0, updates=updates)
    return lambda n: start + (end - start) * (n / max(updates, 1)).clamp(max=1)


def exponential(start: float, end: float, updates: int) -> Schedule:
    """tau_n = start (end / start)^(n / updates), then constant."""
    positive("exponential", start=start, end=end)
    whole("exponential", 0, updates=updates)
    return lambda n: start * (end / start) ** (n / max(updates, 1)).clamp(max=1)


def temperature_at(temperature: Temperature, updates: Any) -> Tensor | float:
    """Read the temperature after so many updates."""
    return temperature(updates) if callable(temperature) else temperature


def count_updates(policy: Policy, generator: Generator) -> State:
    """Start at no update: what a schedule goes by."""
    return State(carried=torch.zeros(()))


def count_on(state: State, feedback: Feedback) -> State:
    """Count one update more."""
    return state._replace(carried=state.carried + 1)


def carried(temperature: Temperature, state: State) -> Tensor | float:
    """Read the temperature of an estimator with these `traits`."""
    return temperature_at(temperature, state.carried)


def traits(owner: str, temperature: Temperature) -> dict[str, Any]:
    """Give what these estimators have in common as `Estimator`s: biased, counting updates for a schedule.

    Raises:
        ValueError: the temperature is a number that is not above 0.
    """
    if not callable(temperature):
        positive(owner, temperature=temperature)
    counted = {"init": count_updates, "adapt": count_on} if callable(temperature) else {}
    return {"unbiased": False, "needs": (Need.DERIVATIVE, Need.RELAXED), **counted}


def relaxed_sequences(policy: Policy, uniforms: Tensor, tau: Tensor | float) -> Tensor:
    """Sample from the Gumbel-softmax distribution, each relaxed token fed back as the next input.

    y_t = softmax((log p(. | y_<t) + g_t) / tau)

    Args:
        policy: p.
        uniforms: of the Gumbel noise g, [N, T, V].
        tau: the temperature.

    Returns:
        y [N, T, V], with its gradient.
    """
    g = gumbel(uniforms)
    return policy.unroll(len(g), lambda t, logits: soften(usable(logits) + g[:, t], tau))


Surrogate = Callable[[int, Tensor, Tensor], Tensor]
"""(t, tokens s_t [N], log p(. | s_<t) [N, V]) -> what lends its gradient to the token, [N, V]."""


def straight_through(policy: Policy, noise: Noise, surrogate: Surrogate) -> Tensor:
    """Sample hard sequences whose tokens carry another function's gradient, fed back with it.

    x_t = one_hot(s_t) + y_t - detached(y_t),   s_t ~ p(. | s_<t),   y_t = surrogate(t, s_t, log p)

    Args:
        policy: p.
        noise: with the `tokens` that drive sampling.
        surrogate: y.

    Returns:
        x [N, T, V], one-hot, with the gradient of y.
    """
    tokens = policy.sample(noise["tokens"])

    def token(t: int, logits: Tensor) -> Tensor:
        y = surrogate(t, tokens[:, t], bounded(log_softmax(logits)))
        return one_hot(tokens[:, t], policy.vocabulary, y.dtype) + (y - y.detach())

    return policy.unroll(len(tokens), token)
