"""What is wrong with a policy and a reward of your own, in words, and which estimators they serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from textwrap import fill
from typing import NamedTuple

from discgan_core import estimators
from discgan_core.diagnosis.asking import Found, Trial, Wrong, ask
from discgan_core.diagnosis.policies import of_policy
from discgan_core.diagnosis.rewards import of_reward
from discgan_core.interface import Need, Policy, Reward

WIDTH = 110
"""Of a line of print."""


class Service(NamedTuple):
    """What an estimator would find.

    Attributes:
        name: of the estimator.
        unbiased: whether it is.
        with_data: whether it learns from real sequences, which the caller gives.
        lacks: why it cannot run, reason by reason; empty if it can.
    """

    name: str
    unbiased: bool
    with_data: bool
    lacks: tuple[str, ...] = ()


class Diagnosis(NamedTuple):
    """What `check` found; print it.

    Attributes:
        findings: what is wrong, each in a sentence with what to do.
        serves: every estimator that there is, and what it lacks.
        about: what policy and reward are, a line each.
    """

    findings: tuple[str, ...]
    serves: tuple[Service, ...]
    about: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings

    @property
    def served(self) -> tuple[str, ...]:
        """Name the estimators that can run."""
        return tuple(service.name for service in self.serves if not service.lacks)

    def __str__(self) -> str:
        lines = [*self.about, *self._wrong(), *self._served(), *self._others()]
        return "\n".join(fill(line, WIDTH, subsequent_indent="    ") for line in lines)

    def _wrong(self) -> Iterable[str]:
        if self.ok:
            return ["nothing wrong was found"]
        return [f"wrong: {finding}" for finding in self.findings]

    def _served(self) -> Iterable[str]:
        able = [service for service in self.serves if not service.lacks]
        groups = {
            "serves, unbiased": [s.name for s in able if s.unbiased and not s.with_data],
            "serves, biased": [s.name for s in able if not s.unbiased and not s.with_data],
            "serves with real sequences": [s.name for s in able if s.with_data],
        }
        lines = [f"{words}: {', '.join(names)}" for words, names in groups.items() if names]
        return lines or ["serves no estimator until that is mended"]

    def _others(self) -> Iterable[str]:
        for reason in dict.fromkeys(reason for service in self.serves for reason in service.lacks):
            names = [service.name for service in self.serves if reason in service.lacks]
            if len(names) < len(self.serves):
                yield f"{reason}: {', '.join(names)} cannot run"


def check(policy: Policy, reward: Reward) -> Diagnosis:
    """Say what is wrong with a policy and a reward, and which estimators they serve.

    Both are asked about a few small batches. What they raise is a finding, and never raised. A policy with
    noise of its own for each of a fixed number of rows (`LSTMPolicy` with `latent`) is checked without it.

    Args:
        policy: as `discgan_core.interface.Policy`; it may lack methods.
        reward: f, as `discgan_core.interface.Reward`.

    Returns:
        findings and estimators; `print(check(policy, reward))` tells all.
    """
    try:
        trial = ask("reading policy's sizes", Trial, policy, reward)
    except Wrong as wrong:
        return Diagnosis((str(wrong),), ())
    parts = (found_of(of_policy, trial, "policy"), found_of(of_reward, trial, "reward"))
    found = tuple(finding for part in parts for finding in part.findings)
    serves = tuple(service(name, trial, parts) for name in estimators.available())
    return Diagnosis(found, serves, tuple(part.about for part in parts))


def found_of(look: Callable[[Trial], Found], trial: Trial, word: str) -> Found:
    """Look at one of the two; what is raised now and then is a finding wherever it is."""
    try:
        found: Found = ask(f"looking at {word}", look, trial)
    except Wrong as wrong:
        return Found([str(wrong)], {}, f"{word}: not looked at any further", sound=False)
    return found


def service(name: str, trial: Trial, parts: Iterable[Found]) -> Service:
    """Find out what an estimator lacks."""
    estimator = estimators.make(name)
    length, vocabulary = trial.length, trial.vocabulary
    reasons = [f"{part.about.split(':')[0]} is wrong" for part in parts if not part.sound]
    if not reasons and not estimator.supports(length, vocabulary):
        reasons = [f"T = {length}, V = {vocabulary} is too large or too small"]
    if not reasons:
        asks = (*estimator.needs, *estimator.noise(length, vocabulary))
        reasons = [part.lacks[key] for key in asks for part in parts if key in part.lacks]
    return Service(name, estimator.unbiased, Need.DATA in estimator.needs, tuple(reasons))
