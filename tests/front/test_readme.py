"""What the README shows is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_library_example_learns_and_adapts():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = (block for block in blocks if "estimators.make" in block)
    assert len([line for line in example.splitlines() if line]) < 25
    names: dict[str, object] = {}
    exec(compile(example, str(README), "exec"), names)
    assert names["model"].table.softmax(-1)[4, 0] > 0.9  # type: ignore[attr-defined] # the reward asks for token 0
    assert names["climb"].state.learned["out.weight"].abs().max() > 0  # type: ignore[attr-defined]


def test_the_plug_in_shown_is_the_example():
    text = README.read_text(encoding="utf-8")
    assert (README.parent / "examples" / "moving_baseline.py").read_text(encoding="utf-8") in text


def test_it_stays_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) < 200
