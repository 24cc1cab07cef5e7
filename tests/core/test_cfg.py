"""The context-free grammar's padded strings, against a parser and derivations of the tests' own.

Every statistical test is wrong once in 1 / ALPHA generators that are right; the seeds are fixed.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discgan_core import tasks
from discgan_core.sequences import all_sequences
from discgan_core.tasks import cfg

ALPHA = 1e-4
COUNT = 20_000


@cache
def derives(text: str) -> bool:
    """Parse by the grammar as it is written: S -> x | S op S, at any operator."""
    splits = (i for i, symbol in enumerate(text) if symbol in "+-*/")
    return text == "x" or any(derives(text[:i]) and derives(text[i + 1 :]) for i in splits)


def derivations(length: int, operators: str) -> dict[str, float]:
    """Expand the leftmost S, all ways: string -> probability."""
    ended: Counter[str] = Counter()
    forms = Counter({"S": 1.0})
    while forms:
        form, chance = forms.popitem()
        if "S" not in form:
            ended[form] += chance
        elif len(form) + 2 > length:
            forms[form.replace("S", "x", 1)] += chance
        else:
            forms[form.replace("S", "x", 1)] += chance / 5
            for operator in operators:
                forms[form.replace("S", f"S{operator}S", 1)] += chance * 0.8 / len(operators)
    return ended


def tokens_of(*texts: str) -> torch.Tensor:
    return torch.tensor([["x+-*/ ".index(symbol) for symbol in text] for text in texts])


def drawn(length: int, count: int = COUNT) -> torch.Tensor:
    return tasks.make("cfg", length).sample(count, np.random.default_rng(3))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_valid_means_that_the_grammar_derives_it(length):
    tokens = all_sequences(length, 6)
    task = tasks.make("cfg", length)
    expected = [derives(task.text(row).rstrip(" ")) for row in tokens]
    assert task.quality(tokens)["valid_fraction"].tolist() == expected


@settings(max_examples=300, deadline=None)
@given(
    operators=st.lists(st.sampled_from("+-*/"), max_size=5),
    place=st.integers(0, 11),
    symbol=st.sampled_from("x+/ "),
)
def test_longer_strings_with_one_symbol_changed_are_judged_as_the_grammar_does(operators, place, symbol):
    text = "".join(["x", *(operator + "x" for operator in operators)]).ljust(12)
    text = text[:place] + symbol + text[place + 1 :]
    valid = cfg.quality(tokens_of(text))["valid_fraction"]
    assert valid.dtype == torch.float64
    assert valid.tolist() == [derives(text.rstrip(" "))]
    assert cfg.lengths(tokens_of(text)).tolist() == [len(text.rstrip(" "))]
    assert cfg.text(tokens_of(text)[0]) == text


def test_padding_ends_a_string():
    texts = ("x+x", "x+ ", "x  ", "   ", " x ", "x x", "xxx")
    assert cfg.valid(tokens_of(*texts)).tolist() == [True, False, True, False, False, False, False]
    assert cfg.lengths(tokens_of(*texts)).tolist() == [3, 2, 1, 0, 2, 3, 3]


@pytest.mark.parametrize("length", [1, 2, 3, 12, 40])
def test_samples_are_strings_of_the_language(length):
    tokens = drawn(length, 2000)
    assert tokens.shape == (2000, length)
    assert cfg.valid(tokens).all()
    assert length % 2 or (tokens[:, -1] == cfg.SPACE).all()


@pytest.mark.parametrize("length", [1, 2, 5, 12])
def test_length_probabilities_are_those_of_leftmost_derivations(length):
    expected = np.zeros(length + 1)
    for text, chance in derivations(length, "+").items():
        expected[len(text)] += chance
    assert cfg.length_probabilities(length).numpy() == pytest.approx(expected, abs=1e-12)


def test_every_string_has_its_probability():
    expected = {text.ljust(5): chance for text, chance in derivations(5, "+-*/").items()}
    listed = zip(map(cfg.text, all_sequences(5, 6)), cfg.enumerated(5).exp().tolist(), strict=True)
    assert {text: chance for text, chance in listed if chance} == pytest.approx(expected)
    counts = Counter(map(cfg.text, drawn(5)))
    observed = [counts.pop(text, 0) for text in expected]
    assert not counts
    chances = np.array(list(expected.values()))
    assert stats.chisquare(observed, COUNT * chances / chances.sum()).pvalue > ALPHA


def test_lengths_have_their_probabilities():
    expected = cfg.length_probabilities(12).numpy()
    observed = np.bincount(cfg.lengths(drawn(12)), minlength=13)
    assert not observed[expected == 0].any()
    seen = expected > 0
    assert stats.chisquare(observed[seen], COUNT * expected[seen]).pvalue > ALPHA


def test_operators_are_uniform_in_every_place():
    places = drawn(12)[:, 1:11:2]
    for place in places.T:
        counts = np.bincount(place[place != cfg.SPACE], minlength=5)[1:]
        assert stats.chisquare(counts).pvalue > ALPHA / places.shape[1]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_listed_probabilities_sum_to_one(length):
    log_probs = tasks.make("cfg", length).enumerated()
    assert log_probs.shape == (6**length,)
    assert log_probs.exp().sum().item() == pytest.approx(1)


def test_the_figures_that_the_docstring_states():
    percent = 100 * cfg.length_probabilities(12)[1::2]
    stated = next(line for line in cfg.__doc__.splitlines() if "percent" in line).split()[1:]
    assert [f"{value:.2f}" for value in percent.tolist()] == stated
    ends = cfg.length_probabilities(2000)[:-2]
    assert ends.sum().item() == pytest.approx(1 / 4)
    assert (ends[1] / ends[:13].sum()).item() == pytest.approx(0.80, abs=0.005)


def test_a_wrong_length_is_said():
    with pytest.raises(ValueError, match="length is 0"):
        tasks.make("cfg", 0)
    with pytest.raises(ValueError, match="length 6 are too many"):
        tasks.make("cfg", 6).enumerated()


def test_the_other_grammar_has_no_padding():
    task = tasks.make("grammar", 5)
    assert task.lengths(task.sample(3, np.random.default_rng(0))).tolist() == [5, 5, 5]
