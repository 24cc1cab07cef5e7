"""What is installed: the exact versions of constraints.txt lie within the ranges of pyproject.toml."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def holds(requirement, python):
    """Whether it is asked for with this Python, by a developer."""
    return requirement.marker is None or requirement.marker.evaluate(
        {"python_version": python, "extra": "dev"}
    )


def pinned(python):
    """The exact version of every package."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    exact = [(canonicalize_name(pin.name), str(pin.specifier)) for pin in pins if holds(pin, python)]
    assert len(exact) == len(dict(exact)), "a package is pinned twice"
    return {name: version.removeprefix("==") for name, version in exact}


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_every_dependency_is_pinned_within_its_range(python):
    pins = pinned(python)
    wanted = [Requirement(text) for text in requires("discgan-bench")]
    named = {canonicalize_name(want.name): want.specifier for want in wanted if holds(want, python)}
    assert len(named) > 20
    assert named.keys() - pins.keys() == set()
    assert {name: pins[name] for name, allowed in named.items() if pins[name] not in allowed} == {}
