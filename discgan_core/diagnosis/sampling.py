"""What is wrong with the tokens that a policy writes, which must be inverse-CDF draws of its logits."""

from __future__ import annotations

from contextlib import suppress

import torch
from torch import Tensor

from discgan_core.diagnosis.asking import Key, Trial, Wrong, ask, closeness, described
from discgan_core.diagnosis.logits import log_probs_of


def written(trial: Trial) -> None:
    """Take tokens that the policy writes, if it writes any, in place of any tokens."""
    with suppress(Wrong, AttributeError):  # `sampled` says so
        trial.tokens = draws_of(trial, trial.uniforms(trial.rows, trial.length)).clone()


def sampled(trial: Trial, lacks: dict[Key, str]) -> None:
    """A sample is the inverse-CDF draw of its uniforms."""
    if not hasattr(trial.policy, "sample"):
        lacks["tokens"] = "policy has no method `sample`"
        return
    lacks["tokens"] = "policy.sample is wrong"
    u = trial.uniforms(trial.rows, trial.length)
    u[0], u[-1] = u.new_tensor(2.0**-25), u.new_tensor(1 - 2.0**-24)
    tokens = draws_of(trial, u)
    if not torch.equal(tokens, draws_of(trial, u)):
        raise Wrong(
            "policy.sample gives other tokens for the same uniforms: draw by `sequences.inverse_cdf` of "
            "them, not by torch's generator"
        )
    draws(trial, tokens, u, 0, "policy.sample")
    del lacks["tokens"]


def gone_on(trial: Trial, lacks: dict[Key, str]) -> None:
    """What `after` lets follow is drawn from the logits, after the prefix and the choice."""
    if not hasattr(trial.policy, "after"):
        lacks["rollouts"] = "policy has no method `after`"
        return
    lacks["rollouts"] = "policy.after is wrong"
    go_on = ask(f"policy.after(tokens {list(trial.tokens.shape)})", trial.policy.after, trial.tokens)
    for t in sorted({0, trial.length // 2, trial.length - 1}):
        choices = torch.stack([trial.tokens[:, t], (trial.tokens[:, t] + 1) % trial.vocabulary], 1)
        u = trial.uniforms(*choices.shape, trial.length - t - 1)
        asked = f"policy.after(tokens)({t}, choices {list(choices.shape)}, uniforms {list(u.shape)})"
        rest = ask(asked, go_on, t, choices, u)
        tokens_in(trial, rest, [*choices.shape, trial.length - t], asked)
        if not torch.equal(rest[..., 0], choices):
            raise Wrong(f"{asked} does not begin with the choices: it must give each, and what follows it")
        before = trial.tokens[:, None, :t].expand(-1, 2, -1)
        whole = torch.cat([before, rest], -1).flatten(0, 1)
        draws(trial, whole, u.flatten(0, 1), t + 1, "policy.after")
    del lacks["rollouts"]


def draws_of(trial: Trial, uniforms: Tensor) -> Tensor:
    """Sample tokens [N, T].

    Raises:
        Wrong: they are something else.
    """
    asked = f"policy.sample(uniforms {list(uniforms.shape)})"
    tokens = ask(asked, trial.policy.sample, uniforms)
    tokens_in(trial, tokens, list(uniforms.shape), asked)
    return tokens


def tokens_in(trial: Trial, tokens: Tensor, shape: list[int], asked: str) -> None:
    """Refuse what are no tokens of that shape."""
    last = trial.vocabulary - 1
    if not isinstance(tokens, Tensor) or tokens.dtype != torch.long or list(tokens.shape) != shape:
        raise Wrong(f"{asked} gives {described(tokens)}; it must give tokens, int64 {shape}")
    if ((tokens < 0) | (tokens > last)).any():
        raise Wrong(f"{asked} gives tokens {tokens.min()} to {tokens.max()}; they must be 0 to {last}")


def draws(trial: Trial, tokens: Tensor, u: Tensor, start: int, asked: str) -> None:
    """Refuse tokens that are not, from a place on, the smallest v with u < P(s <= v)."""
    log_probs = log_probs_of(trial.policy, tokens)[:, start:]
    s, u = tokens[:, start:].cpu(), u.cpu().double()
    p = log_probs.cpu().double().exp()
    above = p.cumsum(-1).gather(-1, s[..., None])[..., 0]
    own = p.gather(-1, s[..., None])[..., 0]
    if (own == 0).any():
        n, t = (own == 0).nonzero()[0].tolist()
        raise Wrong(
            f"{asked} gives token {s[n, t]} at t = {start + t}, for u = {u[n, t]:.9g}, which has "
            "probability 0: draw by `sequences.inverse_cdf`"
        )
    slack = max(1e-5, closeness(trial.dtype))
    off = (u < above - own - slack) | (u > above + slack)
    if off.any():
        n, t = off.nonzero()[0].tolist()
        low, high = (above - own)[n, t], above[n, t]
        raise Wrong(
            f"{asked} gives token {s[n, t]} at t = {start + t} for u = {u[n, t]:.4g}, and policy.logits "
            f"for u from {low:.4g} to {high:.4g}: draw from the same logits, by `sequences.inverse_cdf`"
        )
