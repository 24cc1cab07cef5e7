"""The report says what its tables say, in files that stand alone."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_tables

from bench import figures, report, schema, stats, store, style
from bench.errors import UserError
from bench.report import answers, strings, summary, sweep, words
from bench.store import Tables


@cache
def small(sessions: int = 6, diverged: int = 0) -> Tables:
    return synthetic_tables.make(sessions, steps=[0, 100], lambdas=[0.1, 1], diverged=diverged)


def keep(tables: Tables, folder: Path) -> Path:
    """A results folder with these tables in one unit."""
    store.write(folder, "all", tables.metrics, tables.trials)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole report."""
    folder = tmp_path_factory.mktemp("report")
    return report.write(keep(small(diverged=2), folder / "results"), folder / "reports").parent


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "names", list)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about words, not about the digits of a bootstrap."""
    monkeypatch.setattr(stats, "RESAMPLES", 199)


@pytest.fixture
def length_3() -> Tables:
    return dict(stats.slices(small()))["grammar", "grammar", 3]


def said(tables: Tables) -> str:
    """All answers of a slice in one string."""
    return " ".join(f"{answer.about}: {answer.text}" for answer in answers.sentences(tables))


def shifted(tables: Tables, estimator: str, metric: str, by: float) -> Tables:
    """The same tables, one estimator's metric moved at every step but the first."""
    metrics = tables.metrics.copy()
    chosen = (metrics["estimator"] == estimator) & (metrics["setting"] == style.DEFAULT)
    chosen &= (metrics["metric"] == metric) & (metrics["step"] > 0)
    metrics.loc[chosen, "value"] += by
    return tables._replace(metrics=metrics)


def without(tables: Tables, *names: str) -> Tables:
    return tables._replace(metrics=tables.metrics[~tables.metrics["metric"].isin(names)])


def test_the_page_stands_alone(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in links)
    assert not re.search(r"https?://|@import|url\(|<script|<link", page)


def test_the_page_names_every_estimator_and_section(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    for condition in synthetic_tables.TRUTH:
        assert style.label(*condition) in page
    for anchor in ("answers", "grammar-3", "grammar-15", "temperature-grammar-3", "made"):
        assert f'<section id="{anchor}">' in page
    assert "compare estimators at different parameters" in page
    assert "python -m bench run grammar --preset standard --sessions 6 --lengths 3,15" in page


def test_every_figure_and_table_is_a_file_too(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    stems = re.findall(r"figures/([\w-]+)\.svg", page)
    assert {stem.rpartition("-")[2] for stem in stems} == set(figures.names())
    for stem in stems:
        assert (made / "figures" / f"{stem}.svg").stat().st_size > 1000
        assert (made / "figures" / f"{stem}.png").stat().st_size > 1000
    found = pd.read_csv(made / "tables" / "grammar-15-summary.csv")
    assert found["goodness"].is_monotonic_decreasing
    lines = (made / "tables" / "grammar-15-summary.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(found) + 2
    assert len({line.count("|") for line in lines}) == 1


def test_diverged_sessions_are_told(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    assert "Of 6 sessions of REBAR (whole sequence, as the paper), 2 diverged." in page
    assert "4 of 6 (2 diverged)" in page
    assert "parameters are not finite after update 57" in page


def test_a_condition_of_which_nothing_is_left_keeps_its_row(without_figures: None) -> None:
    everything = dict(stats.slices(small(diverged=6)))["grammar", "grammar", 15]
    shown = summary.table(everything).words.set_index("estimator")
    row = shown.loc[style.label("rebar_sequence")]
    assert row["sessions"] == "0 of 6 (6 diverged)"
    assert row["goodness"] == words.NOTHING
    assert "None is left." in said(everything)


def test_the_words_follow_the_table(length_3: Tables) -> None:
    better = shifted(length_3, "reinforce", schema.GOODNESS, +0.1)
    assert "REINFORCE ends with the highest goodness: 1.0" in said(better)
    assert "REINFORCE ends with the highest goodness" not in said(length_3)
    assert "null reward (control) −0.1" in said(length_3)


def test_verdicts_need_the_intervals(length_3: Tables) -> None:
    against = "Final goodness against REINFORCE, leave-one-out: "
    better = said(shifted(length_3, "relax", schema.GOODNESS, +0.1))
    worse = said(shifted(length_3, "relax", schema.GOODNESS, -0.2))
    assert re.search(rf"{against}Higher: RELAX \(per step\) \+0\.\d+ \[", better)
    assert re.search(r"Lower: .*null reward \(control\).*RELAX \(per step\) −0\.\d+ \[", worse)
    assert "Higher" not in worse.partition(against)[2].partition("Final goodness")[0]


def test_equal_columns_are_undecided(length_3: Tables) -> None:
    metrics = length_3.metrics.copy()
    metrics.loc[metrics["metric"] == schema.GOODNESS, "value"] = 0.5
    text = said(length_3._replace(metrics=metrics))
    assert "Higher:" not in text
    assert "Lower:" not in text
    assert "Whether the null-reward control gains is undecided: 0.000 from" in text


def test_the_control_that_gains_is_a_warning(length_3: Tables) -> None:
    assert "The null-reward control gains as well, +0.3" in said(length_3)
    metrics = length_3.metrics.copy()
    chosen = (metrics["setting"] == "null_reward") & (metrics["metric"] == schema.GOODNESS)
    metrics.loc[chosen, "value"] *= np.where(metrics.loc[chosen, "step"] > 0, 0.5, 1)
    assert "does not gain but loses, −0." in said(length_3._replace(metrics=metrics))


def test_bias_is_told_where_it_was_measured(length_3: Tables) -> None:
    assert re.search(
        r"Bias: Measurable, relative to the exact gradient: RELAX \(whole sequence, as the paper\) "
        r"0\.\d+ \[.*; REBAR \(whole sequence, as the paper\) 0\.1\d+ \[.*\. Not measurable: ",
        said(length_3),
    )
    text = said(without(length_3, schema.GRADIENT_BIAS_SQUARED))
    assert "Bias:" not in text


def test_what_was_not_measured_is_left_out(length_3: Tables) -> None:
    bare = without(length_3, schema.GRADIENT_LOG_VARIANCE, schema.UNIGRAM, schema.VALID_FRACTION)
    headings = set(summary.table(bare).words)
    assert "goodness" in headings
    assert not headings & {"log-variance, start", "valid strings", "x less the data's"}
    assert "Variance at" not in said(bare)


def test_a_missing_estimator_is_left_out(length_3: Tables) -> None:
    kept = length_3._replace(
        metrics=length_3.metrics[length_3.metrics["estimator"] != "reinforce_loo"],
        trials=length_3.trials[length_3.trials["estimator"] != "reinforce_loo"],
    )
    text = said(kept)
    assert "leave-one-out" not in text
    assert "null" not in text
    assert "Final goodness against REINFORCE:" in text


def test_a_sweep_names_its_best_value() -> None:
    tables = dict(stats.slices(small()))["temperature", "grammar", 3]
    text = " ".join(answer.text for answer in sweep.sentences(tables))
    assert "λ = 1 ends with the highest goodness" in text
    assert "Farthest below it is λ = 0.1, by −0.0" in text
    assert "log-variance at the end is lowest for λ = 1" in text


def test_one_session_makes_a_page(tmp_path: Path, without_figures: None) -> None:
    path = report.write(keep(small(sessions=1), tmp_path / "results"), tmp_path / "reports")
    page = path.read_text(encoding="utf-8")
    assert "Undecided" in page
    assert "nan" not in re.sub(r"base64,[^\"]*", "", page)


def test_an_experiment_that_measured_nothing_makes_a_page(tmp_path: Path, without_figures: None) -> None:
    tables = small()
    failed = tables._replace(
        metrics=tables.metrics.iloc[:0], trials=tables.trials.assign(status=schema.FAILED)
    )
    page = report.write(keep(failed, tmp_path / "results"), tmp_path / "reports").read_text("utf-8")
    assert "0 of 6 (6 failed)" in page


@pytest.mark.parametrize("make", [False, True])
def test_no_results_is_one_line(make: bool, tmp_path: Path) -> None:
    if make:
        (tmp_path / "results").mkdir()
    with pytest.raises(UserError, match=r"^no results in .*[^\n]*$"):
        report.write(tmp_path / "results", tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_the_same_tables_give_the_same_page(tmp_path: Path, without_figures: None) -> None:
    results = keep(small(), tmp_path / "results")
    pages = [report.write(results, tmp_path / name).read_bytes() for name in "ab"]
    assert pages[0] == pages[1]


def test_strings_are_marked_by_the_datas_language(length_3: Tables) -> None:
    found = strings.table(length_3)
    assert all(len(texts) == strings.SHOWN for texts in found.values())
    for text in (text for texts in found.values() for text in texts):
        assert text.valid == bool(re.fullmatch(r"x[-+*/]x", text.text))


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [
        (12.3456, 2, False, "12.35"),
        (-0.5, 1, True, "−0.5"),
        (0.25, 2, True, "+0.25"),
        (-0.0001, 2, True, "0.00"),
        (140800.0, 0, False, "140,800"),
        (np.nan, 2, False, words.NOTHING),
    ],
)
def test_numbers_in_words(value: float, digits: int, sign: bool, text: str) -> None:
    assert words.number(value, digits, sign) == text
