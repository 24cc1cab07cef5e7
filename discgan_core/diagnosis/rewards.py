"""What is wrong with a reward, and what it is: with a derivative, of prefixes, positive, a probability."""

from __future__ import annotations

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
)
from discgan_core.diagnosis.slopes import derivative
from discgan_core.interface import Need

IS = {
    Need.DERIVATIVE: ("with a derivative", "without a derivative"),
    Need.PREFIXES: ("of prefixes too", "of whole sequences only"),
    Need.POSITIVE: ("positive", "not always positive"),
    Need.PROBABILITY: ("in (0, 1)", "not in (0, 1)"),
}
"""What a reward is said to be that serves a need, and one that does not."""


def of_reward(trial: Trial) -> Found:
    """Look at a reward: on sequences that the policy writes, on others, and on relaxed ones."""
    hard, lacks = varied(trial), dict[Key, str]()
    # the first finding alone: what comes after may be its consequence
    wrong = next(findings([numbers, settled, alone], trial, hard), None)
    if wrong is not None:
        return Found([wrong], lacks, "reward: not looked at any further", sound=False)
    values(trial, hard, lacks)
    found = list(findings([derivative, prefixes], trial, hard, lacks))
    own = [check for check in (of_tokens, after, log_odds) if hasattr(trial.reward, check.__name__)]
    found += findings(own, trial, hard, lacks)
    words = [IS[need][need in lacks] for need in IS]
    return Found(found, lacks, f"reward: {', '.join(words)} (on what was tried)")


def varied(trial: Trial) -> Tensor:
    """Mix tokens that the policy writes, one token throughout, and any tokens, [N, T]."""
    n = torch.arange(trial.rows, device=trial.device)[:, None]
    same = (n // 3 % trial.vocabulary).expand_as(trial.tokens)
    return torch.where(n % 3 == 0, trial.tokens, torch.where(n % 3 == 1, same, trial.any_tokens()))


def numbers(trial: Trial, hard: Tensor) -> None:
    """Rewards are numbers, and what is judged stays as it is."""
    x = trial.vectors(hard)
    f = trial.judged(x)
    if not torch.equal(x, trial.vectors(hard)):
        raise Wrong("reward changes the sequences that it is given: work on a copy, x.clone()")
    if not f.isfinite().all():
        n = int((~f.isfinite()).nonzero()[0])
        raise Wrong(
            f"reward gives {f[n].item()} for tokens {hard[n].tolist()[:12]}; it must be finite everywhere: "
            "keep logarithms and divisions away from 0"
        )


def settled(trial: Trial, hard: Tensor) -> None:
    """The same sequences have the same reward."""
    x = trial.vectors(hard)
    if unlike(trial.judged(x), trial.judged(x)).any():
        raise Wrong("reward differs between two calls with the same sequences: dropout is on? call .eval()")


def alone(trial: Trial, hard: Tensor) -> None:
    """A sequence's reward is that of its own tokens."""
    moves = row_that_moves(trial, hard, lambda tokens: trial.judged(trial.vectors(tokens)), unlike)
    if moves:
        raise Wrong(
            f"reward of a sequence depends on {moves}: normalise it with numbers fixed beforehand, not over "
            "the batch (batch normalisation? call .eval())"
        )


def values(trial: Trial, hard: Tensor, lacks: dict[Key, str]) -> None:
    """Find the range that rewards are in."""
    f = trial.judged(trial.vectors(hard))
    span = f"reward gives {f.min():.3g} to {f.max():.3g}"
    if not (f > 0).all():
        lacks[Need.POSITIVE] = f"{span}, and must be positive"
    if not ((f > 0) & (f < 1)).all() and not hasattr(trial.reward, "log_odds"):
        lacks[Need.PROBABILITY] = f"{span}, and must be in (0, 1)"


def prefixes(trial: Trial, hard: Tensor, lacks: dict[Key, str]) -> None:
    """A reward of prefixes, hard or with a relaxed token at their end, is that of its method `along`."""
    x, y = trial.vectors(hard), trial.relaxed()
    last = [x] if Need.DERIVATIVE in lacks else [x, y]
    c: list[list[Tensor]] = []
    try:
        c = [[ended(trial, x, z, t) for t in trial.places()] for z in last]
    except Wrong as wrong:
        lacks[Need.PREFIXES] = f"reward is not of prefixes ({wrong})"
    if not hasattr(trial.reward, "along"):
        return
    lacks[Need.PREFIXES] = "reward.along is wrong"
    along(trial, x, torch.stack(last), c)
    del lacks[Need.PREFIXES]


def ended(trial: Trial, x: Tensor, z: Tensor, t: int) -> Tensor:
    """Judge the prefixes s_<t with z_t after them."""
    f = trial.judged(torch.cat([x[:, :t], z[:, t : t + 1]], 1))
    if not f.isfinite().all():
        raise Wrong(f"reward of prefixes of {t + 1} is not finite")
    return f


def along(trial: Trial, x: Tensor, relaxed: Tensor, c: list[list[Tensor]]) -> None:
    """`along` gives f(x) and f of every prefix; c are these, as the reward itself gives them, if it does."""
    asked = f"reward.along(x {list(x.shape)}, relaxed {list(relaxed.shape)})"
    given = ask(asked, trial.reward.along, x, relaxed)  # type: ignore[attr-defined]
    if not isinstance(given, tuple) or len(given) != 2:
        raise Wrong(f"{asked} gives {described(given)}; it must give two tensors, f(x) and c")
    same(trial.judged(x), given[0], asked)
    shape_of(given[1], list(relaxed.shape[:3]), f"{asked}'s c")
    if c:
        plain = torch.stack([torch.stack(terms, -1) for terms in c])
        same(plain, given[1][..., trial.places()], f"{asked}'s c")


def shape_of(given: object, shape: list[int], asked: str) -> Tensor:
    """Refuse what is no tensor of this shape; without its graph."""
    if not isinstance(given, Tensor) or list(given.shape) != shape:
        raise Wrong(f"{asked} gives {described(given)}; it must give {shape}")
    return given.detach()


def same(plain: Tensor, given: object, asked: str) -> None:
    """Refuse what is not what the reward itself gives."""
    if unlike(plain, shape_of(given, list(plain.shape), asked)).any():
        raise Wrong(f"{asked} and the reward itself differ: the method must give what the reward gives")


def unlike(f: Tensor, g: Tensor) -> Tensor:
    """Tell where rewards differ by more than the rounding, in either's type, of the largest."""
    coarser = max((x.dtype for x in (f, g) if x.is_floating_point()), key=closeness)
    return differ(f, g.to(f.dtype), coarser, f.abs().max())


def of_tokens(trial: Trial, hard: Tensor, lacks: dict[Key, str]) -> None:
    """`of_tokens` gives f of the tokens' unit vectors."""
    lengths = {trial.length} if Need.PREFIXES in lacks else {trial.length, (trial.length + 1) // 2}
    for length in sorted(lengths):
        tokens = hard[:, :length]
        asked = f"reward.of_tokens(tokens {list(tokens.shape)})"
        same(trial.judged(trial.vectors(tokens)), ask(asked, trial.reward.of_tokens, tokens), asked)  # type: ignore[attr-defined]


def after(trial: Trial, hard: Tensor, lacks: dict[Key, str]) -> None:
    """`after` gives f of whole sequences, which begin with a prefix of others."""
    judge = ask(f"reward.after(tokens {list(hard.shape)})", trial.reward.after, hard)  # type: ignore[attr-defined]
    for t in sorted({0, trial.length // 2, trial.length - 1}):
        rest = torch.stack([hard[:, t:], trial.any_tokens()[:, t:]], 1)
        whole = torch.cat([hard[:, None, :t].expand(-1, 2, -1), rest], -1).flatten(0, 1)
        asked = f"reward.after(tokens)({t}, tokens {list(rest.shape)})"
        plain = trial.judged(trial.vectors(whole)).unflatten(0, rest.shape[:2])
        same(plain, ask(asked, judge, t, rest), asked)


def log_odds(trial: Trial, hard: Tensor, lacks: dict[Key, str]) -> None:
    """`log_odds` is finite, and orders sequences as the reward does, which is made of it."""
    x = trial.vectors(hard)
    f, asked = trial.judged(x), f"reward.log_odds(x {list(x.shape)})"
    lacks[Need.PROBABILITY] = "reward.log_odds is wrong"
    odds = shape_of(ask(asked, trial.reward.log_odds, x), list(f.shape), asked)  # type: ignore[attr-defined]
    if not odds.isfinite().all():
        raise Wrong(f"{asked} gives NaN or infinite numbers; it must be finite")
    steps = f[odds.argsort()].diff()
    slack = f.abs().max() * 1e-4
    if (steps < -slack).any() and (steps > slack).any():
        raise Wrong(
            f"{asked} orders sequences otherwise than the reward: it must be log D/(1-D) of the reward's D"
        )
    del lacks[Need.PROBABILITY]
