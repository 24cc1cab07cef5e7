"""What is wrong with a policy, in words."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice

import torch
from torch import Tensor

from discgan_core.diagnosis.asking import (
    Found,
    Key,
    Trial,
    Wrong,
    ask,
    closeness,
    described,
    differ,
    findings,
    row_that_moves,
    wide,
)
from discgan_core.diagnosis.causality import causal
from discgan_core.exact import enumerable
from discgan_core.interface import Need, Policy
from discgan_core.sequences import all_sequences, log_likelihood

ALL = 3_000_000
"""Elements of the logits of all sequences, at most, to add their probabilities up."""


def of_policy(trial: Trial) -> Found:
    """Look at a policy; `trial` takes its type, and tokens that it can write."""
    about = f"policy: T = {trial.length}, V = {trial.vocabulary}"
    # the first finding alone: what comes after may be its consequence
    wrong = list(islice(findings([shape, written, numbers, settled, alone], trial), 1))
    wrong = wrong or list(findings([causal, total], trial))
    if wrong:
        return Found(wrong, {}, about, sound=False)
    lacks: dict[Key, str] = {}
    found = list(findings([sampled, unrolled, gone_on, moved], trial, lacks))
    return Found(found, lacks, f"{about}, {kind(trial.dtype)}")


def kind(dtype: torch.dtype) -> str:
    """Name a type, and what is made of it."""
    name = str(dtype).removeprefix("torch.")
    return name if wide(dtype) == dtype else f"{name} (its probabilities are computed in float32)"


def logits_of(policy: Policy, tokens: Tensor) -> Tensor:
    """Ask for logits [N, T, V].

    Raises:
        Wrong: they are something else.
    """
    asked = f"policy.logits(tokens {list(tokens.shape)})"
    logits = ask(asked, policy.logits, tokens)
    rows, length, vocabulary = len(tokens), policy.length, policy.vocabulary
    if (
        isinstance(logits, Tensor)
        and logits.is_floating_point()
        and logits.shape == (rows, length, vocabulary)
    ):
        return logits
    turned = {(rows, vocabulary, length): (1, 2), (length, rows, vocabulary): (0, 1)}
    advice = ""
    if isinstance(logits, Tensor) and tuple(logits.shape) in turned:
        advice = ": give logits.transpose{}".format(turned[tuple(logits.shape)])
    want = f"it must give floating-point numbers [{rows}, {length}, {vocabulary}]"
    raise Wrong(f"{asked} gives {described(logits)}; {want}{advice}")


def log_probs_of(policy: Policy, tokens: Tensor) -> Tensor:
    """Normalise them, in float32 at least, without a gradient."""
    with torch.no_grad():
        logits = logits_of(policy, tokens)
        return logits.to(wide(logits.dtype)).log_softmax(-1)


def shape(trial: Trial) -> None:
    """Logits are floating-point numbers [N, T, V]; their type is the policy's."""
    with torch.no_grad():
        trial.dtype = logits_of(trial.policy, trial.tokens).dtype


def written(trial: Trial) -> None:
    """Take tokens that the policy writes, if it writes any, in place of any tokens."""
    with suppress(Wrong, AttributeError):  # `sampled` says so
        trial.tokens = draws_of(trial, trial.uniforms(trial.rows, trial.length)).clone()


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


def numbers(trial: Trial) -> None:
    """Logits are numbers or -inf, and allow some token everywhere."""
    for tokens in (trial.tokens, trial.any_tokens()):
        with torch.no_grad():
            logits = logits_of(trial.policy, tokens)
        odd = logits.isnan() | (logits == torch.inf)
        if odd.any():
            n, t, _ = odd.nonzero()[0].tolist()
            raise Wrong(
                f"policy.logits are NaN or +inf at t = {t}, after tokens {tokens[n, :t].tolist()[-8:]}: "
                "forbid a token by -inf, and look for a division by zero or a step too large"
            )
        none = (logits == -torch.inf).all(-1)
        if none.any():
            n, t = none.nonzero()[0].tolist()
            raise Wrong(
                f"policy.logits are all -inf at t = {t}, after tokens {tokens[n, :t].tolist()[-8:]}: "
                "allow some token everywhere, also after what has probability 0"
            )


def settled(trial: Trial) -> None:
    """The same tokens have the same logits."""
    once, again = log_probs_of(trial.policy, trial.tokens), log_probs_of(trial.policy, trial.tokens)
    if differ(once, again, trial.dtype).any():
        raise Wrong(
            "policy.logits differ between two calls with the same tokens: dropout is on? call .eval()"
        )


def alone(trial: Trial) -> None:
    """A row's logits are those of its own tokens."""
    moves = row_that_moves(trial, trial.tokens, partial(log_probs_of, trial.policy))
    if moves:
        raise Wrong(
            f"policy.logits of a sequence depend on {moves}: batch normalisation in training? call .eval(), "
            "or normalise within a sequence"
        )


def total(trial: Trial) -> None:
    """All probabilities add up to 1."""
    length, vocabulary, contexts = trial.length, trial.vocabulary, trial.unit
    if not enumerable(length, vocabulary) or contexts * vocabulary**length * length * vocabulary > ALL:
        return
    tokens = all_sequences(length, vocabulary, trial.device).repeat(contexts, 1)
    parts = log_likelihood(log_probs_of(trial.policy, tokens), tokens)
    log_p = parts.sum(1).masked_fill((parts == -torch.inf).any(1), -torch.inf)
    sums = log_p.double().exp().unflatten(0, (contexts, -1)).sum(1)
    off = (sums - 1).abs().argmax()
    if not (sums[off] - 1).abs() <= vocabulary * length * max(1e-5, closeness(trial.dtype)):
        raise Wrong(
            f"probabilities of all {vocabulary}^{length} sequences add up to {sums[off]:.4g}, not 1: "
            "policy.logits[:, t] must depend on the tokens before t alone"
        )


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
            "policy.sample gives other tokens for the same uniforms: draw by `sequences.inverse_cdf` of them, "
            "not by torch's generator"
        )
    draws(trial, tokens, u, 0, "policy.sample")
    del lacks["tokens"]


def draws(trial: Trial, tokens: Tensor, u: Tensor, start: int, asked: str) -> None:
    """Refuse tokens that are not, from a place on, the smallest v with u < P(s <= v)."""
    log_probs = log_probs_of(trial.policy, tokens)[:, start:]
    s, p = tokens[:, start:], log_probs.double().exp()
    above = p.cumsum(-1).gather(-1, s[..., None])[..., 0]
    own = p.gather(-1, s[..., None])[..., 0]
    if (own == 0).any():
        n, t = (own == 0).nonzero()[0].tolist()
        raise Wrong(
            f"{asked} gives token {s[n, t]} at t = {start + t}, for u = {u[n, t]:.9g}, which has probability 0: "
            "draw by `sequences.inverse_cdf`"
        )
    slack = max(1e-5, closeness(trial.dtype))
    off = (u.double() < above - own - slack) | (u.double() > above + slack)
    if off.any():
        n, t = off.nonzero()[0].tolist()
        low, high = (above - own)[n, t], above[n, t]
        raise Wrong(
            f"{asked} gives token {s[n, t]} at t = {start + t} for u = {u[n, t]:.4g}, and policy.logits for u from "
            f"{low:.4g} to {high:.4g}: draw from the same logits, by `sequences.inverse_cdf`"
        )


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
                f"policy.unroll asks for token {t} with logits {described(logits)} after {len(heard)} others; "
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
    log_probs = log_probs.to(wide(log_probs.dtype)).log_softmax(-1)
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


def moved(trial: Trial, lacks: dict[Key, str]) -> None:
    """`at` gives the same policy with other parameters, and leaves this one as it is."""
    params = getattr(trial.policy, "params", None)
    lacks[Need.PARAMETERS] = "policy has no `params`, or no `at` for them"
    if not params or not hasattr(trial.policy, "at"):
        return
    try:
        same = trial.policy.at(params)
    except ValueError:  # it says that it was not given what it takes
        return
    except Exception:
        same = ask("policy.at(params)", trial.policy.at, params)
    plain, others = log_probs_of(trial.policy, trial.tokens), {}
    for name, value in params.items():
        noise = torch.rand(value.shape, generator=trial.generator).to(value.device, value.dtype)
        others[name] = value.detach() + noise
    other = ask("policy.at(other params)", trial.policy.at, others)
    for policy, word in (
        (same, "policy.at(policy.params)"),
        (trial.policy, "after policy.at(others), the policy"),
    ):
        if differ(plain, log_probs_of(policy, trial.tokens), trial.dtype).any():
            raise Wrong(
                f"{word} has other logits than the policy had: `at` must give a policy, and change none"
            )
    if not differ(plain, log_probs_of(other, trial.tokens), trial.dtype).any():
        raise Wrong("policy.at(params) has the same logits whatever params are: it must use those given")
    del lacks[Need.PARAMETERS]
