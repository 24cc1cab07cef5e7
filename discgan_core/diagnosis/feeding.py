"""What is wrong with a policy that is fed relaxed tokens back."""

from __future__ import annotations

import torch
from torch import Tensor

from discgan_core.checks import wide
from discgan_core.diagnosis.asking import Key, Trial, Wrong, ask, described, differ
from discgan_core.diagnosis.logits import log_probs_of
from discgan_core.interface import Need


def unrolled(trial: Trial, lacks: dict[Key, str]) -> None:
    """Fed back unit vectors, `unroll` has the logits of the tokens, and a derivative by them."""
    if not hasattr(trial.policy, "unroll"):
        lacks[Need.RELAXED] = "policy has no method `unroll`"
    elif getattr(trial.policy, "relaxed_logits", trial) is None:
        lacks[Need.RELAXED] = "policy has no `relaxed_logits`"
    else:
        lacks[Need.RELAXED] = "policy's relaxed tokens are wrong"
        fed_back(trial)
        del lacks[Need.RELAXED]


def fed_back(trial: Trial) -> None:
    """Raise `Wrong` unless `unroll` does what it must."""
    x, heard = trial.vectors(trial.tokens).requires_grad_(), list[Tensor]()
    own = (
        "policy.unroll" if getattr(trial.policy, "relaxed_logits", None) is None else "policy.relaxed_logits"
    )

    def token(t: int, logits: Tensor) -> Tensor:
        if t != len(heard) or t >= trial.length or logits.shape != x[:, 0].shape:
            raise Wrong(
                f"policy.unroll asks for token {t} with logits {list(logits.shape)}, after {len(heard)}; "
                f"it must ask for each of 0 to {trial.length - 1} once, with {list(x[:, 0].shape)}"
            )
        heard.append(logits)
        return x[:, t]

    with torch.enable_grad():
        given = ask(f"{own} (of unit vectors)", trial.policy.unroll, trial.rows, token)
    if not isinstance(given, Tensor) or given.shape != x.shape or differ(given, x, trial.dtype).any():
        raise Wrong(
            f"policy.unroll gives {described(given)}; it must give the tokens fed back, {list(x.shape)}"
        )
    log_probs = torch.stack(heard, 1)
    log_probs = wide(log_probs).log_softmax(-1)
    plain = log_probs_of(trial.policy, trial.tokens)
    off = differ(plain, log_probs.detach(), trial.dtype).flatten(2).any(-1).any(0)
    if off.any():
        t = int(off.nonzero()[0])
        raise Wrong(
            f"{own} of unit vectors and policy.logits of their tokens differ, at t = {t} first: "
            "they must be the same function"
        )
    differentiable(trial, x, log_probs, own)


def differentiable(trial: Trial, x: Tensor, log_probs: Tensor, own: str) -> None:
    """Refuse logits that change with a token, and have no derivative by it."""
    others = trial.tokens.clone()
    others[:, 0] = (others[:, 0] + 1) % trial.vocabulary
    plain = log_probs.detach()
    if not differ(plain, log_probs_of(trial.policy, others), trial.dtype)[:, 1:].any():
        return
    terms = torch.where(log_probs == -torch.inf, 0, log_probs)
    terms = terms * torch.arange(trial.vocabulary, device=x.device).cos()
    slope = None
    if terms.requires_grad:
        (slope,) = torch.autograd.grad(terms.sum(), x, allow_unused=True)
    if slope is None or not slope[:, 0].any():
        raise Wrong(
            f"{own} has no derivative by the tokens fed back: no argmax, no_grad or .detach() within it"
        )
