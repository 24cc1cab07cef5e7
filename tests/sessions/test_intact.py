"""What a process has in common is looked at, and every change of it is named."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch

from bench.experiments import grammar
from bench.sessions import intact
from discgan_core import sequences
from discgan_core.models.generator import LSTMPolicy

PATCHED = [
    (torch, "exp", "torch.exp"),
    (torch.Tensor, "softmax", "Tensor.softmax"),
    (torch.nn.functional, "softplus", "torch.nn.functional.softplus"),
    (torch.func, "vmap", "torch.func.vmap"),
    (np, "mean", "numpy.mean"),
    (np.random, "default_rng", "numpy.random.default_rng"),
    (random, "random", "random.random"),
    (math, "log", "math.log"),
    (sequences, "score", "discgan_core.sequences.score"),
    (sequences, "LOWEST", "discgan_core.sequences.LOWEST"),
    (intact, "states", "bench.sessions.intact.states"),
]


@pytest.mark.parametrize(("place", "name", "told"), PATCHED)
def test_what_is_patched_is_named(
    place: object, name: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    intact.beginning()
    intact.require()
    before = getattr(place, name)
    changed = (lambda *given, **named: before(*given, **named)) if callable(before) else before / 2
    monkeypatch.setattr(place, name, changed)
    with pytest.raises(intact.ChangedError, match=f"{told} is another"):
        intact.require()
    monkeypatch.undo()
    intact.require()


SET = {
    "default dtype": (lambda: torch.set_default_dtype(torch.float64), torch.set_default_dtype, torch.float32),
    "gradient mode": (lambda: torch.set_grad_enabled(False), torch.set_grad_enabled, True),
    "anomaly mode": (
        lambda: torch.autograd.set_detect_anomaly(True),
        torch.autograd.set_detect_anomaly,
        False,
    ),
    "deterministic": (
        lambda: torch.use_deterministic_algorithms(True),
        torch.use_deterministic_algorithms,
        False,
    ),
    "number of threads": (lambda: torch.set_num_threads(2), torch.set_num_threads, 1),
    "sums and functions": (lambda: torch.set_flush_denormal(True), torch.set_flush_denormal, False),
    "default device": (lambda: torch.set_default_device("meta"), torch.set_default_device, None),
    "numpy's handling": (lambda: np.seterr(all="raise"), lambda _: np.seterr(all="warn", under="ignore"), 0),
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", SET)
def test_what_is_set_is_named(name: str) -> None:
    change, back, value = SET[name]
    intact.beginning()
    try:
        change()
        with pytest.raises(intact.ChangedError, match=name):
            intact.require()
    finally:
        back(value)
    intact.require()


def test_a_preset_of_ours_is_no_place_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    intact.beginning()
    monkeypatch.setitem(grammar.PRESETS, "smoke", grammar.PRESETS["standard"])
    with pytest.raises(intact.ChangedError, match=r"grammar\.PRESETS is another"):
        intact.require()


def test_a_function_that_is_changed_from_within_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    intact.beginning()
    for part, value in (("__code__", sequences.log_likelihood.__code__), ("__defaults__", (1,))):
        monkeypatch.setattr(sequences.score, part, value)
        with pytest.raises(intact.ChangedError, match=r"\.score is another"):
            intact.require()
        monkeypatch.undo()
    intact.require()


def test_a_method_of_ours_that_is_patched_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    intact.beginning()
    monkeypatch.setattr(LSTMPolicy, "sample", lambda *_: None)
    with pytest.raises(intact.ChangedError, match=r"LSTMPolicy\.sample is another"):
        intact.require()
