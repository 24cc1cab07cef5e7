"""A policy from a torch module that gives the logits."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from discgan_core.contexts import given
from discgan_core.interface import Params
from discgan_core.models.from_logits import FromLogits


def from_module(
    module: nn.Module, length: int, vocabulary: int, params: Params | None = None, context: Any = None
) -> FromLogits:
    """Make a policy whose logits a module gives.

    Args:
        module: (tokens [M, T]) or, with contexts, (tokens [M, T], context [M, ...]) -> logits [M, T, V], at
            place t depending on tokens before t only. Where it takes vectors [M, T, V] as well, it serves
            the estimators that feed relaxed tokens back.
        length: T.
        vocabulary: V.
        params: theta, in place of the module's own parameters of these names.
        context: c, as `discgan_core.contexts.given` takes it, if there is any.
    """
    theta = trainable(module) if params is None else params

    def logits(x: Tensor, *c: Any) -> Tensor:
        found: Tensor = functional_call(module, theta, (x, *c))
        return found

    def relaxed(x: Tensor, *c: Any) -> Tensor:
        try:
            return logits(x, *c)
        except (RuntimeError, TypeError, IndexError) as error:
            raise ValueError(
                f"{type(module).__name__} does not take vectors {list(x.shape)} for tokens, and this "
                f"estimator feeds relaxed tokens back: {' '.join(str(error).split())}"
            ) from error

    ask = [logits, relaxed] if context is None else [given(f, context) for f in (logits, relaxed)]
    device = next((value.device for value in theta.values()), None)

    def at(other: Params) -> FromLogits:
        return from_module(module, length, vocabulary, other, context)

    return FromLogits(ask[0], length, vocabulary, ask[1], theta, at, device)


def trainable(module: nn.Module) -> Params:
    """Give a module's parameters that are to be trained, without their graph."""
    return {name: value.detach() for name, value in module.named_parameters() if value.requires_grad}
