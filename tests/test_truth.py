"""Every estimator against the exact gradient; and planted errors, each of which must be caught."""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from referee import ALPHA, hotelling, judge
from scipy import stats

from discgan_core import control, estimators
from discgan_core.interface import Estimator

VARIANTS: dict[str, list[dict[str, float]]] = {
    "reinforce_loo": [{"samples": 2}],
    "rebar": [{"temperature": 0.3, "eta": 0.6}, {"learning_rate": 0.01}],
    "relax": [{"temperature": 0.3, "learn_relaxation": True}],
}
PLAIN = [(name, {}) for name in estimators.available()]
CASES = PLAIN + [(name, options) for name, found in VARIANTS.items() for options in found]
SEQUENCE_FORMS = ("rebar_sequence", "relax_sequence")
"""Biased at lengths above one only, where they are no longer `rebar` and `relax`."""
SIZES = [(3, 3), (2, 4), (4, 1)]


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize(("vocabulary", "length"), SIZES)
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_declared_bias_is_the_measured_one(name, options, vocabulary, length, record_property):
    estimator = estimators.make(name, **options)
    draws = 20_000 if estimator.unbiased else max(5_000, 100_000 // estimator.samples_per_draw)
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
        "(groups.sum(1, keepdim=True) - groups) / (samples - 1)",
        "groups.mean(1, keepdim=True)",
    ),
    "last step's score forgotten": ("reinforce", ".sum(1), {", "[:, :-1].sum(1), {"),
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
