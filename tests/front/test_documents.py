"""What the guide to the library shows, and the examples, are run as they stand."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import torch

from discgan_core import estimators
from discgan_core.interface import Need

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")


def test_the_guide_s_blocks_run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    torch.manual_seed(0)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    for block in blocks:
        assert len([line for line in block.splitlines() if line]) < 25
        exec(compile(block, "docs/library.md", "exec"), names)
    assert "reinforce_loo" in capsys.readouterr().out  # what `check` says
    assert names["theta"]["table"].softmax(-1)[4, 0] > 0.9  # type: ignore[index]


def test_the_blocks_on_frozen_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "frozen.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(block, "docs/frozen.md", "exec"), {})
    assert "seconds for an LSTM" in capsys.readouterr().out


def test_the_guide_names_every_need_and_who_has_it() -> None:
    for need in Need:
        assert need.value.removeprefix("a reward ") in GUIDE, need
    nothing = {name for name in estimators.available() if not estimators.make(name).needs}
    (row,) = (line for line in GUIDE.splitlines() if line.startswith("| nothing |"))
    assert len(row.split("|")[2].split(",")) == len(nothing)


@pytest.mark.parametrize("name", ["prompts", "end_mark"])
def test_an_example_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(ROOT / "examples" / f"{name}.py"))
    strings = example["main"]()
    if name == "prompts":
        means = [float(mean) for mean in re.findall(r"reward (\S+)", capsys.readouterr().out)]
        assert len(means) == 3
        assert min(means) > 0.5  # the share of one token of four is 0.25 at the start
    else:
        ends = [s.index(example["END"]) for s in strings.tolist() if example["END"] in s]
        assert len(ends) == len(strings)
        assert sum(end == 3 for end in ends) >= 4
