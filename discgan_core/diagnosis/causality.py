"""Whether logits depend on tokens that they must not know: by their values, and by their derivatives.

Where parameters start at zero, logits are the same after all tokens, right or wrong; their derivatives by
the parameters are not.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from discgan_core.checks import wide
from discgan_core.diagnosis.asking import Trial, Wrong, ask, closeness, differ

Turn = Callable[[Tensor], Tensor]
OWN = "policy.logits[:, t] depend on token t itself"
LATER = "policy.logits before t depend on token t"


def causal(trial: Trial) -> None:
    """Logits of a place depend on the tokens before it alone.

    Raises:
        Wrong: they do not.
    """
    found = reading(trial, lambda logits: logits)
    if not found:
        return
    if trial.length == trial.vocabulary and not reading(trial, lambda logits: logits.transpose(1, 2)):
        raise Wrong(
            f"policy.logits are [N, V, T], not [N, T, V] (T and V are {trial.length}): "
            "give logits.transpose(1, 2)"
        )
    sentence = LATER if LATER in found else OWN
    advice = {
        OWN: "shift the input by one: a start token first, the last token left out",
        LATER: "a causal mask is missing, or the network reads in both directions",
    }[sentence]
    seen = ", ".join(map(str, found[sentence][:8]))
    raise Wrong(f"{sentence} (seen at t = {seen}); they may know the tokens before t alone: {advice}")


def steep(trial: Trial) -> None:
    """Derivatives by the parameters are numbers.

    Raises:
        Wrong: they are not.
    """
    found = slopes(with_graph(trial, trial.tokens, lambda logits: logits))
    if not all(slope.isfinite().all() for slope in found.values()):
        raise Wrong(
            "derivatives of policy.logits by its parameters are NaN or infinite: forbid tokens by "
            ".masked_fill(forbidden, -torch.inf) of logits that are finite, not by the logarithm of 0"
        )


def reading(trial: Trial, turn: Turn) -> dict[str, list[int]]:
    """List the places whose token is known where it must not be, under the sentence that says where."""
    found: dict[str, list[int]] = {}
    for t in trial.places():
        changed = trial.tokens.clone()
        step = torch.randint(1, max(2, trial.vocabulary), (trial.rows,), generator=trial.generator)
        changed[:, t] = (changed[:, t] + step.to(changed.device)) % trial.vocabulary
        plain, other = (with_graph(trial, tokens, turn) for tokens in (trial.tokens, changed))
        if unlike(plain[:, t : t + 1], other[:, t : t + 1], trial.dtype):
            found.setdefault(OWN, []).append(t)
        if t and unlike(plain[:, :t], other[:, :t], trial.dtype):
            found.setdefault(LATER, []).append(t)
    return found


def with_graph(trial: Trial, tokens: Tensor, turn: Turn) -> Tensor:
    """Give log-probabilities [N, T, V] with their graph."""
    with torch.enable_grad():
        logits = ask(f"policy.logits(tokens {list(tokens.shape)})", trial.policy.logits, tokens)
        return wide(turn(logits)).log_softmax(-1)


def unlike(a: Tensor, b: Tensor, dtype: torch.dtype) -> bool:
    """Tell whether two computations of the same differ, in value or in their derivatives by all leaves."""
    if differ(a.detach(), b.detach(), dtype).any():
        return True
    first, second = slopes(a), slopes(b)
    scale = max((g.abs().max().item() for g in first.values() if g.numel()), default=0.0)
    both = [(first[leaf], second[leaf]) for leaf in first if leaf in second]
    return any(bool(((one - two).abs() > closeness(dtype) * scale).any()) for one, two in both)


def slopes(log_probs: Tensor) -> dict[Tensor, Tensor]:
    """Differentiate a weighted sum of log-probabilities [N, t, V] by every leaf that it comes from."""
    if not log_probs.requires_grad:
        return {}
    own = leaves(log_probs)
    weights = torch.arange(log_probs[0].numel(), device=log_probs.device, dtype=log_probs.dtype).cos()
    terms = torch.where(log_probs == -torch.inf, 0, log_probs).flatten(1) * weights
    found = torch.autograd.grad(terms.sum(), own, retain_graph=True, allow_unused=True)
    return {leaf: g.to_dense() for leaf, g in zip(own, found, strict=True) if g is not None}


def leaves(x: Tensor) -> list[Tensor]:
    """Find the tensors that a graph begins with."""
    found, seen, stack = [], set(), [x.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        stack.extend(parent for parent, _ in node.next_functions)
    return found
