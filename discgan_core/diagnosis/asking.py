"""Asking what a user wrote: what it raises becomes a finding; what it gives is compared with tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from discgan_core.checks import whole
from discgan_core.contexts import contexts_of
from discgan_core.interface import Need, Policy, Reward
from discgan_core.models.from_logits import device_of
from discgan_core.sequences import one_hot

ROWS, ELEMENTS = 24, 200_000
"""Sequences of a batch, fewer where their unit vectors have more elements than this, but `FEWEST`."""
FEWEST = 4

Key = Need | str
"""What an estimator may ask for: a need, or noise, of which `tokens` samples and `rollouts` goes on."""


class Wrong(Exception):
    """Something is wrong with a policy or a reward; the message is the finding."""


class Found(NamedTuple):
    """What there is to say of a policy or a reward.

    Attributes:
        findings: what is wrong, a sentence each.
        lacks: why something cannot be had of it.
        about: what it is, in a line.
        sound: whether it can be used at all.
    """

    findings: list[str]
    lacks: dict[Key, str]
    about: str
    sound: bool = True


def ask(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the user's.

    Raises:
        Wrong: it raised something.
    """
    try:
        return function(*arguments)
    except Wrong:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or ["without a word"]
        raise Wrong(f"{what} raised {type(error).__name__}: {lines[0][:200]}") from error


def findings(checks: Iterable[Callable[..., None]], *arguments: Any) -> Iterator[str]:
    """Give what the checks that raise `Wrong` say, one after the other."""
    return (said for check in checks if (said := finding(check, *arguments)))


def finding(check: Callable[..., None], *arguments: Any) -> str:
    """Give what a check says that raises `Wrong`; "" of one that does not."""
    try:
        ask(f"looking at it ({check.__name__})", check, *arguments)
    except Wrong as wrong:
        return str(wrong)
    return ""


def described(x: object) -> str:
    """Say what a user's function gave: "float32 [4, 1]", "a list"."""
    if not isinstance(x, Tensor):
        return f"a {type(x).__name__}"
    return f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"


def closeness(dtype: torch.dtype) -> float:
    """Give the relative difference that rounding may make: 5e-5 in float32."""
    return max(1e-7, 8 * torch.finfo(dtype).eps ** 0.75)


def differ(a: Tensor, b: Tensor, dtype: torch.dtype, unit: Tensor | float = 1.0) -> Tensor:
    """Tell where two tensors of one shape differ by more than a type's rounding of a + unit."""
    same = (a == b) | (a.isnan() & b.isnan())
    return ~(same | ((a - b).abs() <= closeness(dtype) * (unit + a.abs())))


def device(policy: Policy) -> torch.device:
    """Find where a policy computes."""
    owner: Any = policy if isinstance(policy, nn.Module) else policy.logits
    return torch.device(
        getattr(policy, "device", None) or device_of(owner, getattr(policy, "params", None) or {})
    )


class Trial:
    """Batches to ask a policy and a reward with, always of as many rows as both their contexts divide.

    Args:
        policy: whose length, vocabulary and device they are.
        reward: for its contexts.

    Raises:
        Wrong: the policy lacks one of them.
        ValueError: they are no sizes.
    """

    def __init__(self, policy: Policy, reward: Reward) -> None:
        for name in ("logits", "length", "vocabulary"):
            if not hasattr(policy, name):
                raise Wrong(f"policy has no `{name}`: `models.from_logits.FromLogits` makes one")
        whole("policy", 1, length=policy.length, vocabulary=policy.vocabulary)
        self.policy, self.reward = policy, reward
        self.length, self.vocabulary, self.device = policy.length, policy.vocabulary, device(policy)
        self.unit = math.lcm(contexts_of(policy), contexts_of(reward))
        self.large = FEWEST * self.length * self.vocabulary > ELEMENTS
        self.generator = torch.Generator().manual_seed(0)
        few = max(FEWEST, min(ROWS, ELEMENTS // (self.length * self.vocabulary)))
        self.rows = math.ceil(few / self.unit) * self.unit
        while self.rows in (1, self.length, self.vocabulary):  # shapes are told apart by their sizes
            self.rows += self.unit
        self.dtype, self.tokens = torch.float32, self.any_tokens()

    @property
    def wide(self) -> torch.dtype:
        """Give the type in which rewards are asked, the policy's or float32."""
        return torch.promote_types(self.dtype, torch.float32)

    def any_tokens(self) -> Tensor:
        """Draw tokens that know nothing of the policy, [N, T]."""
        shape = (self.rows, self.length)
        return torch.randint(self.vocabulary, shape, generator=self.generator).to(self.device)

    def uniforms(self, *shape: int) -> Tensor:
        """Draw uniforms, of the policy's type or float32."""
        draws = torch.rand(*shape, generator=self.generator, dtype=self.wide)
        tiny = torch.finfo(draws.dtype).eps / 4
        return draws.clamp(tiny, 1 - 2 * tiny).to(self.device)

    def vectors(self, tokens: Tensor) -> Tensor:
        """Give unit vectors of tokens, of the type in which a reward is asked."""
        return one_hot(tokens, self.vocabulary, self.wide)

    def relaxed(self, sharpness: float = 2.0) -> Tensor:
        """Draw points of the simplex, [N, T, V]."""
        shape = (self.rows, self.length, self.vocabulary)
        z = torch.randn(*shape, generator=self.generator, dtype=self.wide)
        return (sharpness * z).softmax(-1).to(self.device)

    def places(self) -> list[int]:
        """Choose places to look at: all, or some where that takes long."""
        most = 4 if self.large else 32
        if self.length <= most:
            return list(range(self.length))
        return sorted({round(i * (self.length - 1) / (most - 1)) for i in range(most)})

    def judged(self, x: Tensor, graph: bool = False) -> Tensor:
        """Ask the reward, [N]; without a gradient, unless its graph is asked for.

        Raises:
            Wrong: it gives something else.
        """
        asked = f"reward({described(x)})"
        with torch.set_grad_enabled(graph):
            f = ask(asked, self.reward, x)
        if isinstance(f, Tensor) and f.is_floating_point() and f.shape == (len(x),):
            return f
        raise Wrong(
            f"{asked} gives {described(f)}; it must give floating-point numbers [{len(x)}]{mend(f, x)}"
        )


def mend(f: object, x: Tensor) -> str:
    """Say what makes a reward of what was given in its place."""
    if isinstance(f, (list, tuple)):
        return ": torch.stack makes one tensor of a list"
    if not isinstance(f, Tensor):
        return ": give one tensor"
    advice = {
        (): "one for each sequence, no mean or sum over the batch",
        (len(x), 1): "give f.squeeze(-1)",
        (len(x), x.shape[1]): "one for each sequence: give f.sum(1), or a mean",
        (len(x),): "give f.to(x.dtype)",
    }
    return f": {advice[tuple(f.shape)]}" if tuple(f.shape) in advice else ""


Unlike = Callable[[Tensor, Tensor], Tensor]
"""Tells where two tensors differ."""


def row_that_moves(trial: Trial, tokens: Tensor, function: Callable[[Tensor], Tensor], unlike: Unlike) -> str:
    """Say what changes a row of a function of tokens beside its own tokens, or nothing."""
    plain = function(tokens)
    for kept in (0, trial.rows - 1):
        others = trial.any_tokens()
        others[kept] = tokens[kept]
        if unlike(plain, function(others))[kept].any():
            return "the other rows of its batch"
    doubled = function(tokens.repeat_interleave(2, 0))[::2]
    return "the number of rows" if unlike(plain, doubled).any() else ""
