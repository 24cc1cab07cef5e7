"""Whether the mean of many draws is the exact gradient, and how large a bias would have been seen.

Two tests share one rate of false alarms. Along the gradient g the error has one number, and a z test sees
a wrong factor best. Elsewhere draws are projected on random directions in the space of all parameters, scaled
so that each parameter's standard error counts the same; Hotelling's T^2 then has an F distribution.

How often each sequence was drawn is chance whose mean is known exactly. What of the draws goes with
it, by regression, is taken off: of REINFORCE nothing is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

DIRECTIONS = 24
ALPHA = 1e-4
"""A true estimator fails one verdict in 10,000."""
SEEN = 0.99
"""The chance at which a bias counts as one that would have been seen."""
ROUNDING = 1e-9
"""What rounding may make of a gradient, relative to its norm."""


class Verdict(NamedTuple):
    """How an estimator's mean compares with the truth."""

    p_value: float  # of "the mean is the exact gradient", both tests together
    relative_bias: float  # |mean - g| / |g|
    relative_noise: float  # what sampling error alone would give
    along: float  # the error along the exact gradient, relative to |g|
    z: float  # the same in standard errors
    power: float  # the bias along g, relative to |g|, that is seen with probability `SEEN`
    variance: float  # per sequence, relative to |g|^2
    draws: int


class Batch(NamedTuple):
    """Some draws.

    Attributes:
        gradients: [draws, parameters].
        known: numbers of each draw whose mean is known to be zero, [draws, m].
        sequences: that each draw takes.
    """

    gradients: np.ndarray
    known: np.ndarray
    sequences: int


class Sample:
    """Draws held against the truth.

    Args:
        truth: g, [parameters].
        some: draws by whose spread directions are scaled, [draws, parameters].
        rng: of the directions.
    """

    def __init__(self, truth: np.ndarray, some: np.ndarray, rng: np.random.Generator) -> None:
        self.truth, self.size = truth, float(np.linalg.norm(truth))
        self.varies = len(some) > 1 and bool(np.ptp(some, axis=0).max() > 1e-12)
        scale = np.maximum(some.std(0), 1e-12)[:, None] if self.varies else 1.0
        scattered = rng.normal(size=(len(truth), DIRECTIONS)) / scale
        self.directions = np.concatenate([truth[:, None] / self.size**2, scattered], 1)
        self.errors: list[np.ndarray] = []
        self.known: list[np.ndarray] = []
        self.count, self.sequences, self.sum, self.squares = 0, 1, np.zeros_like(truth), np.zeros_like(truth)

    def add(self, batch: Batch) -> None:
        """Take more draws in."""
        error = batch.gradients - self.truth
        self.errors.append(error @ self.directions)
        self.known.append(batch.known)
        self.sequences = batch.sequences
        self.count += len(error)
        self.sum += error.sum(0)
        self.squares += np.square(error).sum(0)

    def verdict(self) -> Verdict:
        """Test the mean of the draws so far."""
        mean = self.sum / self.count
        bias = float(np.linalg.norm(mean) / self.size)
        if not self.varies:
            along = float(mean @ self.truth / self.size**2)
            return Verdict(float(bias < ROUNDING), bias, 0.0, along, 0.0, ROUNDING, 0.0, self.count)
        variance = float((self.squares / self.count - np.square(mean)).sum() / self.size**2)
        raw = np.concatenate(self.errors)
        errors = adjusted(raw, np.concatenate(self.known))
        noise = float(np.hypot(errors[:, 0].std(ddof=1) / np.sqrt(self.count), ROUNDING))
        along = float(errors[:, 0].mean())
        z = along / noise
        elsewhere = hotelling(errors[:, 1:], ROUNDING * float(raw[:, 1:].std(0).max()))
        return Verdict(
            p_value=min(1.0, 2 * min(2 * float(stats.norm.sf(abs(z))), elsewhere)),
            relative_bias=bias,
            relative_noise=float(np.sqrt(variance / self.count)),
            along=along,
            z=z,
            power=noise * float(stats.norm.isf(ALPHA / 4) + stats.norm.isf(1 - SEEN)),
            variance=variance * self.sequences,
            draws=self.count,
        )


def compare(draws: np.ndarray, truth: np.ndarray, sequences: int, rng: np.random.Generator) -> Verdict:
    """Test draws [n, parameters] of so many sequences each, of which nothing else is known."""
    sample = Sample(truth, draws, rng)
    sample.add(Batch(draws, np.zeros((len(draws), 0)), sequences))
    return sample.verdict()


def adjusted(errors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Take off errors [n, k] what goes with numbers of mean zero [n, m]; their mean stays what it is."""
    if not known.shape[1]:
        return errors
    apart = known - known.mean(0)
    slopes = np.linalg.solve(apart.T @ apart, apart.T @ (errors - errors.mean(0)))
    rest: np.ndarray = errors - known @ slopes
    return rest


def hotelling(errors: np.ndarray, rounding: float = 0.0) -> float:
    """Test whether rows of errors [n, k] have mean zero; few distinct sequences fill fewer dimensions.

    Where the errors do not vary at all, a mean other than zero is certain to be none of sampling's.

    Args:
        errors: of draws, along some directions.
        rounding: what their mean may be off by.
    """
    count, mean = len(errors), errors.mean(0)
    values, vectors = np.linalg.eigh(np.cov(errors.T))
    values = values + count * rounding**2
    varies = values > 1e-10 * values.max()
    part = vectors.T @ mean
    if (np.abs(part[~varies]) > 1e-4 * np.sqrt(values.max())).any():
        return 0.0
    rank = int(varies.sum())
    t_squared = count * (part[varies] ** 2 / values[varies]).sum()
    return float(stats.f.sf(t_squared * (count - rank) / (rank * (count - 1)), rank, count - rank))
