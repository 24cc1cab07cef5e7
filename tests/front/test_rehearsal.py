"""Whatever a user's own file does to its process is told, and changes nobody's numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.tables import store

ROOT = Path(__file__).parents[2]
RUN = ["run", "grammar", "--preset", "smoke", "--lengths", "3", "--sessions", "1", "--estimators"]
FILE = """
import os
import torch
from discgan_core.interface import Estimate, Estimator
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import log_likelihood, score

{top}

def mine():
    {made}
    def estimate(policy, reward, noise, state, data):
        {within}
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        f = of_tokens(reward, tokens, log_probs)
        return Estimate(f * score(log_likelihood(log_probs, tokens)).sum(1), {{"rewards": f}})
    return Estimator(estimate, noise=lambda length, vocabulary: {{"tokens": (length,)}})
"""
ACTS = {
    "raise SystemExit(0)": "SystemExit: 0",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise GeneratorExit": "GeneratorExit",
    "os._exit(0)": "with exit code 0",
    "os.kill(os.getpid(), 11)": "by SIGSEGV",
    "torch.set_default_dtype(torch.float64)": "torch's default dtype is torch.float64, no longer torch.f",
    "torch.exp = torch.tanh": "torch.exp is another",
    "torch.Tensor.erf = torch.tanh": "Tensor.erf is another",
    "torch.set_flush_denormal(True)": "what a few sums and functions give is another",
    "os.chdir('/')": "the current folder is /",
}


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments, "--plugin", "mine.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def written(place: str, act: str) -> None:
    Path("mine.py").write_text(FILE.format(**{"top": "", "made": "pass", "within": "pass", place: act}))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


CASES = [(place, act) for place in ("top", "made") for act in ACTS]
QUICK = [("top", "os._exit(0)"), ("made", "torch.exp = torch.tanh"), ("top", "raise KeyboardInterrupt")]


@pytest.mark.parametrize(
    ("place", "act"), [pytest.param(*case, marks=[pytest.mark.slow] * (case not in QUICK)) for case in CASES]
)
def test_what_a_file_does_when_it_is_loaded_is_told_in_one_line(place: str, act: str) -> None:
    written(place, act)
    done = called("test", "mine")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "mine.py" in done.stderr
    assert ACTS[act] in done.stderr or ACTS[act].replace("with exit", "exit") in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS)
def test_what_an_estimate_does_fails_its_own_sessions_alone(act: str) -> None:
    written("within", act)
    done = called(*RUN, "mine,reinforce_loo")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "report: " in done.stdout
    trials = store.read_trials(Path("results/smoke")).set_index("estimator")
    assert trials.loc["mine", "status"] == "failed"
    assert ACTS[act] in trials.loc["mine", "error"]
    assert set(trials.drop("mine")["status"]) == {"ok"}


@pytest.mark.slow
@pytest.mark.parametrize("act", ["os._exit(0)", "raise KeyboardInterrupt", "torch.exp = torch.tanh"])
def test_an_estimator_that_ends_its_process_does_not_pass(act: str) -> None:
    written("within", act)
    done = called("test", "mine")
    assert done.returncode == 1
    assert "FAILED: " in done.stdout
    assert ACTS[act] in done.stdout
    assert "checks failed" in done.stdout.splitlines()[-1]


def test_what_a_file_does_to_the_environment_stays_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import options

    monkeypatch.setenv("KEPT", "as it was")
    monkeypatch.setattr(options.estimators, "_loaded", {})
    written("top", "os.environ.update(KEPT='changed', OMP_NUM_THREADS='7', NEW='1')")
    before = dict(os.environ)
    options.known_estimators([Path("mine.py")])
    assert dict(os.environ) == before
