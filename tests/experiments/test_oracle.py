"""SeqGAN's task: the oracle is the distribution it says it is, and the experiment measures by it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare
from torch import nn
from torch.func import grad, vmap

from bench import figures
from bench.experiments import oracle
from bench.figures import _style as style
from bench.sessions.pretrained import pretrained
from bench.tables import schema
from bench.tables.condition import Condition
from bench.tables.store import Tables
from discgan_core import estimators, tasks
from discgan_core.models import output
from discgan_core.models.discriminator import discriminator_logits, init_embedded_discriminator
from discgan_core.models.generator import LSTMPolicy, init_embedded_generator
from discgan_core.sequences import all_sequences, one_hot
from discgan_core.tasks.oracle import SEED, weights

SMOKE = oracle.PRESETS["smoke"]
KEY = ["session", "step", "metric", "parameter"]


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def outcome():
    torch.set_num_threads(1)
    return run([0, 1])


def run(sessions, name="reinforce_loo", setting="default", settings=SMOKE):
    pretrained.cache_clear()
    found = oracle.run(settings, Condition("oracle", settings.lengths[0], name, setting), sessions, "cpu")
    metrics = found.metrics[found.metrics["metric"] != "seconds"]
    return found._replace(metrics=metrics.sort_values(KEY).reset_index(drop=True))


def values(outcome, metric, step=0):
    rows = outcome.metrics[(outcome.metrics["metric"] == metric) & (outcome.metrics["step"] == step)]
    return rows.set_index("session")["value"]


def test_the_weights_are_the_published_ones():
    """Another order, another stream or another spread of the weights would be another language."""
    params = weights(5000, 32)
    assert list(params) == [
        "embedding",
        "lstm.input",
        "lstm.recurrent",
        "lstm.bias",
        "out.weight",
        "out.bias",
    ]
    flat = np.random.Generator(np.random.PCG64(SEED)).standard_normal(5000 * 33 + 5000 * 32 + 128 * 65)
    torch.testing.assert_close(torch.cat([p.flatten() for p in params.values()]).double(), torch.tensor(flat))
    assert flat[:2] == pytest.approx([1.37550874, -0.57396039], abs=1e-8)


def test_it_is_a_distribution_and_its_samples_are_of_it(rng):
    """Error rate of the test: 0.1%."""
    task = tasks.make("oracle", 3, vocabulary=4, hidden=6)
    p = task.enumerated().exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    tokens = task.sample(4000, rng)
    counts = (tokens @ torch.tensor([16, 4, 1])).bincount(minlength=64)
    expected = 4000 * (p / p.sum()).numpy()
    many = expected >= 5
    observed = np.append(counts.numpy()[many], counts.numpy()[~many].sum())
    assert chisquare(observed, np.append(expected[many], expected[~many].sum())).pvalue > 0.001


def test_the_oracle_s_nll_is_that_of_torch_s_lstm_per_token(rng):
    length, vocabulary, hidden = 5, 7, 4
    task = tasks.make("oracle", length, vocabulary=vocabulary, hidden=hidden)
    params = weights(vocabulary, hidden)
    tokens = torch.from_numpy(rng.integers(vocabulary, size=(6, length)))
    theirs = nn.LSTM(hidden, hidden, batch_first=True)
    i, f, o, g = torch.arange(4 * hidden).chunk(4)  # torch orders the gates i, f, g, o
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(params["lstm.input"][torch.cat([i, f, g, o])])
        theirs.weight_hh_l0.copy_(params["lstm.recurrent"][torch.cat([i, f, g, o])])
        theirs.bias_ih_l0.copy_(params["lstm.bias"][torch.cat([i, f, g, o])])
        theirs.bias_hh_l0.zero_()
        before = torch.cat([torch.zeros(6, 1, hidden), params["embedding"][tokens[:, :-1]]], 1)
        logits = theirs(before)[0] @ params["out.weight"].T + params["out.bias"]
        expected = nn.functional.cross_entropy(logits.transpose(1, 2), tokens, reduction="none").mean(1)
    torch.testing.assert_close(task.quality(tokens)["oracle_nll"].float(), expected, atol=1e-5, rtol=1e-5)


def test_random_tokens_and_the_oracle_s_own_at_the_size_of_the_paper(rng):
    """With normal logits of variance v, random tokens come to ln V + v / 2, its own to about ln V - v / 2."""
    task = tasks.make("oracle", 20)
    random = task.quality(torch.from_numpy(rng.integers(5000, size=(128, 20))))["oracle_nll"].mean().item()
    own = task.quality(task.sample(128, rng))["oracle_nll"].mean().item()
    assert random == pytest.approx(11.16, abs=0.1)
    assert own == pytest.approx(6.03, abs=0.2)
    assert (random + own) / 2 == pytest.approx(math.log(5000), abs=0.15)


def test_a_language_of_no_tokens_is_refused():
    with pytest.raises(ValueError, match="at least 1 token"):
        tasks.make("oracle", 0)
    with pytest.raises(ValueError, match="too many"):
        tasks.make("oracle", 20, vocabulary=10).enumerated()


def plain(weight, bias, h, tokens):
    logits = (weight @ h).permute(2, 0, 1) + bias
    return logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


@pytest.mark.parametrize("piece", [32 * 5, 1 << 19])
def test_the_likelihood_of_given_tokens_and_its_gradient_piece_by_piece(rng, monkeypatch, piece):
    """5 x 17 places in pieces of 32, or in one; sessions stacked and not."""
    monkeypatch.setattr(output, "PIECE", piece)
    sizes = (2, 5, 3), (2, 5), (2, 6, 3, 17)
    arrays = [torch.from_numpy(rng.normal(size=size)) for size in sizes]
    tokens = torch.from_numpy(rng.integers(5, size=(2, 17, 6)))
    weigh = torch.from_numpy(rng.normal(size=(17, 6)))

    def both(function):
        slopes = grad(lambda *a: (function(*a) * weigh).sum(), argnums=(0, 1, 2))
        return lambda *a: (function(*a), slopes(*a))

    ours, theirs = both(output.log_likelihood), both(plain)
    torch.testing.assert_close(vmap(ours)(*arrays, tokens), vmap(theirs)(*arrays, tokens))
    one = [a[0] for a in (*arrays, tokens)]
    torch.testing.assert_close(ours(*one), theirs(*one))


def test_far_logits_have_finite_likelihoods_and_gradients():
    weight, h = torch.tensor([[1e4], [-1e4], [0.0]]), torch.ones(1, 1, 32)
    tokens = torch.ones(32, 1, dtype=torch.long)
    found = output.log_likelihood(weight, torch.zeros(3), h, tokens)
    assert (found == -2e4).all()
    slope = grad(lambda w: output.log_likelihood(w, torch.zeros(3), h, tokens).sum())(weight)
    assert slope.flatten().tolist() == [-32.0, 32.0, 0.0]


def test_both_players_look_tokens_up(rng):
    theta, phi = (init(9, 4, rng) for init in (init_embedded_generator, init_embedded_discriminator))
    assert {name: tuple(p.shape) for name, p in theta.items()} == {
        "embedding": (9, 4),
        "lstm.input": (16, 4),
        "lstm.recurrent": (16, 4),
        "lstm.bias": (16,),
        "out.weight": (9, 4),
        "out.bias": (9,),
    }
    tokens = all_sequences(2, 9)
    vectors = one_hot(tokens, 9, torch.float32)
    torch.testing.assert_close(discriminator_logits(phi, tokens), discriminator_logits(phi, vectors))
    policy = LSTMPolicy(theta, 2)
    total = policy.log_likelihood(tokens).sum(1).exp().sum().item()
    assert total == pytest.approx(1, abs=1e-5)


def test_the_rate_of_pre_training_falls_in_a_straight_line():
    settings = replace(SMOKE, training_set=64, batch=32, pretraining=((20, 2, 0.1),), pretraining_end=0.2)
    assert list(settings.schedule(20).rates()) == pytest.approx([0.1, 0.08, 0.06, 0.04])
    constant = replace(settings, pretraining_end=1.0).schedule(20)
    assert list(constant.rates()) == [0.1] * 4


def test_noise_of_every_symbol_is_too_much_and_completions_only_for_the_small_presets():
    names = estimators.available()
    paper, standard = (
        {c.estimator for c in oracle.conditions(oracle.PRESETS[name], (20,), names)}
        for name in ("paper", "standard")
    )
    assert {"maximum_likelihood", "reinforce", "reinforce_loo", "maligan"} <= standard <= paper
    assert not paper & {"rebar", "relax", "gumbel_softmax", "straight_through", "exact"}
    for name in ("reinforce", "reinforce_loo"):
        settings = {c.setting for c in oracle.conditions(oracle.PRESETS["paper"], (20,), [name])}
        assert {"default", "null_reward"} <= settings


def test_a_session_is_measured_from_before_pre_training_on(outcome):
    metrics = {schema.ORACLE_NLL, "oracle_nll_untrained", "oracle_nll_data", schema.CROSS_ENTROPY}
    assert metrics <= set(outcome.metrics["metric"])
    assert (outcome.trials["status"] == "ok").all()
    untrained, data = values(outcome, "oracle_nll_untrained"), values(outcome, "oracle_nll_data")
    assert (values(outcome, schema.ORACLE_NLL) < untrained - 0.1).all()
    assert (values(outcome, schema.ORACLE_NLL) > data).all()
    assert list(untrained.index) == [0, 1]


def test_tables_do_not_grow_with_the_vocabulary(outcome):
    assert SMOKE.vocabulary > 64
    assert schema.UNIGRAM not in set(outcome.metrics["metric"])
    per_moment = outcome.metrics.groupby(["session", "step"]).size()
    assert per_moment.max() < 50


def test_a_session_s_numbers_depend_on_its_seed_alone(outcome):
    alone, together = run([1]).metrics, outcome.metrics
    mine = together[together["session"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, mine, check_exact=True)


def test_the_figure_shows_quality_against_variety(outcome):
    condition = {"experiment": "oracle", "task": "oracle", "source": "synthetic", "length": SMOKE.lengths[0]}
    condition |= {"estimator": "reinforce_loo", "setting": "default"}
    tables = Tables(outcome.metrics.assign(**condition), outcome.trials.assign(**condition), [])
    with style.theme():
        figure = figures.load("oracle").draw(tables)
    (plane,) = figure.axes
    floor = values(outcome, "oracle_nll_data").mean()
    assert f"the oracle's own: {floor:.2f}" in plane.get_xlabel()
    begin = plane.lines[-1].get_xydata()[0]
    expected = [values(outcome, name).mean() for name in (schema.ORACLE_NLL, schema.CROSS_ENTROPY)]
    assert begin == pytest.approx(expected)
