"""The expectation of an automaton's reward under a first-order policy, against enumeration and draws."""

import pytest
import torch
from chains import KINDS, by_enumeration, by_recursion, gaps, made, theta
from torch.func import grad, vmap

from discgan_core.automata import Automaton, expected
from discgan_core.models.chain import ChainPolicy
from discgan_core.tasks.chain import REWARDS

SIZES = [(3, 2), (3, 5), (5, 3), (7, 4), (9, 3), (13, 2)]
PRECISION = 1e-10
V, T = 4, 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("length", "vocabulary"), SIZES)
def test_recursion_is_enumeration(kind, length, vocabulary):
    automaton = made(kind, length, vocabulary)
    assert max(gaps(by_recursion, theta(vocabulary), length, automaton)) < PRECISION


@pytest.mark.parametrize("length", [1, 2])
def test_recursion_is_enumeration_of_one_token_and_of_two(length):
    assert max(gaps(by_recursion, theta(V), length, made("random", T, V))) < PRECISION


def changed(automaton, **parts):
    old = {name: getattr(automaton, name) for name in ("moves", "gains", "ends")}
    return Automaton(**(old | parts), dtype=automaton.dtype)


def swapped(params):
    table = params["table"]
    return {"first": table[0], "table": torch.cat([params["first"][None], table[1:]])}


PLANTED = {
    "a move off by one state": lambda p, n, a: by_recursion(p, n, changed(a, moves=a.moves.roll(1, 0))),
    "a move off by one token": lambda p, n, a: by_recursion(p, n, changed(a, moves=a.moves.roll(1, 1))),
    "gains of the state after": lambda p, n, a: by_recursion(
        p, n, changed(a, gains=a.gains.gather(0, a.moves))
    ),
    "no gain at the last token": lambda p, n, a: (
        by_recursion(p, n - 1, changed(a, ends=0 * a.ends))
        + by_recursion(p, n, changed(a, gains=0 * a.gains))
    ),
    "no end": lambda p, n, a: by_recursion(p, n, changed(a, ends=0 * a.ends)),
    "an end at every token": lambda p, n, a: by_recursion(p, n, changed(a, gains=a.last)),
    "one token more": lambda p, n, a: by_recursion(p, n + 1, a),
    "one token less": lambda p, n, a: by_recursion(p, n - 1, a),
    "first and table swapped": lambda p, n, a: by_recursion(swapped(p), n, a),
    "a transposed table": lambda p, n, a: by_recursion(p | {"table": p["table"].T}, n, a),
    "columns that are normalised": lambda p, n, a: expected(
        p["first"].log_softmax(0), p["table"].log_softmax(0), n, a
    ),
    "a gradient that stops half-way": lambda p, n, a: by_recursion(p | {"table": p["table"].detach()}, n, a),
}


@pytest.mark.parametrize("error", PLANTED)
def test_planted_errors_are_seen(error):
    value, slope = gaps(PLANTED[error], theta(V), T, made("random", T, V))
    assert max(value, slope) > 1e-3
    assert value > 1e-3 or error == "a gradient that stops half-way"


@pytest.mark.parametrize("kind", REWARDS)
def test_planted_errors_are_seen_in_the_known_rewards(kind):
    automaton = made(kind, T, V)
    part = "gains" if kind == "goodness" else "ends"
    for wrong in ({"moves": automaton.moves.roll(1, 0)}, {part: 0 * getattr(automaton, part)}):
        other = changed(automaton, **wrong)
        assert (
            max(gaps(lambda p, n, a, other=other: by_recursion(p, n, other), theta(V), T, automaton)) > 1e-4
        )


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_may_be_forbidden(kind):
    params, automaton = theta(V), made(kind, T, V)
    params["first"][1] = params["table"][0, 2] = params["table"][:, 3] = -torch.inf
    assert max(gaps(by_recursion, params, T, automaton)) < PRECISION
    slopes = grad(by_recursion)(params, T, automaton)
    assert slopes["first"][1] == slopes["table"][0, 2] == 0
    assert not slopes["table"][:, 3].any()
    first, table = (p.requires_grad_() for p in ChainPolicy(params, T).first_order())
    expected(first, table, T, automaton).backward()
    assert first.grad.isfinite().all()
    assert table.grad.isfinite().all()


def test_sessions_are_stacked():
    automaton, thetas = made("random", T, V), [theta(V, seed) for seed in range(30)]
    stacked = {name: torch.stack([params[name] for params in thetas]) for name in thetas[0]}
    found = vmap(lambda p: by_recursion(p, T, automaton))(stacked)
    slopes = vmap(grad(lambda p: by_recursion(p, T, automaton)))(stacked)
    for session, params in enumerate(thetas):
        torch.testing.assert_close(found[session], by_recursion(params, T, automaton))
        for name, slope in grad(by_recursion)(params, T, automaton).items():
            torch.testing.assert_close(slopes[name][session], slope)


@pytest.mark.parametrize("vocabulary", [5, 11])
def test_a_session_s_gradient_is_its_own_to_the_last_bit(vocabulary):
    automaton, thetas = made("match", 9, vocabulary), [theta(vocabulary, seed) for seed in range(7)]
    stacked = {name: torch.stack([params[name] for params in thetas]).float() for name in thetas[0]}
    find = vmap(grad(lambda p: by_recursion(p, 9, automaton)))
    for some in (slice(3, 5), slice(6, 7)):
        for name, value in find({name: v[some] for name, v in stacked.items()}).items():
            assert torch.equal(value, find(stacked)[name][some])


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_tokens_of_fifty_values(kind):
    length, vocabulary = 100, 50
    params, automaton = theta(vocabulary), made(kind, length, vocabulary)
    if kind in ("valid", "match"):  # else there is nothing to see
        params["first"][0] += 200
        params["table"][1:, 0] += 200
        params["table"][0, 1:5] += 9
    policy = ChainPolicy(params, length)
    u = torch.rand(4000, length, generator=torch.Generator().manual_seed(0)).double()
    f, exactly = automaton.of_tokens(policy.sample(u)), by_recursion(params, length, automaton)
    assert abs(f.mean() - exactly) < 4 * f.std() / 4000**0.5 + 1e-12  # wrong once in 15,000 seeds
    slope = grad(by_recursion)(params, length, automaton)["table"]
    along = slope / slope.norm()
    steps = [
        by_recursion(params | {"table": params["table"] + h * along}, length, automaton)
        for h in (1e-5, -1e-5)
    ]
    torch.testing.assert_close((steps[0] - steps[1]) / 2e-5, slope.norm(), rtol=1e-5, atol=1e-9)


def test_single_precision_is_near():
    params, automaton = theta(V), made("random", 40, V)
    single = {name: v.float() for name, v in params.items()}
    found = by_recursion(single, 40, automaton)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), by_recursion(params, 40, automaton), rtol=1e-5, atol=1e-5)
    assert by_enumeration(single, T, automaton.to(torch.float32)).dtype == torch.float32


def test_sizes_that_do_not_fit_are_refused():
    automaton = made("random", T, 3)
    for sizes in ((2, (3, 3)), (3, (3, 2))):
        with pytest.raises(ValueError, match="for this automaton it must be"):
            expected(*(torch.zeros(size) for size in sizes), 2, automaton)
    with pytest.raises(ValueError, match="length is 0"):
        expected(torch.zeros(3), torch.zeros(3, 3), 0, automaton)
