"""What CONTRIBUTING shows is added as it stands, and the report tells of it: nothing else is touched."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from conftest import inline_workers

from bench import experiments, figures
from bench.cli import main
from bench.running import processes
from discgan_core import estimators, tasks

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
PLACES = {
    "constant_baseline": estimators,
    "brackets": tasks,
    "brackets_": experiments,
    "ends": figures,
}
RUN = ["run", "brackets", "--preset", "smoke", "--estimators", "constant_baseline,reinforce_loo"]


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Put every block of the text where it says, each in a folder that its package looks in as well."""
    folder = tmp_path_factory.mktemp("newcomer")
    blocks = re.findall(r"```python\n(.*?)```", CONTRIBUTING.read_text(encoding="utf-8"), re.DOTALL)
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for (name, package), block in zip(PLACES.items(), blocks, strict=True):
            own = folder / package.__name__
            own.mkdir()
            (own / f"{name.rstrip('_')}.py").write_text(block, encoding="utf-8")
            patch.setattr(package, "__path__", [*package.__path__, str(own)])
        patch.setattr(figures, "available", lambda: ["ends", "learning_curves"])
        patch.setattr(processes, "workers", inline_workers)
        patch.chdir(folder)
        importlib.invalidate_caches()
        yield folder
    for name in set(sys.modules) - before:
        if name.rpartition(".")[2] in ("constant_baseline", "brackets", "ends"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def reports(added: Path) -> Path:
    """The folder of the report."""
    assert main(RUN) == 0
    return added / "reports" / "smoke"


@pytest.fixture
def page(reports: Path) -> str:
    """The page's words."""
    text = re.sub(r"data:image[^\"]*|<style.*?</style>|<[^>]+>", " ", (reports / "index.html").read_text())
    return re.sub(r"\s+", " ", unescape(text))


def test_the_new_measure_is_what_the_answers_are_about(page: str) -> None:
    assert re.search(r"ends with the highest fraction balanced: 0\.\d+( \[[^]]+\])? of 1 after 2 gen", page)
    assert "Final fraction balanced against REINFORCE, leave-one-out:" in page
    assert "Above its own start and every control:" in page
    assert "constant baseline" in page


def test_nothing_false_is_said(page: str) -> None:
    assert "At the end of training: mean and 95% interval" in page
    assert "ordered by fraction balanced" in page
    for wrong in ("Without training", "goodness", "Nothing says", "the data's language", "measures"):
        assert wrong not in page
    assert "a tick marks a string with the best fraction balanced, 1" in page


def test_the_tables_show_every_measure_and_what_the_data_come_to(reports: Path) -> None:
    head, _, data, first, *_ = (reports / "tables" / "brackets-6-summary.md").read_text().splitlines()
    assert head.startswith("| estimator | fraction balanced | surplus of one bracket |")
    assert data.startswith("| data (a fresh sample) | 1.000 | 0.000 |")
    assert "data" not in first
    differences = (reports / "tables" / "brackets-6-differences.md").read_text()
    assert "difference in final fraction balanced" in differences


def test_the_new_figure_is_drawn_beside_the_others(reports: Path, page: str) -> None:
    assert {"brackets-6-ends.svg", "brackets-6-learning_curves.svg"} <= {
        path.name for path in (reports / "figures").iterdir()
    }
    assert "The end of training" in page


@pytest.mark.slow
def test_the_new_estimator_keeps_the_contract(added: Path) -> None:
    assert main(["test", "constant_baseline"]) == 0
