"""Every estimator against the exact gradient; and planted errors, each of which must be caught."""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from bench.contract.referee import judge
from bench.contract.verdict import ALPHA, Batch, Sample, hotelling
from discgan_core import control, estimators
from discgan_core.interface import Estimator

VARIANTS: dict[str, list[dict[str, float]]] = {
    "reinforce_loo": [{"samples": 2}],
    "rebar": [{"temperature": 0.3, "eta": 0.6}, {"learning_rate": 0.01}],
    "relax": [{"temperature": 0.3, "learn_relaxation": True}],
    "rollout": [{"samples": 1}, {"baseline": False}],
    "local_expectation": [{"samples": 2}],
    "unordered_set": [{"samples": 3}],
    "double_control_variate": [{"samples": 2, "alpha": -1.5}],
}
PLAIN = [(name, {}) for name in estimators.available()]
CASES = PLAIN + [(name, options) for name, found in VARIANTS.items() for options in found]
SEQUENCE_FORMS = ("rebar_sequence", "relax_sequence")
"""Biased at lengths above one only, where they are no longer `rebar` and `relax`."""
SIZES = [(3, 3), pytest.param(2, 4, marks=pytest.mark.slow), (4, 1)]


@pytest.mark.parametrize(("vocabulary", "length"), SIZES)
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_declared_bias_is_the_measured_one(name, options, vocabulary, length, record_property):
    estimator = estimators.make(name, **options)
    draws = 10_000 if estimator.unbiased else max(5_000, 20_000 // estimator.samples_per_draw)
    verdict = judge(estimator, vocabulary, length, draws)
    for field, value in verdict._asdict().items():
        record_property(field, value)
    if estimator.unbiased or (length == 1 and name in SEQUENCE_FORMS):
        assert verdict.p_value > ALPHA, f"{name} declares no bias, but {verdict}"
    else:
        assert verdict.p_value < ALPHA, f"{name} declares a bias that {verdict} does not show"


def test_the_referee_s_own_error_rate():
    """P-values of true means are uniform, whether or not the errors fill all their dimensions."""
    rng = np.random.default_rng(0)
    for rank in (3, 24):
        mixing = rng.normal(size=(rank, 24))
        p_values = [hotelling(rng.normal(size=(500, rank)) @ mixing) for _ in range(300)]
        assert stats.kstest(p_values, "uniform").pvalue > ALPHA
        assert hotelling(rng.normal(0.3, size=(500, rank)) @ mixing) < ALPHA


@pytest.mark.parametrize("name", ["reinforce", "reinforce_loo", "rebar", "unordered_set"])
def test_a_factor_as_large_as_the_power_says_is_seen(name):
    """With 99% probability; the verdict of the sound estimator names the factor."""
    estimator = estimators.make(name)
    sound = judge(estimator, 3, 3)
    assert sound.p_value > ALPHA
    assert sound.power < 0.05
    assert judge(scaled(estimator, 1 + 2 * sound.power), 3, 3).p_value < ALPHA


def scaled(estimator, factor):
    """Multiply every draw."""

    def estimate(*arguments):
        found = estimator.estimate(*arguments)
        return found._replace(surrogate=factor * found.surrogate)

    return estimator._replace(estimate=estimate)


def test_the_power_is_what_it_says():
    """A mean that is off by it is seen in 99 of 100 samples, as far as chance allows; a true one is not."""
    rng, truth = np.random.default_rng(0), np.ones(5)
    off = [verdict_of(rng, truth, bias=True) for _ in range(300)]
    assert sum(v.p_value < ALPHA for v in off) >= 290
    true = np.array([verdict_of(rng, truth, bias=False).p_value for _ in range(300)])
    assert 0.02 < (true < 0.1).mean() < 0.16
    assert (true > ALPHA).all()


def verdict_of(rng, truth, bias):
    """Draw around a truth, or as far from it as the power of such a sample is; half of the noise is known."""
    known = rng.normal(size=(2000, 2))
    draws = truth + rng.normal(size=(2000, 5)) + known @ np.ones((2, 5))
    power = (stats.norm.isf(ALPHA / 4) + stats.norm.isf(0.01)) / np.sqrt(2000 * 5)
    sample = Sample(truth, draws, rng)
    sample.add(Batch(draws + bias * power * truth, known, 1))
    return sample.verdict()


MUTANTS = {
    "sign of the score term": (
        "rebar",
        "(f[:, None] - weight * c_tilde)",
        "-(f[:, None] - weight * c_tilde)",
    ),
    "sign of the path terms": ("rebar", "+ weight * (c - c_tilde)", "- weight * (c - c_tilde)"),
    "z~ from another token": (
        "rebar",
        'gumbel_given(log_probs, tokens, noise["z_tilde"])',
        'gumbel_given(log_probs, (tokens + 1) % policy.vocabulary, noise["z_tilde"])',
    ),
    "detached control variate": ("rebar", "weight * (c - c_tilde)", "weight * (c - c_tilde).detach()"),
    "missing reweighting": ("rebar", "- weight * c_tilde) * scores", ") * scores"),
    "RELAX without its own correction": ("relax", "+ c - c_tilde).sum", "+ c).sum"),
    "baseline with the sample itself": (
        "reinforce_loo",
        "mean_of_others(groups)",
        "groups.mean(1, keepdim=True)",
    ),
    "last step's score forgotten": ("reinforce", ".sum(1), {", "[:, :-1].sum(1), {"),
    "a set's chances to be first not left one out": (
        "unordered_set",
        "log_p + torch.stack([filled[s] for s in single], -1)",
        "log_p",
    ),
    "a set's baseline that leaves none out": (
        "unordered_set",
        ".masked_fill(same, -torch.inf)",
        ".masked_fill(same, 0.0)",
    ),
    "a set's baseline without the sample itself": ("unordered_set", "(first * left)[", "first["),
    "Gumbel noise that forgets the parent's maximum": (
        "unordered_set",
        "perturbed_given(log_p + noise, found.perturbed)",
        "(log_p + noise)",
    ),
    "what was cut off before the last step forgotten": (
        "unordered_set",
        "torch.logaddexp(found.log_rest, log_cut)",
        "log_cut",
    ),
    "a control variate's own gradient left out": ("double_control_variate", " + weight * path", ""),
    "slopes at the sample itself": (
        "double_control_variate",
        "mean_of_others(slopes.unflatten(0, (-1, samples)))",
        "slopes.unflatten(0, (-1, samples))",
    ),
    "a control variate with a mean given its prefix": ("double_control_variate", "(x - p.detach())", "x"),
    "a control variate's baseline with the sample itself": (
        "double_control_variate",
        "(y - mean_of_others(y))",
        "(y - y.mean(1, keepdim=True))",
    ),
    "a control variate of the score of the first token alone": (
        "double_control_variate",
        "(g * (p - p.detach())).sum((1, 2))",
        "(g * (p - p.detach()))[:, 0].sum(1)",
    ),
    "a baseline that knows the token": ("rollout", "v.diff(dim=1)", "-v[:, 1:]"),
    "rollouts without the sampled end": ("rollout", "f - level]", "(begun[-1] - level[:, None]).mean(1)]"),
    "values of the place before": ("rollout", "value(t, inverse_cdf", "value(max(t - 1, 0), inverse_cdf"),
    "rollouts with the sampling's own uniforms": (
        "rollout",
        'noise["rollouts"], from',
        'noise["tokens"][:, None, :1].expand_as(noise["rollouts"]), from',
    ),
    "token and value of different places": (
        "local_expectation",
        "expected(p, q)",
        "expected(p, q.roll(1, 1))",
    ),
    "values weighed by probabilities of the others": (
        "local_expectation",
        "expected(p, q)",
        "expected(1 - p, q)",
    ),
    "a race that another token wins": ("arsm", "exp(), tokens, noise", "exp(), (tokens + 1) % 3, noise"),
    "a swap of one side": ("arsm", "j = c.transpose(-1, -2)", "j = finish[..., None, :]"),
    "swaps merged by others' weights": ("arsm", "vocabulary - pi)", "vocabulary - pi.roll(1, -1))"),
    "the antithesis of the other sign": ("disarm", "(q[..., 0] - q[..., 1])", "(q[..., 1] - q[..., 0])"),
    "coins beyond the lesser token forgotten": (
        "disarm",
        " - (log_likelihood(log_probs, high) - given)",
        "",
    ),
    "coins that are not antithetic": (
        "disarm",
        "torch.where(coins < s, -torch.expm1(alpha.clamp(max=0)), at)",
        "torch.sigmoid(-alpha)",
    ),
    "a coin's weight without its sign's removal": ("disarm", ".abs().sigmoid()", ".sigmoid()"),
}


@pytest.mark.parametrize("error", MUTANTS)
def test_a_planted_error_is_caught(error, monkeypatch):
    name, right, wrong = MUTANTS[error]
    options = {"samples": 2} if name == "reinforce_loo" else {}
    estimator = mutant(name, right, wrong, monkeypatch)(**options)
    assert judge(estimator, 3, 3).p_value < ALPHA


def mutant(name: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> type[Estimator]:
    """Load an estimator's file, or the shared one it draws from, with one thing changed."""
    sources = {
        module.__name__: inspect.getsource(module)
        for module in (control, importlib.import_module(f"discgan_core.estimators.{name}"))
    }
    assert sum(text.count(right) for text in sources.values()) == 1, "the code to mutate has changed"
    for full_name, text in sources.items():
        module = ModuleType(full_name)
        monkeypatch.setitem(sys.modules, full_name, module)
        exec(compile(text.replace(right, wrong), full_name, "exec"), module.__dict__)
    return getattr(sys.modules[f"discgan_core.estimators.{name}"], name)
