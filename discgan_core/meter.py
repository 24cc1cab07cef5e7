"""Wrappers that count what an estimator asks of the models, so that it cannot misreport its cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import offers
from discgan_core.contexts import contexts_of
from discgan_core.interface import Continue, Judge, Params, Policy, Reward
from discgan_core.policies import log_probs_of_all

Phase = Callable[[str], AbstractContextManager[object]]
"""Opens a context in which time is spent on the phase named; see `discgan_core.training`."""


def untimed(name: str) -> AbstractContextManager[object]:
    """Keep no time."""
    return nullcontext()


class Calls(NamedTuple):
    """Sequences that passed through each model; one step from a shared prefix counts 1/T of a sequence."""

    generator: float = 0.0
    discriminator: float = 0.0

    def __add__(self, other: Calls) -> Calls:  # type: ignore[override]
        """Add up both counts."""
        return Calls(self.generator + other.generator, self.discriminator + other.discriminator)

    def times(self, factor: float) -> Calls:
        """Repeat both counts."""
        return Calls(self.generator * factor, self.discriminator * factor)


class Meter:
    """Counts calls, and the whole sequences among them that were written, by sampling or token by token."""

    def __init__(self) -> None:
        self.calls = Calls()
        self.sampled = self.unrolled = 0

    @property
    def sequences(self) -> int:
        """Those written; a sample that is read again token by token, as straight-through does, is one."""
        return max(self.sampled, self.unrolled)


class MeteredPolicy:
    """A policy whose samples and likelihoods are counted, and whose sampling is timed apart."""

    def __init__(self, policy: Policy, meter: Meter, phase: Phase = untimed) -> None:
        self.policy, self.meter, self.phase = policy, meter, phase
        self.length, self.vocabulary = policy.length, policy.vocabulary
        self.params, self.device = policy.params, getattr(policy, "device", None)
        self.contexts, self.context = contexts_of(policy), getattr(policy, "context", ())

    def sample(self, uniforms: Tensor) -> Tensor:
        """Sample, as the policy does."""
        self.meter.calls += Calls(generator=len(uniforms))
        self.meter.sampled += len(uniforms)
        with self.phase("sampling"):
            return self.policy.sample(uniforms)

    def logits(self, tokens: Tensor) -> Tensor:
        """Predict, as the policy does."""
        self.meter.calls += Calls(generator=len(tokens))
        return self.policy.logits(tokens)

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Run token by token, as the policy does."""
        self.meter.calls += Calls(generator=batch)
        self.meter.unrolled += batch
        return self.policy.unroll(batch, token)

    def after(self, tokens: Tensor) -> Continue:
        """Go on from prefixes, as the policy does: every token that follows is one step."""
        self.meter.calls += Calls(generator=len(tokens))
        go_on = self.policy.after(tokens)

        def counted(t: int, choices: Tensor, uniforms: Tensor) -> Tensor:
            self.meter.calls += Calls(generator=choices.numel() * uniforms.shape[-1] / self.length)
            with self.phase("sampling"):
                return go_on(t, choices, uniforms)

        return counted

    def of_all(self, start: Sequence[int]) -> Tensor:
        """Give log p of all sequences that begin so, as the policy does."""
        found = log_probs_of_all(self.policy, start, self.contexts)
        self.meter.calls += Calls(generator=len(found))
        return found

    def __getattr__(self, name: str) -> Any:
        """Give `first_order` if the policy has it: it reads no sequences."""
        if name == "first_order" and offers(self.policy, name, "logits"):
            return getattr(self.policy, name)
        raise AttributeError(name)

    def at(self, params: Params) -> MeteredPolicy:
        """Give the policy with other parameters, counted together with this one."""
        return MeteredPolicy(self.policy.at(params), self.meter, self.phase)


class MeteredReward:
    """A reward whose judgements are counted; `like` is of the size [..., V] and type of its vectors."""

    def __init__(self, reward: Reward, meter: Meter, like: Tensor) -> None:
        self.reward, self.meter, self.like = reward, meter, like
        self.contexts, self.context = contexts_of(reward), getattr(reward, "context", ())

    def __call__(self, x: Tensor) -> Tensor:
        """Judge, as the reward does."""
        self.meter.calls += Calls(discriminator=len(x))
        return self.reward(x)

    def __getattr__(self, name: str) -> Any:
        """Give an automaton's `expected`: it reads no sequences."""
        if name == "expected" and offers(self.reward, name, "__call__", "of_tokens"):
            return getattr(self.reward, name)
        raise AttributeError(name)

    def of_tokens(self, tokens: Tensor) -> Tensor:
        """Judge tokens, as the reward does."""
        self.meter.calls += Calls(discriminator=len(tokens))
        return rewards.of_tokens(self.reward, tokens, self.like)

    def log_odds(self, x: Tensor) -> Tensor:
        """Give the odds, as the reward does."""
        self.meter.calls += Calls(discriminator=len(x))
        return rewards.log_odds(self.reward, x)

    def of_all(self, length: int, start: Sequence[int]) -> Tensor:
        """Judge all sequences that begin so, as the reward does."""
        f = rewards.of_all(self.reward, length, start, self.like, self.contexts)
        self.meter.calls += Calls(discriminator=len(f))
        return f

    def along(self, x: Tensor, relaxed: Tensor) -> tuple[Tensor, Tensor]:
        """Judge prefixes, as the reward does: each relaxed token is one step."""
        self.meter.calls += Calls(discriminator=len(x) * (1 + len(relaxed)))
        return rewards.along(self.reward, x, relaxed)

    def after(self, tokens: Tensor) -> Judge:
        """Judge what follows prefixes, as the reward does: every token that follows is one step."""
        self.meter.calls += Calls(discriminator=len(tokens))
        judge = rewards.after(self.reward, tokens, self.like)

        def counted(t: int, rest: Tensor) -> Tensor:
            self.meter.calls += Calls(discriminator=rest.numel() / tokens.shape[1])
            return judge(t, rest)

        return counted
