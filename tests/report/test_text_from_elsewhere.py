"""Whatever a text from elsewhere has in it, it is seen, and changes nothing of what is around it."""

import csv
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure
from synthetic_tables import names

from bench import figures, report
from bench.errors import UserError
from bench.figures import _style as style
from bench.printable import in_lines, signs
from bench.report import folder, summary
from bench.report.summary import Table
from bench.tables import store

WEIRD = "a$b$c_{ |`na<b>me\x1b[31m\u202e\udcff\nx"
"""Mathematics that is none, marks of a table and of a page, a colour, a change of direction, half a sign."""


@pytest.mark.parametrize("text", [WEIRD, "my$list_{.txt", "$\\frac{$", "100$ or 200$", "\\$a$"])
def test_a_figure_shows_any_text_as_it_is(text: str, tmp_path: Path) -> None:
    with style.theme():
        figure = Figure()
        axes = figure.subplots()
        axes.set(title=text, xlabel=text)
        axes.bar([text], [1.0], label=text)
        axes.legend()
        figures.write(figure, tmp_path / "figure.svg")
    seen = "".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    assert seen.count(in_lines(text).split("\n")[0].replace("\\$", "$")) == 4


def test_numbers_of_axes_and_power_laws_are_still_mathematics(tmp_path: Path) -> None:
    with style.theme():
        figure = Figure()
        axes = figure.subplots()
        axes.plot([1e-5, 1e5], [1e-5, 1e5])
        axes.set(xscale="log", yscale="log", title="a$b, $T^{1.50}$")
        figures.write(figure, tmp_path / "figure.svg")
    seen = (tmp_path / "figure.svg").read_text("utf-8")
    assert "mathdefault" not in re.sub("<!--.*?-->", "", seen)
    assert "^{1.50}" not in re.sub("<!--.*?-->", "", seen)


def test_a_table_has_its_cells_whatever_is_in_them(tmp_path: Path) -> None:
    texts = pd.Series([WEIRD, "plain, with a comma"], dtype=object)
    numbers = pd.DataFrame({"label": texts, "value": [0.1, 2.0]})
    summary.save(Table(numbers, numbers.astype(object)), tmp_path / "table")
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        assert [*csv.reader(file)] == [
            ["label", "value"],
            [signs(WEIRD), "0.1"],
            ["plain, with a comma", "2"],
        ]
    lines = (tmp_path / "table.md").read_text("utf-8").splitlines()
    assert len(lines) == 4
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)
    assert "<" not in lines[2]
    assert r"\`" in lines[2]


@pytest.mark.slow
def test_a_whole_report_of_others_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = names(sessions=2)
    change = tables.trials.index[:3]
    tables.trials.loc[change, "status"] = "failed"
    tables.trials.loc[change, "error"] = WEIRD.replace("\udcff", "")
    for table in (tables.trials, tables.metrics):
        table["source"] = WEIRD.replace("\udcff", "")
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(store, "read", lambda _: tables)
    page = report.write(tmp_path / "results", tmp_path / "reports")
    text = page.read_text("utf-8")
    assert signs("\x1b[31m\u202e") in text
    assert not re.search("[\x1b\u202e]|na<b>", text)
    for path in tmp_path.rglob("*.svg"):
        ElementTree.parse(path)


def test_a_disk_that_is_full_is_one_line(tmp_path: Path) -> None:
    said = r"cannot write to .*reports \(No space left on device\): free it"
    with pytest.raises(UserError, match=said), folder.written(tmp_path / "reports"):
        raise OSError(28, os.strerror(28))


def test_what_killed_commands_left_is_cleared_away(tmp_path: Path) -> None:
    from bench import disk

    for place in ("", "figures", "tables"):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / f".x.svg.{disk._machine()}-4194999").touch()  # no system has so many processes
    with folder.written(tmp_path):
        pass
    assert not list(tmp_path.rglob(".*"))


def test_a_page_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "figure.svg").write_text("before")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with style.theme(), pytest.raises(OSError, match="No space"):
        figures.write(Figure(), tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text() == "before"
    assert len([*tmp_path.iterdir()]) == 1
