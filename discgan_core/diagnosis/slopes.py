"""Whether torch's derivative of a reward is its derivative.

    f(b) - f(a) = integral over s from 0 to 1 of grad f(a + s (b - a)) . (b - a)

along the segment between two points of the simplex. An argmax, a threshold or a straight-through trick has
jumps on the left which no derivative on the right knows of.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from discgan_core.diagnosis.asking import Key, Trial, Wrong, closeness
from discgan_core.interface import Need

SHARE = 0.1
"""Of a difference, at most, that an integral by midpoints may miss."""
PIECE = 4_000_000
"""Elements of points judged at once, about."""
NONE = "reward has no derivative in torch (an argmax, a threshold, a table, no_grad or .detach() cuts it off)"


def derivative(trial: Trial, hard: Tensor, lacks: dict[Key, str]) -> None:
    """Compare a reward's differences with what its derivative makes of them.

    Raises:
        Wrong: it has a derivative in torch, which is not its derivative.
    """
    x, y = trial.vectors(hard), trial.relaxed()
    try:
        slope = slope_at(trial, y)
    except Wrong as wrong:
        lacks[Need.DERIVATIVE] = f"reward is not of relaxed vectors ({wrong})"
        return
    if slope is None:
        lacks[Need.DERIVATIVE] = NONE
        return
    lacks[Need.DERIVATIVE] = "reward's derivative is wrong"
    for point, where in ((y, "relaxed vectors"), (x, "unit vectors")):
        slope = slope_at(trial, point)
        if slope is None or not slope.isfinite().all():
            raise Wrong(
                f"reward's derivative is NaN or infinite at {where}: keep logarithms, roots and divisions "
                "away from 0"
            )
    others = trial.vectors(hard.roll(1, 1) if trial.length > 1 else trial.any_tokens())
    for a, b in ((x, y), (y, trial.relaxed(1.0)), (x, others)):
        compare(trial, a, b)
    del lacks[Need.DERIVATIVE]


def slope_at(trial: Trial, x: Tensor) -> Tensor | None:
    """Give grad f(x), [N, T, V], or None where torch has none."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        f = trial.judged(x, graph=True)
        if not f.requires_grad:
            return None
        (slope,) = torch.autograd.grad(f.sum(), x, allow_unused=True)
    return slope


class Sides(NamedTuple):
    """Of the equation above, for every row.

    Attributes:
        difference: f(b) - f(a).
        integral: by midpoints, which lie close at both ends, where a logarithm is steep.
        size: of the integrand, the integral of its absolute value.
        slack: what rounding may make.
    """

    difference: Tensor
    integral: Tensor
    size: Tensor
    slack: Tensor

    def off(self) -> Tensor:
        """Tell which rows do not agree."""
        most = SHARE * torch.maximum(self.difference.abs(), self.size) + self.slack
        return ~((self.difference - self.integral).abs() <= most)


def compare(trial: Trial, a: Tensor, b: Tensor) -> None:
    """Refuse a reward whose two sides differ, by few midpoints and by many."""
    few, many = (8, 64) if trial.large else (64, 512)
    if not sides(trial, a, b, few).off().any():
        return
    found = sides(trial, a, b, many)
    if not found.off().any():
        return
    n = int(found.off().nonzero()[0])
    if not found.size.any():
        raise Wrong(
            f"torch's derivative of reward is zero though the reward changes, by {found.difference[n]:.3g} "
            "between two points: an argmax, a sign or a rounding has none; make it smooth, or take an "
            "estimator that needs none"
        )
    raise Wrong(
        f"torch's derivative of reward does not add up to its differences, {found.integral[n]:.3g} for "
        f"{found.difference[n]:.3g} between two points: no jumps, straight-through tricks or .detach() in it"
    )


def sides(trial: Trial, a: Tensor, b: Tensor, midpoints: int) -> Sides:
    """Compute both sides for segments from a to b, [N, T, V] both."""
    step = b - a
    u = (torch.arange(midpoints, dtype=torch.double) + 0.5) / midpoints
    s, weights = u**3 * (10 - 15 * u + 6 * u**2), 30 * (u * (1 - u)) ** 2
    pieces = s.to(a.device, a.dtype).split(max(1, PIECE // a.numel()))
    terms = torch.cat([slopes_along(trial, a, step, piece) for piece in pieces], 1) * weights
    start, end = trial.judged(a).cpu(), trial.judged(b).cpu()
    rounding = closeness(start.dtype) * torch.maximum(start.abs(), end.abs()).max()
    size, slack = terms.abs().mean(1), rounding.double().clamp(min=1e-30)
    return Sides((end - start).double(), terms.mean(1), size, slack)


def slopes_along(trial: Trial, a: Tensor, step: Tensor, places: Tensor) -> Tensor:
    """Give grad f(a + s (b - a)) . (b - a), [N, S], at several s."""
    points = a[:, None] + places[:, None, None] * step[:, None]
    slope = slope_at(trial, points.flatten(0, 1))
    if slope is None:
        return torch.zeros(len(a), len(places), dtype=torch.double)
    return (slope.unflatten(0, points.shape[:2]) * step[:, None]).flatten(2).sum(-1).cpu().double()
