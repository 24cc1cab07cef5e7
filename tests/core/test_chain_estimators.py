"""Unbiased estimators at a length of 40, against the recursion's gradient: 5^40 sequences cannot be listed.

Every verdict fails a right estimator once in 1 / ALPHA seeds; the seeds are fixed. Each of the quick ones
sees a factor that is wrong by a quarter, most of them one wrong by a tenth.
"""

from functools import cache

import numpy as np
import pytest
from agreement import UNBIASED
from chains import by_recursion, made, theta, valid_often
from torch.func import grad

from bench.contract.referee import moved, uniforms
from bench.contract.verdict import ALPHA, Batch, Sample
from discgan_core import estimators
from discgan_core.accuracy import flatten
from discgan_core.gradients import Problem, draw_gradients
from discgan_core.models.chain import ChainPolicy

V, T = 5, 40
CHUNK = 2000
COSTLY = ("arsm", "disarm", "double_control_variate", "local_expectation", "rollout", "unordered_set")


def posed(kind):
    """Parameters at which a kind of reward is not always the same, and the reward."""
    params = theta(V)
    return valid_often(params) if kind in ("even", "valid") else params, made(kind, T, V)


@cache
def drawn(name, kind, draws):
    """Draw, in chunks, at parameters of one kind of reward."""
    estimator, rng = estimators.make(name), np.random.default_rng(1)
    params, automaton = posed(kind)
    problem = Problem(lambda p, _: ChainPolicy(p, T), lambda _: automaton)
    state, found = moved(estimator.init(problem.policy(params, {}), rng), rng), []
    while sum(map(len, found)) < draws:
        u = uniforms(estimator, V, T, CHUNK * estimator.samples_per_draw, rng)
        found.append(flatten(draw_gradients(estimator, problem, params, u, state)[0], 1).numpy())
    return np.concatenate(found)


def verdict(name, kind, draws, truth=by_recursion):
    params, automaton = posed(kind)
    exactly = flatten(grad(lambda p: truth(p, T, automaton))(params)).numpy()
    found = drawn(name, kind, draws)
    sample = Sample(exactly, found, np.random.default_rng(2))
    sample.add(Batch(found, np.zeros((len(found), 0)), 1))
    return sample.verdict()


def able(name):
    if not estimators.make(name).supports(T, V):
        pytest.skip(f"{name} does not serve this size")


@pytest.mark.parametrize("kind", ["goodness", "random"])
@pytest.mark.parametrize("name", UNBIASED)
def test_unbiased_estimators_agree_at_any_length(name, kind):
    able(name)
    found = verdict(name, kind, 2000 if name in COSTLY else 8000)
    assert found.p_value > ALPHA, found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["goodness", "random", "even", "valid"])
@pytest.mark.parametrize("name", UNBIASED)
def test_unbiased_estimators_agree_closely(name, kind):
    able(name)
    found = verdict(name, kind, 10_000 if name in COSTLY else 40_000)
    assert found.p_value > ALPHA, found


WRONG = {
    "a transposed table": lambda p, n, a: by_recursion(p | {"table": p["table"].T}, n, a),
    "a tenth of the tokens less": lambda p, n, a: by_recursion(p, n - 4, a),
    "nothing of the first": lambda p, n, a: by_recursion(p | {"first": p["first"].detach()}, n, a),
    "a factor": lambda p, n, a: 1.25 * by_recursion(p, n, a),
}


@pytest.mark.parametrize("error", WRONG)
def test_a_wrong_gradient_is_told_at_that_length(error):
    assert verdict("local_expectation", "random", 2000, WRONG[error]).p_value < ALPHA
