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

from bench import figures
from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.statistics import headline, lineup, stats, texts
from bench.tables import schema
from bench.tables.store import Tables

SHARING = ["bias", "cost", "learning_curves", "lengths", "relaxation", "unigrams", "variance_by_tensor"]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables.everything(sessions=3, steps=[0, 100], lambdas=[0.1, 1, 10])


@pytest.fixture(scope="module")
def drawn(tables: Tables) -> dict[str, Figure]:
    with style.theme():
        return {name: figures.load(name).draw(tables) for name in figures.available()}


@pytest.fixture
def names(tables: Tables) -> Tables:
    return dict(stats.slices(tables))["names", "names", "kantrowitz", 10]


@pytest.fixture
def cfg(tables: Tables) -> Tables:
    return dict(stats.slices(tables))["cfg", "cfg", "synthetic", 12]


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
    assert None not in drawn.values()
    for name, figure in drawn.items():
        module = figures.load(name)
        assert module.TITLE
        assert module.CAPTION.endswith(".")
        last = {axes.get_subplotspec().colspan.start: axes for axes in visible(figure)}
        assert all(axes.get_xlabel() for axes in last.values()), name
        for axes in visible(figure):
            assert axes.get_xlabel() or not axes.xaxis.get_tick_params()["labelbottom"], name
            labels = [text.get_text() for text in axes.get_yticklabels()]
            assert axes.get_ylabel() or any(labels) or not axes.get_subplotspec().is_first_col()


@pytest.mark.parametrize("name", ["learning_curves", "lengths"])
def test_rows_on_the_same_axes_are_labelled_along_x_once(tables: Tables, name: str) -> None:
    drawn = [figure for _, part in stats.slices(tables) if (figure := draw(name, part))]
    columns: list[list[Axes]] = []
    for figure in drawn:
        own: dict[int, list[Axes]] = {}
        for axes in visible(figure):
            own.setdefault(axes.get_subplotspec().colspan.start, []).append(axes)
        columns += own.values()
    assert max(map(len, columns)) > 1
    for *above, last in columns:
        assert not any(axes.get_xlabel() for axes in above)
        assert last.get_xlabel()
        assert len({axes.get_xlim() for axes in (*above, last)}) == 1


@pytest.mark.parametrize("name", SHARING)
def test_an_estimator_has_the_same_colour_in_every_figure(drawn: dict[str, Figure], name: str) -> None:
    expected = {lineup.label(*c): style.look(*c).colour.lower() for c in style.LOOKS}
    found = {k: v for k, v in colours(drawn[name]).items() if k in expected}
    assert len(found) >= 7
    assert found == {label: expected[label] for label in found}


def test_the_temperature_figure_shows_every_temperature(drawn: dict[str, Figure]) -> None:
    assert {"0.1", "1", "10", lineup.label("rebar"), lineup.label("rebar_sequence")} == legend(
        drawn["temperature"]
    )


def test_looks_differ_in_more_than_colour() -> None:
    looks = [style.look(*condition) for condition in style.LOOKS]
    for feature in ("label", "colour", "marker"):
        assert len({getattr(look, feature) for look in looks}) == len(looks)


def test_estimators_to_come_have_a_place_of_their_own() -> None:
    coming = ["carms", "vargrad", "muprop", "ppo", "armed", "leakgan"]
    looks = [style.look(name) for name in coming]
    known = {style.look(*condition).colour for condition in style.LOOKS}
    assert style.look("leaky_rebar") == style.look("leaky_rebar")
    assert len({look.colour for look in looks}) == len(coming)
    assert not known & {look.colour for look in looks}
    assert lineup.label("leaky_rebar") == "leaky rebar"


def test_settings_keep_their_estimators_colour_and_are_sorted_by_number(tables: Tables) -> None:
    assert style.look("rebar", "lambda=0.1").colour == style.look("rebar").colour
    swept = tables.trials[tables.trials["experiment"] == "temperature"]
    settings = [setting for name, setting in lineup.ordered(swept) if name == "rebar"]
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
    tables = synthetic_tables.everything(1, lengths=(3,), steps=[0, 1], lambdas=[1, 10])
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
    assert legend(figure) == {lineup.label(*condition) for condition in synthetic_tables.CFG}


def test_few_conditions_take_one_row(tables: Tables) -> None:
    figure = draw("learning_curves", dict(stats.slices(tables))["grammar", "grammar", "synthetic", 15])
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
    assert draw("losses", dict(stats.slices(tables))["grammar", "grammar", "synthetic", 3]) is None


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
        assert column.get_xlabel() == f"{ticks} of {len(strings)} valid"


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
    assert draw("lengths", dict(stats.slices(tables))["grammar", "grammar", "synthetic", 15]) is None


def test_a_bias_that_is_not_measurable_is_an_upper_bound(tables: Tables) -> None:
    relaxation = dict(stats.slices(tables))["relaxation", "grammar", "synthetic", 3]
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
    relaxation = dict(stats.slices(tables))["relaxation", "grammar", "synthetic", 3]
    assert [name for name in figures.available() if draw(name, relaxation)] == ["relaxation"]


def test_the_likelihood_gans_losses_lie_between_all_sessions(drawn: dict[str, Figure], names: Tables) -> None:
    surrogate = stats.among(stats.rows(names, schema.SURROGATE), [headline.PAPER])
    loss = surrogate.assign(value=-surrogate["value"]).groupby("step")["value"]
    discriminator, generator = visible(drawn["name_losses"])
    assert generator.lines[0].get_ydata() == pytest.approx(loss.mean().to_numpy())
    heights = generator.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((loss.min().min(), loss.max().max()))
    assert (discriminator.get_yscale(), generator.get_yscale()) == ("log", "linear")
    assert "minimum to maximum" in figures.load("name_losses").CAPTION


def test_only_names_have_the_likelihood_gans_losses(names: Tables) -> None:
    losses = figures.load("name_losses").losses
    metrics = names.metrics
    assert losses(names)
    assert losses(names._replace(metrics=metrics[metrics["metric"] != schema.REAL_FRACTION])) is None
    assert losses(names._replace(metrics=metrics[metrics["estimator"] != "likelihood"])) is None


def test_a_few_conditions_stand_for_all_names(drawn: dict[str, Figure]) -> None:
    titles = [axes.get_title() for axes in visible(drawn["lengths"])][len(synthetic_tables.CFG) :]
    shown = ["maximum likelihood (reference)", "REINFORCE, leave-one-out"]
    assert titles[0] == f"names (kantrowitz), length 10\n{shown[0]}"
    assert titles[1:] == [shown[1], "likelihood, log L", "likelihood, eq. 5"]


def test_text_of_names_has_what_stands_beside_the_papers_losses(names: Tables) -> None:
    family = [c for c in synthetic_tables.NAMES if lineup.family(*c) == lineup.IMPORTANCE]
    assert set(figures.load("text").columns(names)) == {("maximum_likelihood", "default"), *family}


def test_coverage_has_a_line_for_each_estimator_and_loss(drawn: dict[str, Figure]) -> None:
    cosine, bias = visible(drawn["coverage"])
    lines = {bars.get_label(): bars.lines[0] for bars in cosine.containers}
    forms = [(name, form.strip() or "default") for name, form in synthetic_tables.COVERAGE]
    assert set(lines) == {lineup.label(*form) for form in forms} == legend(drawn["coverage"])
    for (_, full, *_), form in zip(synthetic_tables.COVERAGE.values(), forms, strict=True):
        line = lines[lineup.label(*form)]
        assert line.get_xdata() == pytest.approx([0.01, 0.07, 0.5, 1], rel=0.15)
        assert line.get_ydata()[-1] == pytest.approx(full, abs=0.06)
    assert bias.get_yscale() == "log"
    assert "cosine is what matters" in figures.load("coverage").CAPTION


def test_a_bias_that_is_gone_at_full_coverage_is_an_upper_bound(drawn: dict[str, Figure]) -> None:
    bias = visible(drawn["coverage"])[1]
    lines = {bars.get_label(): bars.lines[0].get_ydata() for bars in bias.containers if bars.lines[0]}
    unbiased = np.array(lines["likelihood, eq. 5"], float)
    assert np.isfinite(unbiased[:-1]).all()
    assert np.isnan(unbiased[-1])
    assert sum(bool(bars.lines[1]) for bars in bias.containers) == 1


def test_an_estimate_that_never_varies_runs_off_the_axis(drawn: dict[str, Figure]) -> None:
    variance = visible(drawn["relaxation"])[1]
    low, high = variance.get_ylim()
    assert low == figures.load("relaxation").FLOOR
    assert high < 1e3
    heights = np.concatenate([np.array(bars.lines[0].get_ydata(), float) for bars in variance.containers])
    assert np.nanmin(heights) < 1e-80


def test_a_tiny_variance_does_not_squeeze_the_others(drawn: dict[str, Figure]) -> None:
    column = [axes for axes in visible(drawn["learning_curves"]) if "variance, all" in axes.get_title()]
    reach = [axes.get_ylim() for axes in column]
    assert max(high - low for low, high in reach) == pytest.approx(parts.SPAN)
    left, right = visible(drawn["variance_by_tensor"])[-1].get_xlim()
    assert right - left == pytest.approx(parts.SPAN)


def test_a_headline_without_a_known_best_shows_what_real_strings_come_to(names: Tables) -> None:
    module = figures.load("learning_curves")
    row = next(module.rows(("names", "names", "kantrowitz", 10), names))
    assert list(module.goal(row)) == [(pytest.approx(0.14), "real strings 0.14")]


def test_a_legend_that_is_too_wide_has_fewer_columns() -> None:
    labels = ["a" * 36] * 6
    assert parts.width(labels, 3) == pytest.approx(3 * parts.width(labels, 1))
    figure, _ = parts.grid(1, 1, 6, 2)
    parts.legend(figure, [("rebar_sequence", "default")] * 6, 3)
    assert figure.legends[0]._ncols == 1


def test_a_point_of_a_variants_sweep_has_its_look_and_name() -> None:
    look = style.look("likelihood", "eq5 covered=0.1")
    assert look == style.look("likelihood", "eq5")._replace(label="likelihood, eq. 5, covered = 0.1")
    assert lineup.label("rebar", "lambda=0.1") == "REBAR (per step), λ = 0.1"
    table = synthetic_tables.coverage(1).trials
    settings = [setting for name, setting in lineup.ordered(table) if name == "likelihood"]
    assert settings == [f"{form}covered={n}" for form in ("", "eq5 ") for n in (0.03, 0.1, 0.3, 1)]
