"""The regression check: what is worse is caught, what is not is let pass, on a busy machine too."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
import torch

from bench import cli
from bench.contract import check
from bench.errors import program
from bench.sessions.updates import Updates
from discgan_core import estimators
from discgan_core.interface import Estimate

FEW = ["exact", "reinforce_loo"]


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Only some estimators, and a baseline of their own."""
    monkeypatch.setattr(estimators, "available", lambda: FEW)
    monkeypatch.setattr(check, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(check, "ROUNDS", 5)
    monkeypatch.setattr(check, "SLOWER", 0.3)
    return tmp_path / "baseline.json"


def run(*arguments):
    return cli.main(["check", *arguments])


def silent(name):
    """Tell nobody."""


def worse(baseline):
    """Measure anew and give what got worse."""
    return [c.figure for c in check.changes(baseline, check.measure(baseline, silent)) if c.worse]


def slowed(monkeypatch, factor):
    """Plant a slowdown: every update takes so many times what it took."""
    plain = Updates.update

    def update(self):
        start = time.process_time()
        plain(self)
        end = start + factor * (time.process_time() - start)
        while time.process_time() < end:
            pass

    monkeypatch.setattr(Updates, "update", update)


def noisier(monkeypatch):
    """Plant twice the variance in leave-one-out: half of its draws count double, the others not at all."""
    make = estimators.make

    def planted(name, **options):
        estimator = make(name, **options)
        if name != "reinforce_loo":
            return estimator

        def estimate(policy, reward, noise, state, data):
            found = estimator.estimate(policy, reward, noise, state, data)
            lot = noise["reward"][:: estimator.samples_per_draw]
            return Estimate(found.surrogate * 2 * (lot < 0.5), found.info)

        return estimator._replace(estimate=estimate)

    monkeypatch.setattr(estimators, "make", planted)


def test_an_unchanged_program_passes_and_says_so(few, capsys):
    assert run("--update-baseline") == 0
    assert set(json.loads(few.read_text())) == set(FEW)
    capsys.readouterr()
    assert run() == 0
    assert "no figure of 2 estimators got worse" in capsys.readouterr().out


def test_twice_the_variance_is_caught_and_named(few, capsys, monkeypatch):
    run("--update-baseline")
    noisier(monkeypatch)
    capsys.readouterr()
    assert run() == 1
    lines = capsys.readouterr().out.splitlines()
    worse = [line.split() for line in lines if line.endswith("worse") and "variance" in line]
    assert [line[0] for line in worse] == ["reinforce_loo"]
    assert 1.4 < float(worse[0][-2]) < 4


def test_a_slower_program_is_caught(few, capsys, monkeypatch):
    run("--update-baseline")
    slowed(monkeypatch, 1.5)
    capsys.readouterr()
    assert run() == 1
    out = capsys.readouterr().out
    assert "time of an update" in out
    assert "variance" not in out


def test_what_got_better_is_shown_and_does_not_fail(few, capsys):
    run("--update-baseline")
    rows = json.loads(few.read_text())
    rows["reinforce_loo"]["variance"] *= 2
    rows["exact"]["speed"] *= 3
    few.write_text(json.dumps(rows))
    capsys.readouterr()
    assert run() == 0
    assert capsys.readouterr().out.count("better") == 2


def test_an_estimator_that_is_gone_fails_and_a_new_one_is_mentioned(few, capsys):
    run("--update-baseline")
    rows = json.loads(few.read_text())
    rows["gone"] = rows.pop("exact")
    few.write_text(json.dumps(rows))
    capsys.readouterr()
    assert run() == 1
    out = capsys.readouterr().out
    assert "gone" in out
    assert "not in the baseline, so not compared: exact" in out


def row(**changed):
    """Write a baseline of one estimator."""
    return json.dumps({"exact": {"variance": 0, "bias": 0, "noise": 0, "speed": 1, **changed}})


NONE = {
    "none": None,
    "no text": b"\xff",
    "cut short": "{",
    "empty": "{}",
    "a list": "[1]",
    "other figures": '{"exact": {"what": 1}}',
    "not all figures": '{"exact": {"speed": 1}}',
    "of none of ours": row().replace("exact", "gone"),
    "words": row(variance="0.1"),
    "a truth value": row(bias=True),
    "no number": row(noise=float("nan")),
    "no time": row(speed=0),
}


@pytest.mark.parametrize("case", NONE)
def test_without_a_baseline_one_line_says_what_to_do_and_that_does_it(few, case, capsys, monkeypatch):
    text = NONE[case]
    if text is not None:
        few.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert run() == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert f"{few}" in said.err
    assert f"`{program()} check --update-baseline` makes one" in said.err
    measured = {name: check.Figures(0.0, 0.0, 0.0, 1.0) for name in FEW}
    monkeypatch.setattr(check, "measure", lambda before, tell: measured)
    assert run("--update-baseline") == 0
    assert check.read() == measured


@pytest.mark.parametrize("arguments", [[], ["--update-baseline"]])
def test_a_baseline_that_cannot_be_read_is_told_before_anything_is_measured(few, arguments, capsys):
    few.mkdir()
    assert run(*arguments) == 2
    assert capsys.readouterr().err.startswith(f"error: cannot read the baseline {few}: ")


def test_the_committed_baseline_has_every_estimator():
    assert set(check.read()) == set(estimators.available())


@pytest.mark.slow
def test_twenty_of_twenty_with_the_other_core_busy(monkeypatch):
    """An unchanged program passes; one slower by 20%, or of twice the variance, is caught: every time."""
    monkeypatch.setattr(estimators, "available", lambda: ["reinforce_loo"])
    torch.set_num_threads(1)
    busy = subprocess.Popen([sys.executable, "-c", "while True: sum(i * i for i in range(10**6))"])
    time.sleep(2)  # until it is at work
    try:
        first = check.measure({}, silent)
        assert [worse(first) for _ in range(20)] == [[]] * 20
        with monkeypatch.context() as patch:
            slowed(patch, 1.2)
            assert [worse(first) for _ in range(20)] == [["time of an update"]] * 20
        noisier(monkeypatch)
        assert all("variance" in worse(first) for _ in range(20))
    finally:
        busy.kill()
        busy.wait()
