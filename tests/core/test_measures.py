"""What a task says of its own measures has to agree with what it measures, or one line tells where not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from discgan_core import tasks
from discgan_core.tasks import Measure

TASK = """
import torch
from discgan_core.tasks import Measure, Task

MEASURES = [{measures}]

def coin(length):
    return Task(
        ("heads", "tails"), length, lambda n, generator: torch.zeros(n, length, dtype=torch.long),
        lambda tokens: {{"heads": (tokens == 0).double().mean(1), "alike": (tokens == 0).all(1)}},
        str, lambda: torch.zeros(2), lambda tokens: tokens.new_full((len(tokens),), length),
    )
"""


@pytest.fixture
def coin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make the task with some measures declared."""
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(tmp_path)])

    def write(measures: str) -> None:
        (tmp_path / "coin.py").write_text(TASK.format(measures=measures))
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("discgan_core.tasks.coin", None)


def test_a_task_says_what_its_measures_are(coin):
    coin('Measure("heads", "share of heads", falls=True), Measure("alike", best=1)')
    assert tasks.make("coin", 3).length == 3
    assert tasks.measures("coin") == [
        Measure("heads", "share of heads", True),
        Measure("alike", "", False, 1),
    ]


def test_a_measure_that_there_is_not_is_refused(coin):
    coin('Measure("heads"), Measure("allike")')
    with pytest.raises(
        ValueError, match=r"task coin: its quality has no 'allike'.* but \['heads', 'alike'\]"
    ):
        tasks.make("coin", 3)


def test_both_have_the_same_first(coin):
    coin('Measure("alike"), Measure("heads")')
    with pytest.raises(
        ValueError, match="task coin: MEASURES begins with 'alike' and its quality with 'heads'"
    ):
        tasks.make("coin", 3)


def test_other_tasks_say_nothing():
    assert [tasks.measures(name) for name in [*tasks.available(), "uniform"]] == [[]] * (
        len(tasks.available()) + 1
    )
