"""Relaxed and hard categorical samples: that they are what they claim, and stay finite."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discgan_core.randomness import TINY, Streams
from discgan_core.sequences import (
    all_sequences,
    gumbel_given,
    gumbel_with,
    inverse_cdf,
    score,
    soften,
)

LOG_PROBS = torch.tensor([0.5, 0.3, 0.15, 0.04, 0.01], dtype=torch.float64).log()
ALPHA = 1e-4


def draws(count):
    rng = np.random.default_rng(1)
    log_probs = LOG_PROBS.expand(count, 1, 5)
    tokens = inverse_cdf(log_probs, torch.from_numpy(rng.random((count, 1))))
    return log_probs, tokens, torch.from_numpy(rng.random((count, 1, 5)))


def test_tokens_have_their_probabilities():
    _, tokens, _ = draws(20_000)
    expected = LOG_PROBS.exp().numpy() * len(tokens)
    assert stats.chisquare(np.bincount(tokens.flatten(), minlength=5), expected).pvalue > ALPHA


def test_the_largest_z_is_the_token_s():
    log_probs, tokens, uniforms = draws(5000)
    for z in (gumbel_with(log_probs, tokens, uniforms), gumbel_given(log_probs, tokens, uniforms)):
        assert torch.equal(z.argmax(-1), tokens)


def test_the_noise_behind_a_token_is_gumbel_in_every_place():
    log_probs, tokens, uniforms = draws(20_000)
    noise = (gumbel_with(log_probs, tokens, uniforms) - log_probs).squeeze(1)
    for place in noise.unbind(1):
        assert stats.kstest(place.numpy(), "gumbel_r").pvalue > ALPHA
    correlation = np.corrcoef(noise.T.numpy()) - np.eye(5)
    assert np.abs(correlation).max() < 5 / np.sqrt(20_000)


def test_z_is_reparameterised_and_z_tilde_knows_its_token():
    log_probs = LOG_PROBS.expand(1, 1, 5).clone().requires_grad_()
    tokens, uniforms = torch.tensor([[2]]), torch.full((1, 1, 5), 0.4, dtype=torch.float64)
    (slope,) = torch.autograd.grad(gumbel_with(log_probs, tokens, uniforms).sum(), log_probs)
    assert torch.equal(slope, torch.ones_like(slope))
    (slope,) = torch.autograd.grad(gumbel_given(log_probs, tokens, uniforms)[..., 2].sum(), log_probs)
    assert torch.equal(slope, torch.zeros_like(slope))


def test_the_score_is_zero_with_the_gradient_of_its_argument():
    x = torch.tensor(2.0, requires_grad=True)
    value = score(3 * x)
    assert value == 0
    assert torch.autograd.grad(value, x)[0] == 3


@settings(max_examples=200, deadline=None)
@given(
    logits=st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=6),
    uniform=st.sampled_from([TINY, 1e-6, 0.5, 1 - 2 * TINY]),
    temperature=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_samples_and_gradients_stay_finite(logits, uniform, temperature):
    raw = torch.tensor(logits, dtype=torch.float32).reshape(1, 1, -1).requires_grad_()
    log_probs = raw.log_softmax(-1)
    uniforms = torch.full(raw.shape, uniform)
    tokens = inverse_cdf(log_probs, uniforms[..., 0])
    for draw in (gumbel_with, gumbel_given):
        y = soften(draw(log_probs, tokens, uniforms), temperature)
        (slope,) = torch.autograd.grad(y[..., 0].sum(), raw, retain_graph=True)
        assert y.isfinite().all()
        assert slope.isfinite().all()


def test_all_sequences_are_listed_once():
    listed = all_sequences(3, 4)
    assert listed.shape == (64, 3)
    assert len(listed.unique(dim=0)) == 64


def test_streams_belong_to_their_session_and_purpose_alone():
    both, one = Streams("study", [3, 8]), Streams("study", [8])
    for _ in range(2):  # and go on, rather than begin again
        assert torch.equal(both.uniforms("a", (5,))[1], one.uniforms("a", (5,))[0])
    others = [Streams("study", [8]).uniforms("b", (5,)), Streams("other", [8]).uniforms("a", (5,))]
    first = Streams("study", [8]).uniforms("a", (5,))
    assert not any(torch.equal(first, other) for other in others)
