"""What is shown while a report is drawn."""

import pytest

from bench.running.progress import drawing


def test_a_log_says_when_drawing_begins_and_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with drawing() as told:
        for drawn, done in ((0, 1), (1, 2), (1, 3), (2, 4)):
            told(drawn, done, 4)
    assert capsys.readouterr().err == "drawing the report\n2 figures drawn\n"


def test_nothing_is_said_of_a_report_that_could_not_begin(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no results"), drawing():
        raise ValueError("no results")
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_how_many_figures_there_are_so_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with drawing() as told:
        told(12, 40, 49)
    assert "12 figures so far" in capsys.readouterr().err
