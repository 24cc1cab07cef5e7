"""Climbing J(theta) = E[f(s)] with a torch module and optimiser: estimate, update and adapt, in one call.

    theta' = optimiser(theta, -g_hat),    state' = adapt(state, feedback)

An estimator that learns (RELAX, the double control variate) or anneals a temperature does so in `adapt`: left
out, RELAX stays REBAR, and a schedule stays where it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_flatten, tree_unflatten

from discgan_core.contexts import CONTEXT, given, repeated
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import Estimate, Estimator, Noise, Params, Policy
from discgan_core.models.from_module import from_module, trainable
from discgan_core.randomness import noise_for


class Ascent:
    """Trains a module by an estimator's gradients.

    Args:
        estimator: of `discgan_core.estimators.make`.
        module: gives the logits, as `discgan_core.models.from_module` says.
        optimizer: of the module's parameters, which it is given the gradient of -J for.
        length: T.
        vocabulary: V.
        generator: torch's, of the noise; None for the global one.

    Attributes:
        state: what the estimator carries on.
    """

    def __init__(
        self,
        estimator: Estimator,
        module: nn.Module,
        optimizer: Optimizer,
        length: int,
        vocabulary: int,
        generator: torch.Generator | None = None,
    ) -> None:
        self.estimator, self.module, self.optimizer = estimator, module, optimizer
        self.length, self.vocabulary, self.generator = length, vocabulary, generator
        self.state = estimator.init(self.policy(trainable(module)), None)

    def policy(self, theta: Params, context: Any = None) -> Policy:
        """Give the policy at any parameters."""
        return from_module(self.module, self.length, self.vocabulary, theta, context)

    def step(self, reward: Any, samples: int, context: Any = None, data: Tensor | None = None) -> Estimate:
        """Make one update.

        Args:
            reward: f, a `discgan_core.interface.Reward`; with contexts, (x [M, t, V], c [M, ...]) -> [M].
            samples: N, a multiple of the estimator's `samples_per_draw` times the contexts.
            context: c [P, ...], a tensor or a tree of tensors, where the module takes contexts.
            data: real sequences [N, T], for the estimators that learn from data.

        Returns:
            the estimate; `info` has the rewards of the samples, those of a context side by side.
        """
        theta = trainable(self.module)
        noise = noise_for(self.estimator, self.policy(theta), samples, self.generator)
        rows = len(data) if data is not None else samples if noise else 0
        given_rows, context_of = in_rows(context, rows)
        aim = Problem(
            lambda theta, noise: self.policy(theta, context_of(noise)),
            lambda noise: reward if context is None else given(reward, context_of(noise)),
        )
        gradient, feedback = update_gradient(self.estimator, aim, theta, noise | given_rows, self.state, data)
        self.descend(gradient)
        self.state = self.estimator.adapt(self.state, feedback._replace(theta=trainable(self.module)))
        return feedback.estimate

    def descend(self, gradient: Params) -> None:
        """Have the optimiser make its step along -J's gradient."""
        for name, value in self.module.named_parameters():
            value.grad = -gradient[name] if name in gradient else None
        self.optimizer.step()


def in_rows(context: Any, rows: int) -> tuple[dict[str, Tensor], Callable[[Noise], Any]]:
    """Give each row its context, to stand beside the noise, and the way to have it back from there.

    Raises:
        ValueError: the rows are no multiple of the contexts.
    """
    if context is None:
        return {}, lambda noise: None
    leaves, tree = tree_flatten(context)
    contexts = len(leaves[0])
    if rows % contexts:
        raise ValueError(f"{rows} samples for {contexts} contexts: give as many to each")
    names = [f"{CONTEXT}/{n}" for n in range(len(leaves))]
    copies = (repeated(leaf, max(1, rows // contexts)) for leaf in leaves)  # the exact gradient has no rows
    return dict(zip(names, copies, strict=True)), lambda noise: tree_unflatten(
        [noise[n] for n in names], tree
    )
