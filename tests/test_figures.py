"""Figures: one look per estimator in all of them, every axis labelled, nothing left behind."""

import sys
from pathlib import Path

import pytest
import synthetic_tables
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from bench import figures, style
from bench.store import Tables

SHARING = ["bias", "cost", "learning_curves", "unigrams", "variance_by_tensor"]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables.make(sessions=3, steps=[0, 100], lambdas=[0.1, 1, 10])


@pytest.fixture(scope="module")
def drawn(tables: Tables) -> dict[str, Figure]:
    with style.theme():
        return {name: figures.load(name).draw(tables) for name in figures.names()}


def visible(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def colours(figure: Figure) -> dict[str, str]:
    """Label -> colour of everything in a figure that is labelled."""
    found = {}
    for axes in visible(figure):
        for line in axes.lines:
            found[str(line.get_label())] = to_hex(line.get_color())
        for bars in axes.containers:
            if hasattr(bars, "has_xerr"):
                found[str(bars.get_label())] = to_hex(bars.lines[0].get_color())
    return found


def test_every_figure_has_something_to_show_words_and_labels(drawn: dict[str, Figure]) -> None:
    assert len(drawn) == 6
    for name, figure in drawn.items():
        module = figures.load(name)
        assert module.TITLE
        assert module.CAPTION.endswith(".")
        for axes in visible(figure):
            assert axes.get_xlabel(), name
            labels = [text.get_text() for text in axes.get_yticklabels()]
            assert axes.get_ylabel() or any(labels) or not axes.get_subplotspec().is_first_col()


@pytest.mark.parametrize("name", SHARING)
def test_an_estimator_has_the_same_colour_in_every_figure(drawn: dict[str, Figure], name: str) -> None:
    expected = {look.label: look.colour.lower() for look in style.LOOKS.values()}
    found = {k: v for k, v in colours(drawn[name]).items() if k in expected}
    assert len(found) >= 7
    assert found == {label: expected[label] for label in found}


def test_the_temperature_figure_shows_every_temperature(drawn: dict[str, Figure]) -> None:
    texts = [text.get_text() for legend in drawn["temperature"].legends for text in legend.texts]
    assert {"0.1", "1", "10", style.label("rebar"), style.label("rebar_sequence")} == set(texts)


def test_looks_differ_in_more_than_colour() -> None:
    looks = style.LOOKS.values()
    for feature in ("label", "colour", "marker"):
        assert len({getattr(look, feature) for look in looks}) == len(looks)


def test_estimators_to_come_have_a_place_of_their_own() -> None:
    coming = ["gumbel_softmax", "straight_through", "reinmax", "rollout", "vargrad", "arsm"]
    looks = [style.look(name) for name in coming]
    known = {look.colour for look in style.LOOKS.values()}
    assert style.look("gumbel_softmax") == style.look("gumbel_softmax")
    assert len({look.colour for look in looks}) == len(coming)
    assert not known & {look.colour for look in looks}
    assert style.label("gumbel_softmax") == "gumbel softmax"


def test_settings_keep_their_estimators_colour_and_are_sorted_by_number(tables: Tables) -> None:
    assert style.look("rebar", "lambda=0.1").colour == style.look("rebar").colour
    swept = tables.trials[tables.trials["experiment"] == "temperature"]
    settings = [setting for name, setting in style.ordered(swept) if name == "rebar"]
    assert settings == ["lambda=0.1", "lambda=1", "lambda=10"]


def test_an_unknown_estimator_is_drawn(tables: Tables) -> None:
    swap = {"rebar": "something_new"}
    renamed = tables._replace(
        metrics=tables.metrics.replace({"estimator": swap}),
        trials=tables.trials.replace({"estimator": swap}),
    )
    with style.theme():
        figure = figures.load("learning_curves").draw(renamed)
    assert colours(figure)["something new"] == style.look("something_new").colour.lower()


def test_nothing_to_show_gives_no_figure(tables: Tables) -> None:
    nothing = tables._replace(metrics=tables.metrics.iloc[:0])
    assert [figures.load(name).draw(nothing) for name in figures.names()] == [None] * 6


def test_one_session_can_be_drawn() -> None:
    tables = synthetic_tables.make(1, (3,), [0, 1], [1])
    with style.theme():
        assert all(figures.load(name).draw(tables) for name in figures.names())


def test_the_same_tables_give_the_same_files(tables: Tables, tmp_path: Path) -> None:
    first, second = (figures.save("bias", tables, tmp_path, stem) for stem in "ab")
    assert first
    assert second
    assert first.svg.read_bytes() == second.svg.read_bytes()
    assert first.png.read_bytes() == second.png.read_bytes()


def test_nothing_is_left_in_pyplot(drawn: dict[str, Figure]) -> None:
    assert drawn
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
