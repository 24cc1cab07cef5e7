"""Policies of a few numbers, and whether an estimator's draws agree with the enumerated gradient for them."""

import numpy as np
import torch
from torch.func import grad

from bench.contract.referee import ALPHA, compare
from discgan_core import estimators, exact
from discgan_core.accuracy import flatten
from discgan_core.contexts import given
from discgan_core.gradients import Problem, draw_gradients
from discgan_core.interface import Need
from discgan_core.models.from_logits import FromLogits
from discgan_core.sequences import one_hot

ALL = estimators.available()
UNBIASED = [name for name in ALL if estimators.make(name).unbiased and name != "exact"]
DERIVATIVE = [name for name in ALL if Need.DERIVATIVE in estimators.make(name).needs]
DATA = [name for name in ALL if Need.DATA in estimators.make(name).needs]
V, T = 4, 3


def table(seed=0, contexts=0, dtype=torch.float64):
    """Logits of a token by the one before, [V + 1, V]; row V is of the first; one table for each context."""
    shape = (contexts, V + 1, V) if contexts else (V + 1, V)
    values = np.random.default_rng(seed).normal(size=shape)
    return {"table": torch.from_numpy(values).to(dtype)}


def before(x):
    """What is read before each place, [N, t, V + 1]: the token before, or the start; of tokens or vectors."""
    if not x.is_floating_point():
        x = one_hot(x, V, torch.float64)
    start = torch.nn.functional.pad(torch.zeros_like(x[:, :1]), (0, 1), value=1)
    return torch.cat([start, torch.nn.functional.pad(x[:, :-1], (0, 1))], 1)


def policy(theta, context=None, mask=None, length=T):
    """A first-order chain; tables of contexts are chosen by their number."""

    def logits(x, c=None):
        rows = theta["table"] if c is None else theta["table"][c]
        found = before(x).to(rows.dtype) @ rows
        return found if mask is None else found.masked_fill(mask, -torch.inf)

    ask = logits if context is None else given(logits, context)
    return FromLogits(ask, length, V, ask, theta, lambda th: policy(th, context, mask, length))


def smooth(x, c=0.0):
    """A differentiable reward in (0, 1) of sequences and prefixes, which a context may change."""
    weights = torch.linspace(-1, 1, V, dtype=x.dtype, device=x.device)
    places = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
    each = ((x @ weights) * places).sum(-1)
    return (each + c * (x[:, -1] @ weights.square())).sigmoid() * 0.9 + 0.05


def uniforms(estimator, rows, rng, length=T, dtype=torch.float64):
    shapes = estimator.noise(length, V)
    draws = {name: rng.uniform(1e-12, 1 - 1e-12, size=(rows, *shape)) for name, shape in shapes.items()}
    return {name: torch.from_numpy(u).to(dtype) for name, u in draws.items()}


def truth(aim, theta):
    return grad(lambda th: exact.expected_reward(aim.policy(th, {}), aim.reward({})))(theta)


def draws_of(estimator, aim, theta, draws=20_000, seed=0, beside=None, length=T):
    """Per-draw gradients, [draws, parameters]; `beside` goes with the noise, one row for each draw."""
    rng, size = np.random.default_rng(seed), estimator.samples_per_draw
    noise = uniforms(estimator, draws * size, rng, length)
    noise |= {name: rows.repeat_interleave(size, 0) for name, rows in (beside or {}).items()}
    state = estimator.init(aim.policy(theta, noise), rng)
    return flatten(draw_gradients(estimator, aim, theta, noise, state)[0], 1).numpy()


def require_agreement(estimator, aim, theta, exactly, **options):
    """A right estimator fails once in 10,000."""
    sample = draws_of(estimator, aim, theta, **options)
    assert np.isfinite(sample).all()
    found = compare(sample, flatten(exactly).numpy(), 1, np.random.default_rng(1))
    assert found.p_value > ALPHA, found


def problem(reward=smooth, **options):
    return Problem(lambda theta, noise: policy(theta, **options), lambda noise: reward)
