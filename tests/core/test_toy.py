"""The one-variable toy problem of the REBAR and RELAX papers, min E[(b - 0.499)^2], and its categorical form.

A single token, a single parameter (or one logit for each value), float64. Where theory has the variance of
one draw in closed form, the measured one must agree; unbiased estimators must have the mean.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from discgan_core import estimators
from discgan_core.accuracy import flatten
from discgan_core.gradients import Problem, draw_gradients
from discgan_core.models.from_logits import FromLogits

TARGET, DRAWS = 0.499, 100_000
Z = 5.0
"""Standard errors; a right estimator is refused once in 1.7 million comparisons."""
UNBIASED = [name for name in estimators.available() if estimators.make(name).unbiased and name != "exact"]
THETAS = (0.0, 0.7, -2.0)


def problem(values):
    """E[sum_v x_v (values_v - TARGET)^2]; theta are the logits of the last values, the others' are 0."""

    def policy(theta, noise):
        free = torch.cat([torch.zeros(len(values) - len(theta["logits"])).double(), theta["logits"]])
        give = lambda x: free.expand(len(x), 1, -1)  # noqa: E731
        return FromLogits(give, 1, len(values), give, theta, lambda other: policy(other, noise))

    points = torch.tensor(values, dtype=torch.float64)
    return Problem(policy, lambda noise: lambda x: (x[:, 0] @ points - TARGET) ** 2)


def drawn(name, theta, values, seed=0, **options):
    """Per-draw gradients [draws, parameters]."""
    estimator, aim, rng = estimators.make(name, **options), problem(values), np.random.default_rng(seed)
    parameters = {"logits": torch.tensor(theta, dtype=torch.float64)}
    state = estimator.init(aim.policy(parameters, {}), rng)
    state = state._replace(learned={key: value.double() for key, value in state.learned.items()})
    rows = DRAWS // 5 * estimator.samples_per_draw
    shapes = estimator.noise(1, len(values))
    noise = {
        key: torch.from_numpy(rng.uniform(1e-12, 1 - 1e-12, size=(rows, *shape)))
        for key, shape in shapes.items()
    }
    return flatten(draw_gradients(estimator, aim, parameters, noise, state)[0], 1).numpy()


def bernoulli(theta):
    """p, f(0), f(1) and the gradient p (1 - p) (f(1) - f(0))."""
    p, zero, one = 1 / (1 + np.exp(-theta)), TARGET**2, (1 - TARGET) ** 2
    return p, zero, one, p * (1 - p) * (one - zero)


def reinforce(theta):
    p, zero, one, g = bernoulli(theta)
    return p * (one * (1 - p)) ** 2 + (1 - p) * (zero * p) ** 2 - g**2


def leave_one_out(theta, k=8):
    """By all 2^k outcomes: the mean over i of (f_i - mean of the others) (b_i - p)."""
    p, zero, one, g = bernoulli(theta)
    second = 0.0
    for ones in range(k + 1):
        f = np.array([one] * ones + [zero] * (k - ones))
        b = np.array([1.0] * ones + [0.0] * (k - ones))
        draw = ((f - (f.sum() - f) / (k - 1)) * (b - p)).mean()
        count = len(list(itertools.combinations(range(k), ones)))
        second += count * p**ones * (1 - p) ** (k - ones) * draw**2
    return second - g**2


def disarm(theta):
    """Antithetic pairs differ with probability 2 (1 - q), q = max(p, 1 - p): g^2 is (f1 - f0)^2 q^2 / 4."""
    p, zero, one, g = bernoulli(theta)
    q = max(p, 1 - p)
    return (one - zero) ** 2 * q**2 / 4 * 2 * (1 - q) - g**2


def arm(theta):
    """(f1 - f0)^2 times the integral of (u - 1/2)^2 where the swapped actions differ (Yin and Zhou, 2019)."""
    p, zero, one, g = bernoulli(theta)
    q = max(p, 1 - p)
    return (one - zero) ** 2 * 2 * (1 / 8 - (q - 1 / 2) ** 3) / 3 - g**2


CLOSED = {
    "reinforce": reinforce,
    "reinforce_loo": leave_one_out,
    "disarm": disarm,
    "arsm": arm,
    "local_expectation": lambda theta: 0.0,
}


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("name", CLOSED)
def test_the_variance_is_the_one_that_theory_gives(name, theta):
    found, expected = drawn(name, [theta], (0.0, 1.0))[:, 0], CLOSED[name](theta)
    squares = (found - found.mean()) ** 2
    error = squares.std() / len(found) ** 0.5
    assert abs(squares.mean() - expected) <= Z * error + 1e-12


@pytest.mark.parametrize("name", UNBIASED)
def test_the_mean_is_the_gradient(name):
    if not estimators.make(name).supports(1, 2):
        pytest.skip(f"{name} does not serve a single binary token")
    found, gradient = drawn(name, [0.7], (0.0, 1.0))[:, 0], bernoulli(0.7)[-1]
    assert abs(found.mean() - gradient) <= Z * found.std() / len(found) ** 0.5 + 1e-12


VALUES, LOGITS = (0.0, 0.3, 1.0, 0.6), (0.4, -1.0, 0.2, 0.9)


def categorical():
    """p, the scores [v, parameter], f of every value, and the gradient."""
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    scores, f = np.eye(4) - p, (np.array(VALUES) - TARGET) ** 2
    return p, scores, f, p * f @ scores


@pytest.mark.parametrize("name", ["reinforce", "reinforce_loo", "local_expectation", "unordered_set"])
def test_the_variance_of_the_categorical_form(name):
    """Leave-one-out by all pairs; drawing all four values without replacement, or summing, leaves none."""
    p, scores, f, gradient = categorical()
    options = {"reinforce_loo": {"samples": 2}, "unordered_set": {"samples": 4}}.get(name, {})
    pairs = p[:, None] * p
    draws = (f[:, None] - f)[..., None] * (scores[:, None] - scores) / 2
    second = {
        "reinforce": p @ ((f[:, None] * scores) ** 2),
        "reinforce_loo": (pairs[..., None] * draws**2).sum((0, 1)),
    }
    expected = second.get(name, gradient**2) - gradient**2
    found = drawn(name, LOGITS, VALUES, **options)
    squares = (found - found.mean(0)) ** 2
    error = squares.std(0) / len(found) ** 0.5
    assert (abs(squares.mean(0) - expected) <= Z * error + 1e-12).all()
    assert (abs(found.mean(0) - gradient) <= Z * found.std(0) / len(found) ** 0.5 + 1e-12).all()
