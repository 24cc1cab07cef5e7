"""Automata as rewards against plain functions of sequences, and their expectation against enumeration."""

import pytest
import torch
from chains import KINDS, by_enumeration, by_recursion, gaps, made, theta
from torch.func import grad, vmap

from discgan_core import rewards, tasks
from discgan_core.automata import Automaton, expected
from discgan_core.models.chain import ChainPolicy
from discgan_core.sequences import all_sequences, one_hot
from discgan_core.tasks.chain import REWARDS

SIZES = [(3, 2), (3, 5), (5, 3), (7, 4), (9, 3), (13, 2)]
PRECISION = 1e-10
V, T = 4, 5


def tokens(rows, length=T, vocabulary=V, seed=0):
    return torch.randint(vocabulary, (rows, length), generator=torch.Generator().manual_seed(seed))


def relaxed(*shape, seed=1):
    return torch.rand(*shape, V, generator=torch.Generator().manual_seed(seed)).double().softmax(-1)


def by_definition(automaton, sequence):
    """f of one sequence of tokens, step by step."""
    state, f = 0, 0.0
    for token in sequence.tolist():
        f += automaton.gains[state, token].item()
        state = automaton.moves[state, token].item()
    return f + automaton.ends[state].item()


# The expectation


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
    assert abs(f.mean() - exactly) < 4 * f.std() / 4000**0.5 + 1e-3
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


# The reward


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 2, T])
def test_tokens_and_vectors_are_judged_alike(kind, length):
    automaton, s = made(kind, T, V), all_sequences(length, V)
    wanted = torch.tensor([by_definition(automaton, row) for row in s], dtype=torch.float64)
    torch.testing.assert_close(automaton.of_tokens(s), wanted)
    torch.testing.assert_close(automaton(one_hot(s, V, torch.float64)), wanted)


@pytest.mark.parametrize("kind", REWARDS)
def test_known_rewards_are_the_task_s_measures(kind):
    task, s = tasks.make("chain", T, vocabulary=V), all_sequences(T, V)
    f, judged = made(kind, T, V).of_tokens(s), task.quality(s)
    wanted = {
        "goodness": judged["goodness_fraction"],
        "valid": judged["valid_fraction"],
        "even": ((s == 0).sum(1) % 2 == 0).double(),
        "match": (s == torch.tensor([0, 1, 0, 2, 0])).all(1).double(),
    }
    torch.testing.assert_close(f, wanted[kind])
    assert ((f >= 0) & (f <= 1)).all()
    assert 0 < f.sum() < len(f)


@pytest.mark.parametrize("kind", KINDS)
def test_prefixes_are_judged_as_any_reward_s_are(kind):
    automaton = made(kind, T, V)
    plain = lambda x: automaton(x)  # noqa: E731
    x, y = one_hot(tokens(6), V, torch.float64), relaxed(2, 6, T)
    for first in (x, relaxed(6, T, seed=2)):
        for mine, other in zip(
            rewards.along(automaton, first, y), rewards.along(plain, first, y), strict=True
        ):
            torch.testing.assert_close(mine, other)
    judges = [rewards.after(reward, tokens(6), y) for reward in (automaton, plain)]
    for t in range(T):
        rest = tokens(18, T - t, seed=3).unflatten(0, (6, 3))
        torch.testing.assert_close(*(judge(t, rest) for judge in judges))


def test_a_relaxed_sequence_is_the_mean_of_independent_tokens():
    automaton, x = made("random", T, V), relaxed(1, T)
    s = all_sequences(T, V)
    chances = x[0].gather(1, s.T).prod(0)
    torch.testing.assert_close(automaton(x)[0], chances @ automaton.of_tokens(s))


def test_it_has_first_and_second_derivatives():
    automaton, x = made("random", T, V), relaxed(2, T).requires_grad_()
    assert torch.autograd.gradcheck(automaton, x)
    assert torch.autograd.gradgradcheck(automaton, x)
    y = relaxed(1, 2, T, seed=2).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x, y: automaton.along(x, y), (x, y))


def test_it_is_mapped_over_draws():
    automaton, x, s = made("random", T, V), relaxed(3, 2, T), tokens(6).unflatten(0, (3, 2))
    slopes = vmap(grad(lambda x: automaton(x).sum()))(x)
    together = grad(lambda x: automaton(x).sum())(x.flatten(0, 1))
    torch.testing.assert_close(slopes.flatten(0, 1), together)
    torch.testing.assert_close(vmap(automaton.of_tokens)(s).flatten(), automaton.of_tokens(s.flatten(0, 1)))
    rest = tokens(12, T - 2, seed=3).unflatten(0, (3, 2, 2))
    judged = vmap(lambda s, rest: automaton.after(s)(2, rest))(s, rest)
    torch.testing.assert_close(judged.flatten(0, 1), automaton.after(s.flatten(0, 1))(2, rest.flatten(0, 1)))


def test_types_follow_what_is_judged():
    automaton = REWARDS["goodness"](T, V)
    assert automaton.of_tokens(tokens(2)).dtype == torch.get_default_dtype()
    assert automaton.to(torch.float64).of_tokens(tokens(2)).dtype == torch.float64
    for kind in (torch.float32, torch.float64):
        assert automaton(one_hot(tokens(2), V, kind)).dtype == kind


def test_what_fits_not_is_refused():
    moves, gains, ends = torch.zeros(2, 3).long(), torch.zeros(2, 3), torch.zeros(2)
    for wrong, words in [
        ((moves + 2, gains, ends), "moves lead to states 2 to 2, of 0 to 1"),
        ((moves - 1, gains, ends), "moves lead to states -1 to -1"),
        ((gains, gains, ends), r"moves are float32 \[2, 3\]; they are whole numbers \[Q, V\]"),
        ((moves[0], gains, ends), r"moves are int64 \[3\]"),
        ((moves, gains.T, ends), r"gains are \[3, 2\]; with these moves they are \[2, 3\]"),
        ((moves, gains, gains), r"ends are \[2, 3\]; with these moves they are \[2\]"),
        ((moves, moves, ends), "gains are int64"),
    ]:
        with pytest.raises(ValueError, match=words):
            Automaton(*wrong)
    automaton = Automaton(moves, gains, ends)
    for x in (torch.zeros(2, 4, 5), torch.zeros(2, 3), torch.zeros(2, 0, 3)):
        with pytest.raises(ValueError, match=r"must be real numbers \[N, t, 3\]"):
            automaton(x)
    for s in (torch.zeros(2, 4), torch.zeros(3).long(), torch.zeros(2, 0).long()):
        with pytest.raises(ValueError, match=r"whole numbers \[N, t\]"):
            automaton.of_tokens(s)
    for first, table in [(ends, torch.zeros(3, 3)), (torch.zeros(3), torch.zeros(3, 2))]:
        with pytest.raises(ValueError, match="for this automaton it must be"):
            expected(first, table, 2, automaton)
    with pytest.raises(ValueError, match="length is 0"):
        expected(torch.zeros(3), torch.zeros(3, 3), 0, automaton)
