"""The contract of an estimator, checked on any one of them, a user's own as much as ours.

What `discgan_core.interface` promises its readers, and the experiments rely on, is tried on problems small
enough to know the answer. Every check says in words what it found, or what is wrong and where to look.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from bench.contract import cost, draws, forms, needs, sessions, truth
from bench.contract.case import Broken
from bench.sessions import intact
from discgan_core import estimators
from discgan_core.interface import Estimator
from discgan_core.plugins import told


class Check(NamedTuple):
    """One thing that an estimator has to keep.

    Attributes:
        name: what is checked.
        run: gives a remark on what was found, or raises `Broken`.
    """

    name: str
    run: Callable[[Estimator], str]


class Finding(NamedTuple):
    """How an estimator did: whether it keeps what was checked, and a remark, or what is wrong."""

    kept: bool
    text: str


CHECKS = [
    Check("what it declares", forms.declarations),
    Check("shapes of noise, draws and information", forms.shapes),
    Check("the same noise gives the same numbers", forms.determinism),
    Check("a batch is the mean of its draws", draws.independence),
    Check("what it learns and carries keeps its form", draws.adaptation),
    Check("sessions of a stack are each as alone", sessions.alone),
    Check("sessions train the same in any company, bit for bit", sessions.company),
    Check("very large logits and extreme noise", draws.extremes),
    Check("any policy and any function as reward", draws.anywhere),
    Check("calls of generator and discriminator are counted", cost.counted),
    Check("what it needs is what it declares", needs.declared),
    *(
        Check(f"declared bias against the exact gradient, {v} tokens, length {t}", partial(truth.bias, v, t))
        for v, t in truth.SIZES
    ),
]


def find(place: int, name: str, path: Path) -> Finding:
    """Run the check in that place on an estimator known by its name and file, whatever that may do.

    It is for a process of its own, in which the estimator's file is loaded here.
    """
    torch.set_num_threads(1)
    intact.beginning()
    try:
        if estimators.bare(name) not in estimators.available():
            estimators.load(path)
        found = carry_out(CHECKS[place], estimators.make(name), path)
        intact.require()
    except intact.ChangedError as error:
        return Finding(False, f"{path}: {error}")
    except BaseException as error:
        return Finding(False, told(error, path))
    return found


def carry_out(check: Check, estimator: Estimator, path: Path) -> Finding:
    """Run one check; whatever an estimator raises, it does not pass."""
    try:
        return Finding(True, check.run(estimator))
    except Broken as broken:
        return Finding(False, str(broken))
    except Exception as error:
        return Finding(False, told(error, path))
