"""Figures: one look per estimator in all of them, every axis labelled, nothing left behind."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from bench import figures, schema, stats, style, texts
from bench.store import Tables

SHARING = ["bias", "cost", "learning_curves", "lengths", "relaxation", "unigrams", "variance_by_tensor"]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables.everything(sessions=3, steps=[0, 100], lambdas=[0.1, 1, 10])


@pytest.fixture(scope="module")
def drawn(tables: Tables) -> dict[str, Figure]:
    with style.theme():
        return {name: figures.load(name).draw(tables) for name in figures.available()}


@pytest.fixture
def cfg(tables: Tables) -> Tables:
    return dict(stats.slices(tables))["cfg", "cfg", 12]


def draw(name: str, tables: Tables) -> Figure | None:
    with style.theme():
        return figures.load(name).draw(tables)


def visible(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def legend(figure: Figure) -> set[str]:
    return {text.get_text() for legend in figure.legends for text in legend.texts}


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
    assert len(drawn) == 10
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
    assert {"0.1", "1", "10", style.label("rebar"), style.label("rebar_sequence")} == legend(
        drawn["temperature"]
    )


def test_looks_differ_in_more_than_colour() -> None:
    looks = style.LOOKS.values()
    for feature in ("label", "colour", "marker"):
        assert len({getattr(look, feature) for look in looks}) == len(looks)


def test_estimators_to_come_have_a_place_of_their_own() -> None:
    coming = ["rollout", "vargrad", "arsm", "disarm", "muprop", "ppo"]
    looks = [style.look(name) for name in coming]
    known = {look.colour for look in style.LOOKS.values()}
    assert style.look("leaky_rebar") == style.look("leaky_rebar")
    assert len({look.colour for look in looks}) == len(coming)
    assert not known & {look.colour for look in looks}
    assert style.label("leaky_rebar") == "leaky rebar"


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
    figure = draw("learning_curves", renamed)
    assert colours(figure)["something new"] == style.look("something_new").colour.lower()


def test_nothing_to_show_gives_no_figure(tables: Tables) -> None:
    nothing = tables._replace(metrics=tables.metrics.iloc[:0])
    assert not any(figures.load(name).draw(nothing) for name in figures.available())


def test_one_session_can_be_drawn() -> None:
    tables = synthetic_tables.everything(1, lengths=(3,), steps=[0, 1], lambdas=[1])
    assert all(draw(name, tables) for name in figures.available())


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


def test_many_conditions_take_a_row_for_each_family(cfg: Tables) -> None:
    figure = draw("learning_curves", cfg)
    quality = [axes for axes in visible(figure) if axes.get_subplotspec().is_first_col()]
    titles = ["score function", "Gumbel-softmax", "relaxed or straight-through"]
    assert [axes.get_title().partition(": ")[2] for axes in quality] == titles
    for axes in quality:
        shown = {str(line.get_label()) for line in axes.lines}
        assert {"null reward (control)", "maximum likelihood (reference)"} < shown
        assert axes.get_ylim() == quality[0].get_ylim()
        assert len(shown) <= 12
    assert legend(figure) == {style.label(*condition) for condition in synthetic_tables.CFG}


def test_few_conditions_take_one_row(tables: Tables) -> None:
    figure = draw("learning_curves", dict(stats.slices(tables))["grammar", "grammar", 15])
    assert len(visible(figure)) == 3


def test_losses_have_a_column_for_each_setting(cfg: Tables) -> None:
    axes = visible(draw("losses", cfg))
    titles = [axis.get_title().rpartition("\n")[2] for axis in axes[:5]]
    assert titles == [
        "(a) annealed",
        "(b) 1,000 generated",
        "(c) input annealed",
        "(d) noise in h only",
        "tuned",
    ]
    assert len(axes) == 10
    for row, undecided in ((axes[:5], 0), (axes[5:], np.log(2))):
        assert len({axis.get_ylim() for axis in row}) == 1
        assert all(undecided in np.ravel(axis.lines[1].get_ydata()) for axis in row)


def test_losses_follow_the_settings_that_there_are(cfg: Tables, tables: Tables) -> None:
    kept = cfg.metrics["setting"].isin(["default", "null_reward", "annealed"])
    axes = visible(draw("losses", cfg._replace(metrics=cfg.metrics[kept])))
    assert [axis.get_title() for axis in axes] == ["cfg, length 12\n(a) annealed", ""]
    assert draw("losses", dict(stats.slices(tables))["grammar", "grammar", 3]) is None


def test_text_marks_what_parses_and_shows_spaces(cfg: Tables) -> None:
    axes = visible(draw("text", cfg))
    assert len(axes) == 1 + len(synthetic_tables.VARIANTS)
    final = stats.rows(cfg, schema.STRING)
    valid = dict(zip(final["parameter"], final["value"], strict=True))
    for column in axes:
        lines = [text.get_text() for text in column.texts]
        strings, dots = lines[::2], lines[1::2]
        assert 12 <= len(strings) <= 20
        for string, faint in zip(strings, dots, strict=True):
            assert string.startswith("\N{CHECK MARK}") == (valid[string[2:]] == 1)
            assert faint[2:].replace("\N{MIDDLE DOT}", "") == " " * (12 - string[2:].count(" "))
        ticks = sum(string.startswith("\N{CHECK MARK}") for string in strings)
        assert column.get_xlabel() == f"{ticks} of {len(strings)} parse"


def test_texts_are_drawn_from_every_session_alike_and_by_lot() -> None:
    table = pd.DataFrame({"session": np.repeat(range(3), 10), "parameter": [f"{n:02d}" for n in range(30)]})
    found = texts.drawn(table, 8)
    assert found["session"].is_monotonic_increasing
    assert found["session"].value_counts().tolist() == [3, 3, 2]
    assert found["parameter"].tolist() == texts.drawn(table, 8)["parameter"].tolist()
    assert found["parameter"].tolist() != sorted(found["parameter"])


def test_a_length_that_did_not_come_counts_as_nothing(cfg: Tables) -> None:
    found, data = figures.load("lengths").shares(cfg)
    assert data.to_dict() == pytest.approx(synthetic_tables.LENGTHS)
    metrics = cfg.metrics
    fives = (metrics["metric"] == schema.LENGTH) & (metrics["parameter"] == "5") & (metrics["session"] > 0)
    fewer, _ = figures.load("lengths").shares(cfg._replace(metrics=metrics[~fives]))
    column = ["estimator", "setting", "parameter"]
    before, after = (table.set_index(column)["mean"]["reinforce", "default", 5] for table in (found, fewer))
    assert after == pytest.approx(before / 3, rel=0.2)


def test_one_length_is_no_distribution(tables: Tables) -> None:
    assert draw("lengths", dict(stats.slices(tables))["grammar", "grammar", 15]) is None


def test_a_bias_that_is_not_measurable_is_an_upper_bound(tables: Tables) -> None:
    relaxation = dict(stats.slices(tables))["relaxation", "grammar", 3]
    bias, variance, error = visible(draw("relaxation", relaxation))
    assert any(bars.lines[1] for bars in bias.containers)
    for axes in (bias, variance, error):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        values = np.concatenate([np.array(bars.lines[0].get_ydata(), float) for bars in axes.containers])
        assert (values[np.isfinite(values)] > 0).all()
    assert any(np.isnan(np.array(bars.lines[0].get_ydata(), float)).any() for bars in bias.containers)
    for axes in (variance, error):
        assert sum(len(bars.lines[0].get_ydata()) for bars in axes.containers) == 7 * 7


def test_without_training_no_quality_is_drawn(tables: Tables) -> None:
    relaxation = dict(stats.slices(tables))["relaxation", "grammar", 3]
    assert [name for name in figures.available() if draw(name, relaxation)] == ["relaxation"]
