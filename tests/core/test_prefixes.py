"""Strings that share prefixes: drawn and read as if each were by itself."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch.testing import assert_close

from discgan_core import exact
from discgan_core.models import prefixes
from discgan_core.models.discriminator import (
    discriminator_logits,
    init_discriminator,
    init_embedded_discriminator,
)
from discgan_core.models.generator import LSTMPolicy, init_embedded_generator, init_generator, init_with_cell
from discgan_core.sequences import all_sequences

V, T, H = 3, 4, 5
STRINGS = torch.tensor([[0, 1, 2], [0, 1, 2], [0, 2, 1], [2, 0, 0], [2, 0, 1]])


def rng():
    return np.random.default_rng(0)


def test_every_distinct_prefix_stands_once_beneath_its_own():
    one, two, three = prefixes.levels(STRINGS)
    assert [level.tokens.tolist() for level in (one, two, three)] == [[0, 2], [1, 2, 0], [2, 1, 0, 1]]
    assert [level.parents.tolist() for level in (one, two, three)] == [[0, 0], [0, 0, 1], [0, 1, 2, 2]]


@pytest.fixture
def strings():
    return all_sequences(T, V)[rng().permutation(V**T)[:40]].unique(dim=0)


@pytest.mark.parametrize("init", [init_generator, init_embedded_generator, init_with_cell])
def test_likelihoods_and_their_gradient_are_those_of_strings_read_one_by_one(init, strings):
    theta = {name: 2 * value for name, value in init(V, H, rng()).items()}
    weights = torch.linspace(-1, 2, len(strings))

    def gradient_by(log_likelihood):
        value, pull = torch.func.vjp(log_likelihood, theta)
        return value, pull(weights)[0]

    found = gradient_by(lambda p: prefixes.log_likelihood(LSTMPolicy(p, T), strings))
    assert_close(found, gradient_by(lambda p: LSTMPolicy(p, T).log_likelihood(strings).sum(1)))


@pytest.mark.parametrize("init", [init_discriminator, init_embedded_discriminator])
def test_log_odds_are_those_of_strings_read_one_by_one(init, strings):
    phi = {name: 2 * value for name, value in init(V, H, rng()).items()}
    assert_close(prefixes.log_odds(phi, strings), discriminator_logits(phi, strings))


@pytest.mark.parametrize("piece", [2, 4096])
def test_strings_are_drawn_with_their_probabilities(piece, monkeypatch):
    """A chi-squared test of 81 strings: a right program fails for one seed in 10,000."""
    monkeypatch.setattr(prefixes, "PIECE", piece)
    policy = LSTMPolicy({name: 2 * value for name, value in init_generator(V, H, rng()).items()}, T)
    everything, log_p = exact.sequence_log_probs(policy)
    counts = dict.fromkeys(map(tuple, everything[: V**T].tolist()), 0)
    for strings, times in prefixes.draw(policy, 100_000, rng()):
        assert (strings.unique(dim=0) == strings).all(), "sorted, each once"
        for string, n in zip(map(tuple, strings.tolist()), times.tolist(), strict=True):
            assert counts[string] == 0, "no string is in two pieces"
            counts[string] = n
    assert sum(counts.values()) == 100_000
    expected = 100_000 * log_p[: V**T].double().softmax(0)
    assert chisquare(list(counts.values()), expected.numpy()).pvalue > 1e-4
