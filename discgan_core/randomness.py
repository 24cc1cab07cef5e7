"""Seeded streams: one per session and purpose, so that no number depends on who runs beside whom.

A stream's seed comes from the study, the session and the purpose, never from the estimator: all
estimators meet the same initial parameters, data, order and sampling noise, and are compared in pairs.

Streams make sessions independent of one another up to the last digit of a transcendental function,
which torch computes by other code for what is left over of a tensor after its last whole vector of 32.
Batches and draws in multiples of 32 leave nothing over, so a session's numbers are the same bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from discgan_core.checks import ragged, unsupported, whole, wide
from discgan_core.interface import Estimator, Policy
from discgan_core.policies import like

TINY = 2.0**-25
"""Uniforms are kept this far from 0 and 1: a Gumbel variable of infinity becomes NaN in one step."""


def seeded(generator: np.random.Generator | None) -> np.random.Generator:
    """Give the generator, or in place of None one that is seeded from torch's global one."""
    return generator or np.random.default_rng(int(torch.randint(2**62, ())))


class Streams:
    """The streams of a stack of sessions.

    Args:
        study: what the sessions belong to, e.g. "grammar/15"; other studies have other streams.
        sessions: their numbers.
        device: where tensors are made.
    """

    def __init__(self, study: str, sessions: Sequence[int], device: str = "cpu") -> None:
        self.study, self.sessions, self.device = study, tuple(sessions), device
        self._open: dict[str, list[np.random.Generator]] = {}

    def generators(self, purpose: str) -> list[np.random.Generator]:
        """Give the stream of each session for a purpose; asked again, it goes on where it was."""
        if purpose not in self._open:
            self._open[purpose] = [self._seeded(session, purpose) for session in self.sessions]
        return self._open[purpose]

    def _seeded(self, session: int, purpose: str) -> np.random.Generator:
        text = f"{self.study}/{session}/{purpose}"
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.SFC64(seed))

    def uniforms(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Draw uniforms in (0, 1), [sessions, *shape], in float32."""
        draws = np.empty((len(self.sessions), *shape), np.float32)
        for row, generator in zip(draws, self.generators(purpose), strict=True):
            generator.random(out=row, dtype=np.float32)
        return torch.from_numpy(draws.clip(TINY, 1 - 2 * TINY)).to(self.device)

    def integers(self, purpose: str, high: int, shape: Sequence[int]) -> Tensor:
        """Draw integers in [0, high), [sessions, *shape]."""
        draws = np.stack([g.integers(high, size=shape) for g in self.generators(purpose)])
        return torch.from_numpy(draws).to(self.device)

    def noise(
        self, shapes: dict[str, tuple[int, ...]], batch: int, purpose: str = "noise"
    ) -> dict[str, Tensor]:
        """Draw the uniforms that an estimator asks for: name -> [sessions, batch, ...]."""
        return {name: self.uniforms(f"{purpose}/{name}", (batch, *shape)) for name, shape in shapes.items()}


def noise_for(
    estimator: Estimator, policy: Policy, samples: int, generator: torch.Generator | None = None
) -> dict[str, Tensor]:
    """Draw the uniforms of one batch for a policy of your own, of its type (float32 at least) and device.

    Args:
        estimator: which asks for them.
        policy: its length and vocabulary.
        samples: N, a multiple of the estimator's `samples_per_draw`.
        generator: torch's, or None for the global one.

    Returns:
        name -> uniforms in (0, 1), [N, ...].

    Raises:
        ValueError: N is no such multiple, or the estimator cannot run there.
    """
    whole("noise_for", 1, samples=samples)
    if not estimator.supports(policy.length, policy.vocabulary):
        raise ValueError(unsupported("this estimator", policy.length, policy.vocabulary))
    if samples % estimator.samples_per_draw:
        raise ValueError(ragged("this estimator", samples, estimator.samples_per_draw))
    own = wide(like(policy))
    return {
        name: uniform((samples, *shape), own, generator)
        for name, shape in estimator.noise(policy.length, policy.vocabulary).items()
    }


def uniform(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw uniforms in (0, 1) of the type and on the device of `like`, where the generator is or not."""
    tiny = torch.finfo(like.dtype).eps / 4
    device = generator.device if generator else like.device
    draws = torch.rand(*shape, generator=generator, dtype=like.dtype, device=device)
    return draws.clamp(tiny, 1 - 2 * tiny).to(like.device)
