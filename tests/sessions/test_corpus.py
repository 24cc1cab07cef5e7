"""Measures of strings as a body: cases worked by hand, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.sessions.corpus import Corpus, distances
from discgan_core import tasks

TASK = tasks.make("cfg", 3)
DISTANCES = ("length_distance", "unigram_distance", "bigram_distance")


def tokens_of(*texts):
    return torch.tensor([["x+-*/ ".index(symbol) for symbol in text] for text in texts])


OURS = tokens_of("x+x", "x+x", "x-x", "x  ", "xx ")
REAL = tokens_of("x+x", "x*x", "x  ", "x  ", "x/x")
KNOWN = tokens_of("x+x", "x  ", "x  ", "x*x", "x/x")


def numbers(rows, session=0):
    """Read one session's: (metric, parameter) -> value, as far as there is one."""
    found = {(row.metric, row.parameter): row.values[session].item() for row in rows}
    return {key: value for key, value in found.items() if not np.isnan(value)}


def compare(ours, real, known, task=TASK):
    return numbers(Corpus(task, known[None]).compare(ours[None], real[None]))


def test_a_case_worked_by_hand():
    assert compare(OURS, REAL, KNOWN) == {
        # lengths 1 2 3 3 3 beside 1 1 3 3 3
        ("length", "1"): 1 / 5,
        ("length", "2"): 1 / 5,
        ("length", "3"): 3 / 5,
        ("length_distance", ""): 1 / 5,
        # of 15 tokens x + - * / space: 9 2 1 0 0 3 beside 8 1 0 1 1 4
        ("unigram_distance", ""): 3 / 15,
        # of 10 pairs, _ a space: 2 x+, 2 +x, 1 x-, 1 -x, 2 x_, 1 __, 1 xx
        #           beside those: 1 x+, 1 +x,             2 x_, 2 __,       1 x*, 1 *x, 1 x/, 1 /x
        ("bigram_distance", ""): 5 / 10,
        ("distinct_fraction", ""): 4 / 5,
        ("novel_fraction", ""): 2 / 5,
        ("novel_valid_fraction", ""): 1 / 5,
        ("mode_coverage", ""): 2 / 4,
    }


def test_samples_may_differ_in_number():
    found = compare(tokens_of("x+x"), tokens_of("x  ", "x+x", "x-x", "x-x"), KNOWN)
    assert found["length_distance", ""] == 2 / 4
    assert found["unigram_distance", ""] == pytest.approx((1 / 3 - 1 / 12) / 1 + (2 / 3 - 7 / 12))
    assert found["mode_coverage", ""] == 1 / 4


def test_nothing_in_common_is_as_far_as_can_be():
    found = compare(tokens_of("+++", "+++"), tokens_of("xxx"), tokens_of("xxx"))
    assert found["unigram_distance", ""] == found["bigram_distance", ""] == 1
    assert found["length_distance", ""] == 0
    assert found["novel_fraction", ""] == 1
    assert found["novel_valid_fraction", ""] == found["mode_coverage", ""] == 0
    assert compare(tokens_of("   "), tokens_of("xxx"), KNOWN)["length_distance", ""] == 3


def test_the_data_s_rows_are_those_of_another_real_sample():
    corpus = Corpus(TASK, KNOWN[None])
    rows = corpus.reference(OURS[None], REAL[None])
    renamed = [row._replace(metric=row.metric.removesuffix("_data")) for row in rows]
    assert numbers(renamed) == compare(OURS, REAL, KNOWN)
    assert all(row.metric.endswith("_data") for row in corpus.reference(OURS[None], REAL[None]))


def test_strings_are_the_same_in_any_type_of_integer():
    assert compare(OURS, REAL, KNOWN.to(torch.int16)) == compare(OURS, REAL, KNOWN)


def test_a_task_without_validity_has_no_such_row():
    task = TASK._replace(quality=lambda tokens: {})
    expected = compare(OURS, REAL, KNOWN)
    del expected["novel_valid_fraction", ""]
    assert compare(OURS, REAL, KNOWN, task) == expected


def test_one_token_has_no_pairs():
    task = tasks.make("cfg", 1)
    found = compare(tokens_of("x", "+"), tokens_of("x"), tokens_of("x"), task)
    assert found["unigram_distance", ""] == 1 / 2
    assert ("bigram_distance", "") not in found


def test_long_strings_of_many_words_are_told_apart():
    task = tasks.make("cfg", 40)._replace(symbols=tuple(map(str, range(5000))), quality=lambda tokens: {})
    ours = torch.full((2, 40), 4999)
    ours[1, 0] = 4998
    found = compare(ours, ours[:1], ours[:1], task)
    assert found["novel_fraction", ""] == found["unigram_distance", ""] * 40 == 1 / 2
    assert found["bigram_distance", ""] == pytest.approx(1 / (2 * 39))
    assert found["mode_coverage", ""] == found["distinct_fraction", ""] == 1


TOKENS = st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(ours=TOKENS, real=TOKENS)
def test_distances_are_distances(ours, real):
    task, ours, real = tasks.make("cfg", 4), torch.tensor(ours), torch.tensor(real)
    there, back = distances(task, ours, real), distances(task, real, ours)
    assert there == back
    assert all(0 <= there[metric] <= most for metric, most in zip(DISTANCES, (4, 1, 1), strict=True))
    twice = torch.cat([ours, ours])[torch.randperm(2 * len(ours))]
    assert set(distances(task, ours, twice).values()) == {0.0}
    lengths = (task.lengths(tokens).numpy() for tokens in (ours, real))
    assert there["length_distance"] == pytest.approx(stats.wasserstein_distance(*lengths))


@settings(max_examples=200, deadline=None)
@given(ours=TOKENS, known=TOKENS)
def test_fractions_are_fractions(ours, known):
    ours, known = torch.tensor(ours), torch.tensor(known)
    found = compare(ours, known, known, tasks.make("cfg", 4))
    assert all(0 <= value <= 1 for (metric, _), value in found.items() if not metric.endswith("distance"))
    assert sum(value for (metric, _), value in found.items() if metric == "length") == pytest.approx(1)
    texts, seen = set(map(tuple, ours.tolist())), set(map(tuple, known.tolist()))
    assert found["distinct_fraction", ""] == len(texts) / len(ours)
    assert found["mode_coverage", ""] == len(texts & seen) / len(seen)
    new = sum(tuple(row) not in seen for row in ours.tolist())
    assert found["novel_fraction", ""] == new / len(ours)
    assert found["novel_valid_fraction", ""] <= found["novel_fraction", ""]


def test_a_session_does_not_know_its_stack():
    task, rng = tasks.make("cfg", 12), np.random.default_rng(0)
    known, real, ours = (torch.stack([task.sample(n, rng) for _ in range(5)]) for n in (400, 70, 90))
    ours = torch.from_numpy(rng.permuted(ours.numpy(), axis=2))
    ours[3] = ours[3, :1]  # of one length only, which the others' rows must not change
    whole = list(Corpus(task, known).compare(ours, real))
    assert all(row.values.dtype == torch.float64 for row in whole)
    for session in range(5):
        assert numbers(whole, session) == compare(ours[session], real[session], known[session], task)
