"""The names' tokens, against regular expressions and counts of the tests' own."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from discgan_core import tasks
from discgan_core.sequences import all_sequences
from discgan_core.tasks.names import HOLD_OUT_SEED, encode, split

ALPHA = 1e-4  # a right generator fails a statistical test once in 1 / ALPHA seeds; the seeds are fixed
SMALL = ("ab", "b", "aba", "ab")  # "ab" counts twice
WORDS = ("anna", "otto", "emmanuela", "zoë")


def whole(task: tasks.Task, tokens: torch.Tensor) -> str:
    return "".join(task.symbols[token] for token in tokens.tolist())


def tokens_of(task: tasks.Task, *texts: str) -> torch.Tensor:
    return torch.tensor([[task.symbols.index(symbol) for symbol in text] for text in texts])


def test_the_symbols_are_the_words_letters_and_the_end_mark():
    task = tasks.make("names", 10, words=WORDS)
    assert task.symbols == ("a", "e", "l", "m", "n", "o", "t", "u", "z", "ë", ".")
    assert (task.vocabulary, task.length) == (11, 10)


def test_samples_are_the_padded_words():
    task = tasks.make("names", 10, words=WORDS)
    tokens = task.sample(200, np.random.default_rng(1))
    assert tokens.shape == (200, 10)
    assert tokens.dtype == torch.int64
    assert {whole(task, row) for row in tokens} == {word.ljust(10, ".") for word in WORDS}
    assert {task.text(row) for row in tokens} == set(WORDS)
    assert torch.equal(tokens, task.sample(200, np.random.default_rng(1)))
    assert task.lengths(tokens).tolist() == [len(task.text(row)) for row in tokens]
    assert all(values.eq(1).all() for values in task.quality(tokens).values())


def test_words_come_as_often_as_they_are_listed():
    task = tasks.make("names", 4, words=SMALL)
    counts = Counter(map(task.text, task.sample(8000, np.random.default_rng(2))))
    assert stats.chisquare([counts["ab"], counts["b"], counts["aba"]], [4000, 2000, 2000]).pvalue > ALPHA


def test_every_sequence_is_judged_as_a_pattern_does():
    task = tasks.make("names", 4, words=SMALL)
    tokens = all_sequences(4, 3)
    texts = [whole(task, row) for row in tokens]
    found = task.quality(tokens)
    assert list(found) == ["valid_fraction", "real_fraction"]
    assert all(values.dtype == torch.float64 for values in found.values())
    assert found["valid_fraction"].tolist() == [bool(re.fullmatch(r"[ab]+\.+", text)) for text in texts]
    assert found["real_fraction"].tolist() == [text in ("ab..", "b...", "aba.") for text in texts]
    assert task.lengths(tokens).tolist() == [len(text.partition(".")[0]) for text in texts]
    assert len({task.text(row) for row in tokens}) == len(tokens), "no two read the same"


def test_what_ends_a_name():
    task = tasks.make("names", 4, words=SMALL)
    texts = ("ab..", "a.b.", ".ab.", "....", "abab", "bbb.")
    tokens = tokens_of(task, *texts)
    assert task.quality(tokens)["valid_fraction"].tolist() == [1, 0, 0, 0, 0, 1]
    assert task.quality(tokens)["real_fraction"].tolist() == [1, 0, 0, 0, 0, 0]
    assert task.lengths(tokens).tolist() == [2, 1, 0, 0, 4, 3]
    assert [task.text(row) for row in tokens] == ["ab", "a.b", ".ab", "", "abab", "bbb"]
    assert task.quality(tokens.int())["real_fraction"].tolist() == [1, 0, 0, 0, 0, 0]


def test_few_sequences_have_their_probabilities_listed():
    task = tasks.make("names", 4, words=SMALL)
    listed = zip((task.text(row) for row in all_sequences(4, 3)), task.enumerated().tolist(), strict=True)
    chances = {text: log_prob for text, log_prob in listed if log_prob > -np.inf}
    assert chances == pytest.approx({"ab": np.log(1 / 2), "b": np.log(1 / 4), "aba": np.log(1 / 4)})
    with pytest.raises(ValueError, match="length 10 are too many"):
        tasks.make("names", 10, words=WORDS).enumerated()


@pytest.mark.parametrize(
    ("length", "words", "message"),
    [
        (10, [], "give it words"),
        (10, ["anna", ""], "word 2 is empty"),
        (10, ["anna", "alexandria"], "'alexandria' has 10 letters; length 10 has room for 9"),
        (1, ["a"], "length 1 has room for 0 and the end mark"),
        (0, ["a"], "room for 0"),
        (10, ["st.john"], r"'st\.john' has '\.' in it"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(length, words, message):
    with pytest.raises(ValueError, match=message) as caught:
        tasks.make("names", length, words=words)
    assert str(caught.value).startswith("task names: ")
    assert "\n" not in str(caught.value)


def test_it_needs_words():
    with pytest.raises(ValueError, match="task names: give it words"):
        tasks.make("names", 10)


def test_the_list_of_tasks_is_not_hidden_by_the_task_of_its_name():
    tasks.make("names", 10, words=WORDS)
    assert "names" in tasks.available()
    with pytest.raises(ValueError, match="did you mean 'names'"):
        tasks.make("name", 10, words=WORDS)


def test_encoding_is_what_the_task_reads():
    task = tasks.make("names", 10, words=WORDS)
    assert [task.text(row) for row in encode(WORDS, task.symbols, 10)] == list(WORDS)


@given(
    words=st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=40),
    seed=st.integers(0, 100),
    fraction=st.floats(0.05, 0.95),
)
def test_a_split_parts_the_list(words, seed, fraction):
    distinct = set(words)
    count = max(1, round(fraction * len(distinct)))
    if count >= len(distinct):
        with pytest.raises(ValueError, match="none to learn from"):
            split(words, seed, fraction)
        return
    training, held_out = split(words, seed, fraction)
    assert not set(training) & set(held_out)
    assert Counter(training) + Counter(held_out) == Counter(words)
    assert len(set(held_out)) == count
    assert [w for w in words if w in set(training)] == training
    assert set(split(words[::-1], seed, fraction)[1]) == set(held_out), "whatever the order"
    assert split(words, np.random.default_rng(seed), fraction) == (training, held_out)


def test_the_published_split_stays_what_it_was():
    words = [first + second for first in "abcde" for second in "abcdefgh"]
    training, held_out = split(words)
    assert HOLD_OUT_SEED == 0
    assert (len(training), held_out) == (36, ["ae", "bd", "da", "dd"])
    assert split(words, 1)[1] != held_out


@pytest.mark.parametrize("fraction", [1, 2])
def test_a_split_leaves_names_on_both_sides(fraction):
    with pytest.raises(ValueError, match="none to learn from"):
        split(WORDS, fraction=fraction)
