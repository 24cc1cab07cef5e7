"""What is wrong with a policy's logits."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from discgan_core.checks import wide
from discgan_core.diagnosis.asking import Trial, Wrong, ask, closeness, described, differ, row_that_moves
from discgan_core.exact import enumerable
from discgan_core.interface import Policy
from discgan_core.sequences import all_sequences, log_likelihood

ALL = 3_000_000
"""Elements of the logits of all sequences, at most, to add their probabilities up."""


def shape(trial: Trial) -> None:
    """Logits are floating-point numbers [N, T, V]; their type is the policy's."""
    with torch.no_grad():
        trial.dtype = logits_of(trial.policy, trial.tokens).dtype


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
    moves = row_that_moves(
        trial, trial.tokens, partial(log_probs_of, trial.policy), partial(differ, dtype=trial.dtype)
    )
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
    sums = log_p.cpu().double().exp().unflatten(0, (contexts, -1)).sum(1)
    off = (sums - 1).abs().argmax()
    if not (sums[off] - 1).abs() <= vocabulary * length * max(1e-5, closeness(trial.dtype)):
        raise Wrong(
            f"probabilities of all {vocabulary}^{length} sequences add up to {sums[off]:.4g}, not 1: "
            "policy.logits[:, t] must depend on the tokens before t alone"
        )


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
    turned = {(rows, vocabulary, length): "(1, 2)", (length, rows, vocabulary): "(0, 1)"}
    turn = turned.get(tuple(logits.shape)) if isinstance(logits, Tensor) else None  # type: ignore[arg-type]
    advice = f": give logits.transpose{turn}" if turn else ""
    want = f"it must give floating-point numbers [{rows}, {length}, {vocabulary}]"
    raise Wrong(f"{asked} gives {described(logits)}; {want}{advice}")


def log_probs_of(policy: Policy, tokens: Tensor) -> Tensor:
    """Normalise them, in float32 at least, without a gradient."""
    with torch.no_grad():
        logits = logits_of(policy, tokens)
        return wide(logits).log_softmax(-1)
