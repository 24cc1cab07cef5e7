"""How far draws of a gradient lie from the true one: for one draw, for many, and at an equal budget.

Sums over draws are all that is kept, [parameters] each, all parameters side by side in the order of their
names; they add up over batches of draws. Squares of noisy means are corrected for the noise in them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from discgan_core.interface import Params

TOTAL = "total"


def joined(tensors: Params, start: int = 0) -> Tensor:
    """Lay all parameters side by side in the order of their names, from axis `start` on."""
    return torch.cat([tensors[name].flatten(start) for name in sorted(tensors)], -1)


def flatten(tensors: Params, start: int = 0) -> Tensor:
    """Lay them out as `joined` does, in float64."""
    return joined(tensors, start).double()


class Moments(NamedTuple):
    """Sums over draws; they add up.

    Attributes:
        draws: how many, a scalar.
        total: sum of g_hat, [parameters].
        square: sum of g_hat^2, [parameters].
        cosine: sum of cos(g_hat, g), [groups]: of every tensor by itself, then of all parameters.
        signs: sum of the fraction of entries that have the sign of g, [groups].
    """

    draws: Tensor
    total: Tensor
    square: Tensor
    cosine: Tensor
    signs: Tensor

    def mean(self) -> Tensor:
        """Give the mean draw."""
        return self.total / self.draws

    def variance(self) -> Tensor:
        """Give the variance of one draw; a single draw is taken as free of noise."""
        spread = (self.square - self.draws * self.mean().square()).clamp(min=0)
        return spread / (self.draws - 1).clamp(min=1)


def moments(draws: Params, truth: Tensor) -> Moments:
    """Sum per-draw gradients [draws, ...] of one session, of which g is [parameters].

    In double, but for angles and signs.
    """
    flat = joined(draws, 1)
    g = truth.to(flat.dtype)
    agree = (flat.sign() == g.sign()).to(flat.dtype).sum(0)
    parts = zip(*(groups(draws, values) for values in (flat, g, agree)), strict=True)
    each = [(cosine(a, b).double().sum(), same.double().mean()) for a, b, same in parts]
    cosines, signs = (torch.stack(values) for values in zip(*each, strict=True))
    exact = flat.double()
    return Moments(exact.new_tensor(len(flat)), exact.sum(0), exact.square().sum(0), cosines, signs)


def groups(names: Params, flat: Tensor) -> list[Tensor]:
    """Take [..., parameters] apart into every tensor's, then all of them, for tensors [draws, ...]."""
    sizes = [names[name][0].numel() for name in sorted(names)]
    return [*flat.split(sizes, -1), flat]


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Give the cosine of the angle between vectors a [..., n] and b [n]; 0 for a zero vector."""
    norms = a.norm(dim=-1) * b.norm(dim=-1)
    return (a @ b) / norms.where(norms > 0, 1.0)


class Accuracy(NamedTuple):
    """What the draws of one tensor, or of all parameters, tell; scalars.

    Attributes:
        bias_squared: an unbiased estimate of |E[g_hat] - g|^2, which may come out negative.
        norm_squared: |g|^2.
        variance: of one draw, summed over the parameters.
        cosine: of the draws' mean and g.
        draw_cosine: of one draw and g, its mean.
        draw_signs: the fraction of one draw's entries that have the sign of g, its mean.
    """

    bias_squared: Tensor
    norm_squared: Tensor
    variance: Tensor
    cosine: Tensor
    draw_cosine: Tensor
    draw_signs: Tensor


def accuracy(sums: Moments, truth: Tensor, like: Params) -> dict[str, Accuracy]:
    """Compare draws with the truth, every tensor by itself and all together, as `TOTAL`.

    Args:
        sums: of the draws.
        truth: g, [parameters].
        like: named and shaped as one draw, each tensor with one axis more in front.
    """
    vectors = [groups(like, v) for v in (sums.mean(), sums.variance(), truth)]
    parts = zip([*sorted(like), TOTAL], *vectors, sums.cosine, sums.signs, strict=True)
    return {name: compare(sums.draws, *found) for name, *found in parts}


def compare(
    draws: Tensor,
    mean: Tensor,
    variance: Tensor,
    g: Tensor,
    cosines: Tensor,
    signs: Tensor,
) -> Accuracy:
    """Compare the mean of so many draws with g, [parameters] both."""
    spread = variance.sum()
    return Accuracy(
        bias_squared=(mean - g).square().sum() - spread / draws,
        norm_squared=g.square().sum(),
        variance=spread,
        cosine=cosine(mean, g),
        draw_cosine=cosines / draws,
        draw_signs=signs / draws,
    )


class AtBudget(NamedTuple):
    """What the mean of n draws would be like; scalars.

    Attributes:
        error: E|mean - g|^2 = |bias|^2 + variance / n, the mean squared error.
        cosine: about E cos(mean, g); not a number for n below 1.
        signs: the expected fraction of entries with the sign of g, for normal means; as `cosine`, and not a
            number either for an n that is not below the number of draws measured.
    """

    error: Tensor
    cosine: Tensor
    signs: Tensor


def at_budget(sums: Moments, g: Tensor, n: Tensor) -> AtBudget:
    """Predict the mean of n draws, all parameters together.

    With m = E[g_hat], V = sum of variances:  E cos = m g / (|g| sqrt(|m|^2 + V / n)),  and entry i has the
    right sign with probability Phi(sign(g_i) m_i sqrt(n) / sigma_i). Of D draws the mean is known up to
    sigma / sqrt(D); a^2 = n D / (D - n) in the place of n undoes what that does to the expectation of Phi.

    Args:
        sums: of the draws.
        g: [parameters].
        n: draws, a scalar that need not be whole.
    """
    mean, variance, count = sums.mean(), sums.variance(), sums.draws
    spread = variance.sum()
    bias = (mean - g).square().sum() - spread / count
    size = (mean.square().sum() - spread / count + spread / n).clamp(min=0).sqrt()
    sharp = torch.where(n < count, (n * count / (count - n)).abs().sqrt(), 1e300)
    right = torch.special.ndtr(g.sign() * mean * sharp / variance.sqrt().clamp(min=1e-300))
    possible = n >= 1
    return AtBudget(
        error=bias + spread / n,
        cosine=torch.where(possible, (mean @ g / (size * g.norm())).clamp(-1, 1), torch.nan),
        signs=torch.where(possible & ((n < count) | (spread == 0)), right.mean(), torch.nan),
    )
