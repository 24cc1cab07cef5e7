"""Plug-ins that misbehave: text of the file `mine.py` for each case."""

from __future__ import annotations

GOOD = """
import os, signal, subprocess, sys, threading, time
import numpy, torch
from discgan_core.interface import Estimate, Estimator
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import log_likelihood, score

{imported}

def mine():
    {made}

    def estimate(policy, reward, noise, state, data):
        {estimated}
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        f = of_tokens(reward, tokens, log_probs)
        return Estimate(f * score(log_likelihood(log_probs, tokens)).sum(1), {{"rewards": f}})

    return Estimator(estimate, noise=lambda length, vocabulary: {{"tokens": (length,)}})
"""
MOMENTS = ("imported", "made", "estimated")
DEEDS = {
    "SystemExit(0)": "raise SystemExit(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "RecursionError": "raise RecursionError('deep')",
    "MemoryError": "raise MemoryError",
    "os._exit(0)": "os._exit(0)",
}
"""What is tried at each moment."""
SPOILING = {
    "kills itself by SIGSEGV": "os.kill(os.getpid(), signal.SIGSEGV)",
    "kills itself by SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "sets the default type": "torch.set_default_dtype(torch.float16)",
    "patches torch.exp": "torch.exp = torch.Tensor.exp = lambda x, *a, **k: x * 0 + 2",
    "patches numpy": "numpy.mean = numpy.sum = lambda *a, **k: 7.0",
    "sets the environment": "os.environ.update(OMP_NUM_THREADS='7', TMPDIR='/nowhere')",
    "goes elsewhere": "os.chdir('/')",
    "ignores SIGTERM": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "seeds torch": "torch.manual_seed(7)",
    "turns gradients off": "torch.set_grad_enabled(False)",
    "leaves a thread": "threading.Thread(target=time.sleep, args=(60,)).start()",
    "leaves a child": "subprocess.Popen(['sleep', '60'])",
    "leaves a child in a group of its own": "subprocess.Popen(['sleep', '60'], start_new_session=True)",
    "prints 50 MB": "os.path.exists('said') or print('x' * 50_000_000); open('said', 'w').close()",
    "prints control characters": r"print('\x1b[2J\u202e')",
    "an error of 50 MB": "raise ValueError('x' * 50_000_000)",
    "an error of control characters": r"raise ValueError('\x1b[2J\r\n\x00\u202e\u2066')",
    "an error of half a pair": r"raise ValueError('\udcff')",
    "an error without words": "raise ValueError",
    "closes stderr": "os.close(2)",
    "raises where it cannot be sent": "raise type('Own', (Exception,), {})('mine')",
}
"""What is tried where it is imported and while it estimates."""


def text(moment: str, deed: str) -> str:
    """Write a plug-in that does something at a moment, and is good apart from it."""
    return GOOD.format(**{each: deed if each == moment else "pass" for each in MOMENTS})


PLUGINS: dict[str, str] = {
    "nothing bad": text("made", "pass"),
    **{f"{name}, {moment}": text(moment, deed) for moment in MOMENTS for name, deed in DEEDS.items()},
    **{f"{name}, {moment}": text(moment, deed) for moment in MOMENTS[::2] for name, deed in SPOILING.items()},
}
