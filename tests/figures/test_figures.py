"""Figures: one look per condition in all of them, everything labelled and readable, nothing left behind."""

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from bench import figures
from bench.figures import _parts as parts
from bench.figures import _style as style
from bench.figures import learning_curves
from bench.statistics import headline, lineup, stats, texts
from bench.tables import schema
from bench.tables.store import Tables

Slice = tuple[str, str, str, int]
GRAMMAR_3, GRAMMAR_15 = (("grammar", "grammar", "synthetic", length) for length in (3, 15))
CFG = ("cfg", "cfg", "synthetic", 12)
NAMES = ("names", "names", "kantrowitz", 10)
RELAXATION = ("relaxation", "grammar", "synthetic", 3)
ALL = ("", "", "", 0)


pytestmark = pytest.mark.xdist_group("figures")  # what it draws is drawn once


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables.everything(sessions=3, steps=[0, 100], lambdas=[0.1, 1, 10])


@pytest.fixture(scope="module")
def slices(tables: Tables) -> dict[Slice, Tables]:
    return {ALL: tables, **dict(stats.slices(tables))}


@pytest.fixture(scope="module")
def drawn(slices: dict[Slice, Tables]) -> dict[tuple[str, Slice], Figure]:
    jobs = [
        (name, key) for name in figures.available() for key in slices if figures.whole(name) == (key == ALL)
    ]
    made = {job: draw(job[0], slices[job[1]]) for job in jobs}
    return {job: figure for job, figure in made.items() if figure is not None}


def draw(name: str, tables: Tables) -> Figure | None:
    with style.theme():
        figure = figures.load(name).draw(tables)
        if figure is not None:
            figure.draw_without_rendering()
    return figure


def visible(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def legends(figure: Figure) -> Iterator[Legend]:
    for part in (figure, *figure.subfigs):
        yield from part.legends
    yield from filter(None, (axes.get_legend() for axes in visible(figure)))


def entries(figure: Figure) -> dict[str, Line2D]:
    """Label, on one line -> what stands for it, in all legends of a figure."""
    found = [pair for each in legends(figure) for pair in zip(each.texts, each.legend_handles, strict=True)]
    return {" ".join(text.get_text().split()): handle for text, handle in found if isinstance(handle, Line2D)}


def curve(axes: Axes, *condition: str) -> Line2D:
    """The curve of a condition."""
    look = style.look(*condition)
    own = look.colour.lower()
    lines = [line for line in axes.lines if to_hex(line.get_color()) == own]
    assert not lineup.competes(*condition) or lines[0].get_marker() == look.mark
    assert len(lines) == 1, (condition, len(lines))
    return lines[0]


def test_every_figure_has_something_to_show_and_words(drawn: dict[tuple[str, Slice], Figure]) -> None:
    assert {name for name, _ in drawn} == set(figures.available())
    for name in figures.available():
        module = figures.load(name)
        assert module.TITLE
        assert module.CAPTION.endswith(".")


def test_every_panel_is_labelled(drawn: dict[tuple[str, Slice], Figure]) -> None:
    for job, figure in drawn.items():
        columns: dict[object, list[Axes]] = {}
        for axes in visible(figure):
            columns.setdefault((axes.figure, axes.get_subplotspec().colspan.start), []).append(axes)
        for column in columns.values():
            assert any(axes.get_xlabel() or axes.get_title() for axes in column), job
            assert any(text.get_visible() for text in column[-1].get_xticklabels()) or job[0] == "text", job


def test_nothing_is_cut_off_or_written_over(drawn: dict[tuple[str, Slice], Figure]) -> None:
    for job, figure in drawn.items():
        words = [axes.title for axes in visible(figure) if axes.get_title()]
        boxes = [each.get_window_extent() for each in [*legends(figure), *words]]
        whole = figure.bbox.padded(1)
        assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 for box in boxes), job
        assert all(whole.y0 <= box.y0 and box.y1 <= whole.y1 for box in boxes), job
        assert not any(a.padded(-1).overlaps(b.padded(-1)) for a, b in combinations(boxes, 2)), job


def test_a_condition_has_the_same_look_in_every_figure(drawn: dict[tuple[str, Slice], Figure]) -> None:
    known = {lineup.label(*condition): style.look(*condition) for condition in lineup.KNOWN}
    seen = set()
    for job, figure in drawn.items():
        for label, handle in entries(figure).items():
            if label in known:
                seen.add(label)
                look = known[label]
                assert (to_hex(handle.get_color()), handle.get_marker() or look.mark) == (
                    look.colour.lower(),
                    look.mark,
                ), job
    assert len(seen) > 20


def test_a_legend_shows_what_is_drawn(drawn: dict[tuple[str, Slice], Figure]) -> None:
    figure = drawn["learning_curves", GRAMMAR_15]
    axes = visible(figure)[0]
    for condition in (
        ("maximum_likelihood", "default"),
        ("reinforce_loo", "null_reward"),
        ("reinforce", "default"),
    ):
        handle, line = entries(figure)[lineup.label(*condition)], curve(axes, *condition)
        assert (handle.get_marker() in ("", "None")) == (line.get_marker() in ("", "None")), condition
    scaling = drawn["scaling", ("scaling", "uniform", "synthetic", 10)]
    assert entries(scaling)["discriminator"].get_marker() in ("", "None")


def test_a_log_axis_over_less_than_a_decade_has_several_numbers() -> None:
    for low, high in ((0.9, 1.2), (0.03, 0.12), (0.5, 40), (1e-6, 1e4)):
        with style.theme():
            axes = Figure().subplots()
            axes.plot([low, high], [0, 1])
            parts.logarithmic(axes, "x")
            axes.figure.draw_without_rendering()
        left, right = axes.get_xlim()
        shown = [tick for tick in axes.get_xticks() if left <= tick <= right]
        assert len(shown) >= 3, (low, high, shown)


@pytest.mark.parametrize("family", sorted({known.family for known in lineup.KNOWN.values()}))
def test_members_of_a_family_differ_in_colour_and_in_mark(family: str) -> None:
    looks = [style.look(*condition) for condition in lineup.KNOWN if lineup.family(*condition) == family]
    if family == lineup.BESIDE:
        assert len(set(looks)) == len(looks)
    else:
        assert len({look.colour for look in looks}) == len({look.mark for look in looks}) == len(looks)


def test_a_point_of_a_sweep_has_its_estimators_colour_and_a_mark_of_its_own() -> None:
    base, point = style.look("rebar"), style.look("rebar", "lambda=0.1")
    assert base.colour == point.colour
    assert base.mark != point.mark
    assert style.look("likelihood", "eq5 covered=0.1").colour == style.look("likelihood", "eq5").colour
    assert lineup.label("likelihood", "eq5 covered=0.1") == "likelihood, eq. 5, covered = 0.1"
    assert lineup.label("rebar", "lambda=0.1") == "REBAR (per step), λ = 0.1"


def test_hyperparameters_of_its_own_stand_in_an_estimators_name_and_give_it_a_look_of_its_own() -> None:
    cold, warm, hot = (f"rebar(temperature={value})" for value in (0.5, 2.0, 10.0))
    assert lineup.label(cold) == "REBAR (per step), temperature = 0.5"
    assert lineup.label("rebar(eta=0.5)", "lambda=0.1") == "REBAR (per step), eta = 0.5, λ = 0.1"
    assert lineup.label("mine(learning_rate=1)") == "mine, learning rate = 1"
    assert lineup.family(hot) == lineup.family("rebar")
    table = pd.DataFrame({"estimator": ["relax", hot, warm, "rebar", cold], "setting": "default"})
    assert [name for name, _ in lineup.ordered(table)] == ["rebar", cold, warm, hot, "relax"]
    known = {style.look(*condition)[:2] for condition in lineup.KNOWN if lineup.competes(*condition)}
    looks = {style.look(name)[:2] for name in (cold, warm, hot)}
    assert len(looks) == 3
    assert not looks & known


def test_whatever_single_parameters_were_measured_have_panels(slices: dict[Slice, Tables]) -> None:
    part = slices[GRAMMAR_3]
    swap = {"out.weight[0,0]": "lstm.recurrent[3,7]"}
    renamed = part._replace(metrics=part.metrics.replace({"parameter": swap}))
    titles = list(learning_curves.variances(renamed))
    assert titles == [f"{parts.NAT}, lstm.recurrent[3,7]", f"{parts.NAT}, all parameters"]
    both = part._replace(metrics=pd.concat([part.metrics, renamed.metrics]).drop_duplicates())
    assert len(learning_curves.variances(both)) == 3
    with style.theme():
        assert learning_curves.draw(both) is not None


def test_settings_are_sorted_by_number(tables: Tables) -> None:
    swept = tables.trials[tables.trials["experiment"] == "temperature"]
    settings = [setting for name, setting in lineup.ordered(swept) if name == "rebar"]
    assert settings == ["lambda=0.1", "lambda=1", "lambda=10"]
    table = synthetic_tables.coverage(1).trials
    settings = [setting for name, setting in lineup.ordered(table) if name == "likelihood"]
    assert settings == [f"{form}covered={n}" for form in ("", "eq5 ") for n in (0.03, 0.1, 0.3, 1)]


def test_an_unknown_estimator_is_drawn_under_its_own_name(slices: dict[Slice, Tables]) -> None:
    swap, part = {"rebar": "something_new"}, slices[GRAMMAR_3]
    renamed = part._replace(
        metrics=part.metrics.replace({"estimator": swap}), trials=part.trials.replace({"estimator": swap})
    )
    shown = entries(draw("learning_curves", renamed))
    assert to_hex(shown["something new"].get_color()) == style.look("something_new").colour.lower()
    assert lineup.family("something_new") == lineup.OTHERS


def test_two_plug_ins_of_one_look_have_a_curve_each(
    slices: dict[Slice, Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    part, alike = slices[GRAMMAR_3], style.look("rebar")
    own = part._replace(
        metrics=part.metrics.replace({"estimator": {"rebar": "mine", "relax": "yours"}}),
        trials=part.trials.replace({"estimator": {"rebar": "mine", "relax": "yours"}}),
    )
    monkeypatch.setattr(
        parts, "looks", lambda found: style.looks(found).assign(colour=alike.colour, mark="o")
    )
    axes = next(a for a in visible(draw("learning_curves", own)) if a.get_ylabel() == lineup.OTHERS)
    lines = [line for line in axes.lines if to_hex(line.get_color()) == alike.colour.lower()]
    assert sum(line.get_linewidth() == 1.5 for line in lines) == 2


def test_no_axis_shows_a_quality_that_cannot_be(drawn: dict[tuple[str, Slice], Figure]) -> None:
    quality = visible(drawn["learning_curves", GRAMMAR_15])[::3]
    for axes in [*visible(drawn["transfer", ALL]), *quality, *visible(drawn["cost", GRAMMAR_15])[:-1]]:
        assert axes.get_ylim()[1] < 13.6
    for axes in visible(drawn["lengths", CFG]):
        low, high = axes.get_ylim()
        assert -0.05 < low < high < 1.05


def test_profiles_of_one_colour_are_curves_apart(
    slices: dict[Slice, Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, alike = figures.load("sessions"), style.look("rebar")
    monkeypatch.setattr(module, "looks", lambda found: style.looks(found).assign(colour=alike.colour))
    profiles = draw("sessions", slices[GRAMMAR_15]).axes[-1]
    assert profiles.get_title() == "performance profiles"
    assert len(profiles.lines) == 1 + module.PROFILES
    assert len({str(line._dash_pattern) for line in profiles.lines}) == len(profiles.lines)
    for line in profiles.lines:
        assert (np.diff(np.asarray(line.get_ydata(), float)) <= 0).all()


def test_nothing_to_show_gives_no_figure(tables: Tables) -> None:
    nothing = tables._replace(metrics=tables.metrics.iloc[:0])
    assert not any(figures.load(name).draw(nothing) for name in figures.available())


@pytest.mark.slow
def test_one_session_can_be_drawn() -> None:
    tables = synthetic_tables.everything(1, lengths=(3,), steps=[0, 1], lambdas=[1, 10])
    each = [part for _, part in stats.slices(tables)]
    for name in figures.available():
        assert any(draw(name, part) for part in ([tables] if figures.whole(name) else each)), name


def test_the_same_tables_give_the_same_files(slices: dict[Slice, Tables], tmp_path: Path) -> None:
    saved = [figures.save("bias", slices[GRAMMAR_3], tmp_path / f"{stem}.svg") for stem in "ab"]
    first, second = (found.svg.read_bytes() for found in saved if found)
    assert first == second


def test_words_in_a_file_are_words(slices: dict[Slice, Tables], tmp_path: Path) -> None:
    figures.save("bias", slices[GRAMMAR_3], tmp_path / "bias.svg")
    text = (tmp_path / "bias.svg").read_text()
    assert "REINFORCE, leave-one-out</text>" in text
    assert "DejaVu Sans" in text


def test_nothing_is_left_in_pyplot(drawn: dict[tuple[str, Slice], Figure]) -> None:
    assert drawn
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_many_conditions_take_a_row_for_each_family(drawn: dict[tuple[str, Slice], Figure]) -> None:
    figure = drawn["learning_curves", CFG]
    quality = visible(figure)[::3]
    families = [axes.get_ylabel().replace("\n", " ") for axes in quality]
    assert families == [lineup.SCORE, lineup.CONTROL_VARIATES, lineup.RELAXED, lineup.SETTINGS]
    for axes, family in zip(quality, families, strict=True):
        members = [c for c in synthetic_tables.CFG if lineup.family(*c) == family]
        assert {" ".join(text.get_text().split()) for text in last_in_row(figure, axes).texts} == {
            lineup.label(*c) for c in members
        }
        for condition in members:
            assert len(curve(axes, *condition).get_xdata()) > 1
        contenders = [c for c in synthetic_tables.CFG if lineup.competes(*c)]
        (grey,) = (line for line in axes.lines if to_hex(line.get_color()) == style.GREY)
        gaps = np.isnan(np.asarray(grey.get_ydata(), float)) | np.isnan(np.asarray(grey.get_xdata(), float))
        assert (np.diff(np.flatnonzero(gaps), prepend=-1) > 1).sum() == len(contenders) - len(members)
        assert axes.get_ylim() == quality[0].get_ylim()


def last_in_row(figure: Figure, axes: Axes) -> Legend:
    panels = visible(figure)
    return panels[panels.index(axes) + 2].get_legend()


def test_few_conditions_share_a_panel(drawn: dict[tuple[str, Slice], Figure]) -> None:
    found = pd.DataFrame({"estimator": ["reinforce_loo", "rebar", "rollout"], "setting": "default"})
    assert list(parts.groups(found)) == [parts.TOGETHER]
    assert len(visible(drawn["coverage", ("coverage", "grammar", "synthetic", 3)])) == 2


def test_rows_on_the_same_axes_are_labelled_along_x_once(drawn: dict[tuple[str, Slice], Figure]) -> None:
    quality = visible(drawn["learning_curves", CFG])[::3]
    assert [axes.xaxis.label.get_visible() for axes in quality] == [False] * (len(quality) - 1) + [True]


def test_curves_and_their_bands_are_the_means_and_intervals(
    slices: dict[Slice, Tables], drawn: dict[tuple[str, Slice], Figure]
) -> None:
    found = stats.mean_interval(stats.rows(slices[GRAMMAR_15], schema.GOODNESS), [*stats.COMPARED, "step"])
    own = stats.among(found, [("relax", "default")]).sort_values("step")
    axes = next(
        a for a in visible(drawn["learning_curves", GRAMMAR_15]) if a.get_ylabel() == lineup.CONTROL_VARIATES
    )
    assert curve(axes, "relax").get_ydata() == pytest.approx(own["mean"].to_numpy())
    relax = style.look("relax").colour.lower()
    band = next(patch for patch in axes.patches if to_hex(patch.get_facecolor()) == relax)
    heights = band.get_path().vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((own["low"].min(), own["high"].max()))


def test_dots_are_the_means_in_the_order_of_the_names(
    slices: dict[Slice, Tables], drawn: dict[tuple[str, Slice], Figure]
) -> None:
    found = parts.plain(stats.relative_bias(slices[GRAMMAR_3])).set_index(stats.COMPARED)["mean"]
    axes = visible(drawn["bias", GRAMMAR_3])[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    points = np.concatenate(
        [c.get_offsets() for c in axes.collections if len(c.get_offsets()) and c.get_paths()]
    )
    shown = {names[round(y)]: x for x, y in points if np.isfinite(x)}
    assert axes.yaxis.get_inverted()
    for condition, mean in found.items():
        assert shown[lineup.label(*condition)] == pytest.approx(mean)


def test_the_temperature_figure_shows_every_temperature(drawn: dict[tuple[str, Slice], Figure]) -> None:
    shown = entries(drawn["temperature", ("temperature", "grammar", "synthetic", 3)])
    names = {lineup.label("rebar"), lineup.label("rebar_sequence")}
    assert set(shown) == {"λ = 0.1", "λ = 1", "λ = 10"} | names
    colours = [to_hex(shown[f"λ = {value}"].get_color()) for value in ("0.1", "1", "10")]
    assert len(set(colours)) == 3


def test_losses_have_a_column_for_each_setting(drawn: dict[tuple[str, Slice], Figure]) -> None:
    axes = visible(drawn["losses", CFG])
    titles = [axis.get_title() for axis in axes[:5]]
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
        assert all(any(undecided in np.ravel(line.get_ydata()) for line in axis.lines) for axis in row)


def test_losses_follow_the_settings_that_there_are(slices: dict[Slice, Tables]) -> None:
    cfg = slices[CFG]
    kept = cfg.metrics["setting"].isin(["default", "null_reward", "annealed"])
    axes = visible(draw("losses", cfg._replace(metrics=cfg.metrics[kept])))
    assert [axis.get_title() for axis in axes] == ["(a) annealed", ""]
    assert draw("losses", slices[GRAMMAR_3]) is None


def test_text_marks_what_parses_and_shows_spaces(
    slices: dict[Slice, Tables], drawn: dict[tuple[str, Slice], Figure]
) -> None:
    axes = visible(drawn["text", CFG])
    assert len(axes) == 1 + len(synthetic_tables.VARIANTS)
    final = stats.rows(slices[CFG], schema.STRING)
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


def test_letters_that_the_font_lacks_are_left_to_the_reader(
    slices: dict[Slice, Tables], tmp_path: Path
) -> None:
    names = slices[NAMES]
    metrics = names.metrics.copy()
    metrics.loc[metrics["metric"] == schema.STRING, "parameter"] = "さくら"
    saved = figures.save("text", names._replace(metrics=metrics), tmp_path / "text.svg")
    assert saved
    assert "さくら" in saved.svg.read_text(encoding="utf-8")


def test_a_length_that_did_not_come_counts_as_nothing(slices: dict[Slice, Tables]) -> None:
    every_length = figures.load("lengths").every_length
    lengths = stats.last(stats.rows(slices[CFG], schema.LENGTH))
    fives = (lengths["parameter"] == "5") & (lengths["session"] > 0)
    before, after = (
        every_length(table).query("estimator == 'reinforce' and parameter == 5")["value"].mean()
        for table in (lengths, lengths[~fives])
    )
    assert after == pytest.approx(before / 3, rel=0.2)


def test_lengths_stand_beside_the_datas(drawn: dict[tuple[str, Slice], Figure]) -> None:
    axes = visible(drawn["lengths", CFG])
    assert len(axes) == len(synthetic_tables.CFG)
    bars = [p for c in axes[0].collections for p in c.get_paths() if p.vertices.shape[0] >= 4]
    heights = {
        round(p.vertices[:, 0].mean()): p.vertices[:, 1].max() for p in bars if p.vertices[:, 1].min() == 0
    }
    assert max(heights.values()) == pytest.approx(max(synthetic_tables.LENGTHS.values()), abs=0.02)


def test_one_length_is_no_distribution(slices: dict[Slice, Tables]) -> None:
    assert draw("lengths", slices[GRAMMAR_15]) is None


def test_a_bias_that_is_not_measurable_is_an_upper_bound(drawn: dict[tuple[str, Slice], Figure]) -> None:
    bias, variance, error = visible(drawn["relaxation", RELAXATION])[:3]
    assert hollow(bias)
    assert not hollow(variance)
    assert not hollow(error)
    for axes in (bias, variance, error):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert all((np.array(line.get_ydata(), float) > 0).all() for line in axes.lines)


def hollow(axes: Axes) -> int:
    """How many points have no face."""
    return sum(
        len(c.get_offsets())
        for c in axes.collections
        if c.get_offsets().size and len(c.get_facecolor()) and (c.get_facecolor()[:, 3] == 0).all()
    )


def test_without_training_no_quality_is_drawn(drawn: dict[tuple[str, Slice], Figure]) -> None:
    assert [name for name, key in drawn if key == RELAXATION] == ["relaxation"]


def test_the_likelihood_gans_losses_lie_between_all_sessions(
    slices: dict[Slice, Tables], drawn: dict[tuple[str, Slice], Figure]
) -> None:
    surrogate = stats.among(stats.rows(slices[NAMES], schema.SURROGATE), [headline.PAPER])
    loss = surrogate.assign(value=-surrogate["value"]).groupby("step")["value"]
    discriminator, generator = visible(drawn["name_losses", NAMES])
    assert generator.lines[0].get_ydata() == pytest.approx(loss.mean().to_numpy())
    heights = generator.patches[0].get_path().vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((loss.min().min(), loss.max().max()))
    assert discriminator.get_yscale() == "log" != generator.get_yscale()
    assert "minimum to maximum" in figures.load("name_losses").CAPTION


def test_only_names_have_the_likelihood_gans_losses(slices: dict[Slice, Tables]) -> None:
    names, metrics = slices[NAMES], slices[NAMES].metrics
    assert (
        draw("name_losses", names._replace(metrics=metrics[metrics["metric"] != schema.REAL_FRACTION]))
        is None
    )
    assert draw("name_losses", names._replace(metrics=metrics[metrics["estimator"] != "likelihood"])) is None


def test_a_few_conditions_stand_for_all_names(drawn: dict[tuple[str, Slice], Figure]) -> None:
    titles = [axes.get_title() for axes in visible(drawn["lengths", NAMES])]
    assert titles == [
        "maximum likelihood (reference)",
        "REINFORCE, leave-one-out",
        "likelihood, log L",
        "likelihood, eq. 5",
    ]


def test_text_of_names_has_what_stands_beside_the_papers_losses(slices: dict[Slice, Tables]) -> None:
    family = [c for c in synthetic_tables.NAMES if lineup.family(*c) == lineup.IMPORTANCE]
    assert set(figures.load("text").columns(slices[NAMES])) == {("maximum_likelihood", "default"), *family}


def test_coverage_has_a_curve_for_each_estimator_and_loss(drawn: dict[tuple[str, Slice], Figure]) -> None:
    figure = drawn["coverage", ("coverage", "grammar", "synthetic", 3)]
    cosine, bias = visible(figure)
    forms = [(name, form.strip() or "default") for name, form in synthetic_tables.COVERAGE]
    assert set(entries(figure)) == {lineup.label(*form) for form in forms}
    for (_, full, *_), form in zip(synthetic_tables.COVERAGE.values(), forms, strict=True):
        line = curve(cosine, *form)
        assert line.get_xdata() == pytest.approx([0.01, 0.07, 0.5, 1], rel=0.15)
        assert line.get_ydata()[-1] == pytest.approx(full, abs=0.06)
    assert bias.get_yscale() == "log"
    assert "cosine is what matters" in figures.load("coverage").CAPTION.replace("\n", " ")
    assert hollow(bias) == 1  # gone at full coverage
    assert len(curve(bias, "likelihood", "eq5").get_xdata()) == 3


def test_an_estimate_that_never_varies_runs_off_the_axis(drawn: dict[tuple[str, Slice], Figure]) -> None:
    variance = visible(drawn["relaxation", RELAXATION])[1]
    low, high = variance.get_ylim()
    assert low == figures.load("relaxation").FLOOR
    assert high < 1e3
    assert min(np.min(line.get_ydata()) for line in variance.lines if len(line.get_ydata())) < 1e-80


def test_a_tiny_variance_does_not_squeeze_the_others(drawn: dict[tuple[str, Slice], Figure]) -> None:
    reach = [axes.get_ylim() for axes in visible(drawn["learning_curves", NAMES])[2::3]]
    assert max(high - low for low, high in reach) == pytest.approx(parts.SPAN)
    left, right = visible(drawn["variance_by_tensor", NAMES])[-1].get_xlim()
    assert right - left == pytest.approx(parts.SPAN)


def test_a_headline_without_a_known_best_shows_what_real_strings_come_to(
    drawn: dict[tuple[str, Slice], Figure],
) -> None:
    words = [text.get_text() for text in visible(drawn["learning_curves", NAMES])[0].texts]
    assert "real\n0.14" in words


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["headline", "settings", "contenders"])
def test_a_slice_that_lacks_something_shows_what_it_has(slices: dict[Slice, Tables], lost: str) -> None:
    for key in (GRAMMAR_3, CFG, NAMES):
        part = slices[key]
        metrics, condition = part.metrics, lineup.competes
        kept = {
            "headline": metrics["metric"] != headline.of(part).metric,
            "settings": metrics["setting"] == "default",
            "contenders": ~np.array([condition(*c) for c in metrics[stats.COMPARED].itertuples(index=False)]),
        }[lost]
        shown = {name for name in figures.available() if draw(name, part._replace(metrics=metrics[kept]))}
        assert lost != "headline" or "cost" in shown
        assert lost != "settings" or "unigrams" in shown or key != GRAMMAR_3


FROZEN = ("frozen", "grammar", "synthetic", 3)


def test_no_other_figure_is_drawn_of_climbs(drawn: dict[tuple[str, Slice], Figure]) -> None:
    assert {name for name, key in drawn if key == FROZEN} == {"climbs", "rates"}
    assert {key for name, key in drawn if name in ("climbs", "rates")} == {
        FROZEN,
        ("frozen", "chain", *FROZEN[2:]),
    }


def test_a_climb_ends_where_its_cost_does_and_floor_and_ceiling_are_in_every_panel(
    drawn: dict[tuple[str, Slice], Figure],
) -> None:
    updates, calls, milliseconds = visible(drawn["climbs", FROZEN])[:3]
    assert [axes.get_title() for axes in (updates, calls, milliseconds)] == [
        "updates",
        "discriminator calls",
        "milliseconds",
    ]
    own = ("reinforce_loo", "default")
    ends = [curve(axes, *own).get_xdata()[-1] for axes in (updates, calls, milliseconds)]
    assert ends == pytest.approx([4, 128, 4])
    for axes in visible(drawn["climbs", FROZEN])[::3]:
        for condition in (("exact", "default"), ("reinforce_loo", "null_reward")):
            assert np.isfinite(np.asarray(curve(axes, *condition).get_ydata(), float)).all()
        assert axes.get_ylim()[1] < 1.1


def test_a_rate_alone_is_no_curve(slices: dict[Slice, Tables]) -> None:
    part = slices[FROZEN]
    one = part._replace(
        metrics=part.metrics[part.metrics["setting"].str.endswith("rate=0.1")],
        trials=part.trials[part.trials["setting"].str.endswith("rate=0.1")],
    )
    assert draw("rates", one) is None
    assert draw("climbs", one) is not None
