"""A policy of your own from its logits alone: the shortest way to use the estimators."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from discgan_core.checks import of_shape, whole, wide
from discgan_core.contexts import contexts_of
from discgan_core.interface import Continue, Params, Policy
from discgan_core.policies import like, logits_of
from discgan_core.sequences import inverse_cdf


class FromLogits:
    """p_theta(s_t | s_<t) = softmax(logits(s)_t); satisfies `discgan_core.interface.Policy`.

    Sampling asks for the logits once per token; a policy that carries a state does better with a
    `sample` of its own.

    Args:
        logits: tokens [N, T] -> [N, T, V], row t depending on tokens before t only; -inf where a token is
            forbidden. What `discgan_core.contexts.given` makes of a function conditions on contexts.
        length: T.
        vocabulary: V.
        relaxed_logits: the same function of vectors [N, T, V], one-hot or relaxed; for the estimators that
            feed relaxed tokens back.
        params: theta, and
        at: theta -> the policy; for the estimators that keep parameters of their own.
        device: where it computes; by default where theta is, or the module that gives the logits.
    """

    def __init__(
        self,
        logits: Callable[[Tensor], Tensor],
        length: int,
        vocabulary: int,
        relaxed_logits: Callable[[Tensor], Tensor] | None = None,
        params: Params | None = None,
        at: Callable[[Params], Policy] | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        whole("FromLogits", 1, length=length, vocabulary=vocabulary)
        self.logits, self.length, self.vocabulary = logits, length, vocabulary
        self.relaxed_logits, self.params, self._at = relaxed_logits, params or {}, at
        self.contexts, self.context = contexts_of(logits), getattr(logits, "context", ())
        self.device = device or device_of(logits, self.params)

    def sample(self, uniforms: Tensor) -> Tensor:
        """Turn uniforms [N, T] into tokens [N, T]; no gradient."""
        return self.filled(torch.zeros_like(uniforms, dtype=torch.long), 0, uniforms)

    def filled(self, tokens: Tensor, start: int, uniforms: Tensor) -> Tensor:
        """Sample tokens [N, T] anew from place `start` on, with uniforms [N, T - start]; no gradient."""
        columns = list(tokens.unbind(1))
        with torch.no_grad():
            for t in range(start, self.length):
                log_probs = wide(logits_of(self, torch.stack(columns, 1))[:, t]).log_softmax(-1)
                columns[t] = inverse_cdf(log_probs, uniforms[:, t - start])
        return torch.stack(columns, 1)

    def after(self, tokens: Tensor) -> Continue:
        """Go on from the prefixes of tokens [N, T]."""

        def go_on(t: int, choices: Tensor, uniforms: Tensor) -> Tensor:
            copies = tokens[:, None].expand(-1, choices.shape[1], -1)
            begun = torch.cat([copies[..., :t], choices[..., None], copies[..., t + 1 :]], -1)
            done = self.filled(begun.flatten(0, 1), t + 1, uniforms.flatten(0, 1))
            return done.unflatten(0, choices.shape)[..., t:]

        return go_on

    def at(self, params: Params) -> Policy:
        """Give the same policy with other parameters.

        Raises:
            ValueError: the policy was made without `at`.
        """
        if self._at is None:
            raise ValueError("FromLogits: this estimator keeps parameters of its own; give `params` and `at`")
        return self._at(params)

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Feed x_t = token(t, logits_t) back: [N, T, V].

        Raises:
            ValueError: the policy was made without `relaxed_logits`.
        """
        if self.relaxed_logits is None:
            raise ValueError(
                "FromLogits: this estimator feeds relaxed tokens back; give `relaxed_logits` too"
            )
        of_policy = like(self)
        x = [of_policy.new_zeros(batch, self.vocabulary)] * self.length
        for t in range(self.length):
            before = torch.stack([y.to(of_policy.dtype) for y in x], 1)
            logits = self.relaxed_logits(before)
            of_shape(
                logits, before.shape, f"relaxed_logits gives {{}} for {list(before.shape)}; it must give {{}}"
            )
            x[t] = token(t, logits[:, t])
        return torch.stack(x, 1)


def device_of(logits: Callable[[Tensor], Tensor], params: Params) -> torch.device:
    """Find where a policy computes: where its parameters are, or torch's default."""
    module = getattr(logits, "function", logits)  # of what `given` has made
    own = module.parameters() if isinstance(module, torch.nn.Module) else ()
    return next((value.device for value in (*params.values(), *own)), torch.get_default_device())
