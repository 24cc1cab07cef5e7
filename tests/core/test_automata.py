"""Automata as rewards, against their definition and what is asked of any reward."""

import pytest
import torch
from chains import KINDS, made
from torch.func import grad, vmap

from discgan_core import rewards, tasks
from discgan_core.automata import Automaton
from discgan_core.sequences import all_sequences, one_hot
from discgan_core.tasks.chain import REWARDS

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


def followed_late(self, tokens, start, right=Automaton.follow):
    states = right(self, torch.cat([tokens, tokens[:, :1]], 1), start)
    return states[:, 1:]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("follow", followed_late),
        ("total", lambda self, states, tokens: self.at(self.gains, states, tokens).sum(-1)),
        ("total", lambda self, states, tokens: self.at(self.last, states, tokens).sum(-1)),
    ],
)
def test_planted_errors_are_seen(name, wrong, monkeypatch):
    automaton, s = made("random", T, V), tokens(20)
    x = one_hot(s, V, torch.float64)
    torch.testing.assert_close(automaton.of_tokens(s), automaton(x))
    monkeypatch.setattr(Automaton, name, wrong)
    assert (automaton.of_tokens(s) - automaton(x)).abs().max() > 0.1
