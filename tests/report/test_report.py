"""The report says what its tables say, in files that stand alone."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_tables

from bench import figures, report
from bench.errors import UserError
from bench.report import claims, differences, strings, summary, sweep, words
from bench.report import made as bench_made
from bench.statistics import headline, inference, lineup, stats
from bench.statistics.headline import Headline
from bench.tables import schema, store
from bench.tables.store import Tables

ML, NULL = ("maximum_likelihood", "default"), ("reinforce_loo", "null_reward")


@cache
def small(sessions: int = 6, diverged: int = 0) -> Tables:
    return synthetic_tables.everything(sessions, steps=[0, 100], lambdas=[0.1, 1], diverged=diverged)


pytestmark = pytest.mark.xdist_group("report")  # what it draws is drawn once


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
    monkeypatch.setattr(figures, "available", list)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about words, not about the digits of a bootstrap."""
    monkeypatch.setattr(stats, "RESAMPLES", 199)


@pytest.fixture
def length_3() -> Tables:
    return dict(stats.slices(small()))["grammar", "grammar", "synthetic", 3]


@pytest.fixture
def cfg() -> Tables:
    return dict(stats.slices(small()))["cfg", "cfg", "synthetic", 12]


@pytest.fixture
def names() -> Tables:
    return dict(stats.slices(small()))["names", "names", "kantrowitz", 10]


@pytest.fixture
def coverage() -> Tables:
    return dict(stats.slices(small()))["coverage", "grammar", "synthetic", 3]


@pytest.fixture
def relaxation() -> Tables:
    return dict(stats.slices(small()))["relaxation", "grammar", "synthetic", 3]


def said(tables: Tables) -> str:
    """All answers of a slice in one string."""
    return " ".join(f"{answer.about}: {answer.text}" for answer in report.said(tables))


def about(tables: Tables, what: str) -> str:
    """The answer about something."""
    return next((answer.text for answer in report.said(tables) if answer.about == what), "")


def shifted(tables: Tables, estimator: str, metric: str, by: float) -> Tables:
    """The same tables, one estimator's metric moved at every step but the first."""
    metrics = tables.metrics.copy()
    chosen = (metrics["estimator"] == estimator) & (metrics["setting"] == lineup.DEFAULT)
    chosen &= (metrics["metric"] == metric) & (metrics["step"] > 0)
    metrics.loc[chosen, "value"] += by
    return tables._replace(metrics=metrics)


def without(tables: Tables, *names: str) -> Tables:
    return tables._replace(metrics=tables.metrics[~tables.metrics["metric"].isin(names)])


def without_conditions(tables: Tables, *conditions: lineup.Condition) -> Tables:
    metrics, trials = (
        part[[pair not in conditions for pair in zip(part["estimator"], part["setting"], strict=True)]]
        for part in tables[:2]
    )
    return tables._replace(metrics=metrics, trials=trials)


def test_the_page_needs_nothing_but_the_files_beside_it(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith("#") or (made / link).is_file() for link in links)
    assert {path.name for path in (made / "figures").iterdir()} == {
        link.removeprefix("figures/") for link in links if link.startswith("figures/")
    }
    assert not re.search(r"https?://|@import|url\(|<script|<link", page)


def test_the_page_names_every_estimator_and_section(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    for condition in [*synthetic_tables.TRUTH, *synthetic_tables.CFG, *synthetic_tables.NAMES]:
        assert lineup.label(*condition) in page
    slices = ["cfg-12", "coverage-grammar-3", "grammar-3", "grammar-15", "relaxation-grammar-3"]
    for anchor in ("answers", *slices, "names-kantrowitz-10", "made"):
        assert f'<section id="{anchor}">' in page
    assert "compare estimators at different parameters" in page
    assert "discgan-bench run grammar --preset standard --sessions 6 --lengths 3,15" in page


def test_every_figure_and_table_is_a_file_too(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    stems = re.findall(r"figures/([\w-]+)\.svg", page)
    assert {stem.rpartition("-")[2] for stem in stems} == set(figures.available())
    for stem in stems:
        assert (made / "figures" / f"{stem}.svg").stat().st_size > 1000
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
    everything = dict(stats.slices(small(diverged=6)))["grammar", "grammar", "synthetic", 15]
    shown = summary.table(everything).words.set_index("estimator")
    row = shown.loc[lineup.label("rebar_sequence")]
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
    tables = dict(stats.slices(small()))["temperature", "grammar", "synthetic", 3]
    text = " ".join(answer.text for answer in sweep.sentences(tables))
    assert "λ = 1 ends with the highest goodness" in text
    assert "Farthest below it is λ = 0.1, by −0.0" in text
    assert "log-variance at the end is lowest for λ = 1" in text


def test_one_session_makes_a_page(tmp_path: Path, without_figures: None) -> None:
    path = report.write(keep(small(sessions=1), tmp_path / "results"), tmp_path / "reports")
    page = path.read_text(encoding="utf-8")
    assert "Undecided" in page
    assert "nan" not in page


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
    both = ["grammar", "gradient_quality"]  # all that draws at random is in these, and on the front page
    metrics, trials = (table[table["experiment"].isin(both)] for table in (small().metrics, small().trials))
    results = keep(Tables(metrics, trials, []), tmp_path / "results")
    pages = [report.write(results, tmp_path / name).read_bytes() for name in "ab"]
    assert pages[0] == pages[1]


def test_strings_are_marked_by_the_datas_language(length_3: Tables) -> None:
    found = strings.table(length_3)
    assert all(len(texts) == strings.SHOWN for texts in found.values())
    for text in (text for texts in found.values() for text in texts):
        assert text.valid == bool(re.fullmatch(r"x[-+*/]x", text.text))


def test_strings_without_a_goodness_are_marked_by_their_value(cfg: Tables) -> None:
    found = [text for texts in strings.table(cfg).values() for text in texts]
    assert {len(text.text) for text in found} == {12}
    assert {text.valid for text in found} == {True, False}
    for text in found:
        assert text.valid == bool(re.fullmatch(r"x([-+*/]x)*·*", text.text))


def test_the_headline_is_what_the_task_can_say(cfg: Tables, length_3: Tables) -> None:
    text = said(cfg)
    assert "ends with the highest fraction that parses: 0.8" in text
    assert " of 1 after 2,000 generator updates, from 0.02" in text
    assert "Final fraction that parses against REINFORCE, leave-one-out: Higher: maximum likelihood" in text
    assert "goodness" not in text
    assert re.search(r"updates, from 0\.(49|50)\d after pre-training", said(length_3))
    assert differences.table(cfg).words.columns[2] == "difference in final fraction that parses"


def test_differences_come_with_a_permutation_test_effects_and_power(length_3: Tables) -> None:
    found = differences.table(length_3).numbers
    final = stats.last(headline.rows(length_3))
    row = stats.among(found, [ML]).iloc[0]
    wide = final.pivot(index="session", columns=stats.COMPARED, values="value")
    gains = (wide[ML] - wide["reinforce_loo", "default"]).to_numpy()
    assert row["gain"] == pytest.approx(row["mean"]) == pytest.approx(gains.mean())
    assert row["improvement"] == pytest.approx((gains > 0).mean())
    assert row["effect"] == pytest.approx(float(inference.effect_size(gains).value))
    assert row["p_permutation"] == pytest.approx(float(permuted(gains)))
    family = (found["baseline"] == row["baseline"]).sum()
    assert row["sessions_needed"] == inference.sessions_needed(gains, family=family)


def permuted(gains: np.ndarray) -> np.ndarray:
    return inference.paired_permutation(gains, np.zeros_like(gains))


def test_where_less_is_better_a_gain_is_a_fall(names: Tables) -> None:
    found = differences.table(names).numbers
    assert headline.of(names).way.falls
    assert np.allclose(found["gain"], -found["mean"])
    assert (np.sign(found["effect"]) == -np.sign(found["mean"])).all()


def test_a_headline_may_fall(cfg: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = Headline(schema.CROSS_ENTROPY, "loss", "loss", lambda _: None, way=headline.DOWN, goal=0.95)
    monkeypatch.setattr(headline, "HEADLINES", [loss])
    assert re.match(
        r"REINFORCE, leave-one-out ends with the lowest loss: 0\.\d+ \[[^]]*\] after", about(cfg, "Lowest")
    )
    assert re.search(r"Undecided is whether it is below|All the others end higher", about(cfg, "Lowest"))
    assert about(cfg, "Final loss against REINFORCE").startswith("Lower: maximum likelihood")
    assert about(cfg, "Control").startswith("The null-reward control gains as well, −0.0")
    learned = about(without_conditions(cfg, ML), "What learned")
    assert learned.startswith("Below its own start and every control: REINFORCE (−0.1")
    assert learned.endswith("null reward (control): Gumbel-softmax (c) input annealed.")
    assert about(cfg, "Who reaches a loss of 0.95").startswith("The whole interval lies there for maximum")
    found = summary.table(cfg)
    assert found.numbers["cross_entropy"].iloc[1:].is_monotonic_increasing
    assert found.words.columns[1] == "loss"


def test_the_data_stand_first_and_the_best_next(cfg: Tables) -> None:
    found = summary.table(cfg)
    assert len(found.words) == 1 + len(synthetic_tables.CFG)
    first, rest = found.words.iloc[0], found.numbers.iloc[1:]
    assert (first["estimator"], first["valid strings"], first["distinct"]) == (summary.DATA, "1.000", "0.75")
    assert first["seconds per session"] == words.NOTHING
    assert rest["valid_fraction"].is_monotonic_decreasing
    headings = {"start", "length distance", "unigram distance", "bigram distance", "distinct", "novel"}
    headings |= {"novel and valid", "training set covered", "seconds per session"}
    assert headings < set(found.words)
    assert "x less the data's" not in found.words
    starts = rest.set_index(["estimator", "setting"])["start"]
    assert starts["gumbel_softmax", "hidden_noise"] != starts["gumbel_softmax", "tuned"]
    assert "ordered by fraction that parses" in found.caption
    assert "Wasserstein-1" in found.caption


def test_tables_without_such_measures_have_neither(length_3: Tables) -> None:
    found = summary.table(length_3)
    assert summary.DATA not in found.words["estimator"].tolist()
    assert "Wasserstein" not in found.caption
    assert "ordered by goodness" in found.caption


def test_a_start_that_all_share_has_no_column(length_3: Tables) -> None:
    metrics = length_3.metrics.copy()
    metrics.loc[(metrics["metric"] == schema.GOODNESS) & (metrics["step"] == 0), "value"] = 0.5
    assert "start" in summary.table(length_3).words
    assert "start" not in summary.table(length_3._replace(metrics=metrics)).words


def test_an_estimator_has_learned_if_it_beats_its_start_and_every_control(cfg: Tables) -> None:
    learned, _, other = about(without_conditions(cfg, ML), "What learned").partition(". A gain ")
    assert learned.startswith("Above its own start and every control: REINFORCE (+0.1")
    assert learned.count("from null reward (control))") == len(synthetic_tables.CFG) - 3
    for name in ("(a) annealed (+0.3", "(b) 1,000 generated (+0.4", "(d) noise in h only (+0.2", ", tuned"):
        assert name in learned
    assert "(c) input annealed" not in learned
    assert other.endswith(
        "Not shown to gain more than null reward (control): Gumbel-softmax (c) input annealed."
    )


def test_a_gain_that_a_control_also_shows_is_no_gain(cfg: Tables) -> None:
    assert about(cfg, "What learned") == (
        "Above its own start and every control: none. A gain that a control also shows is no gain. "
        "Not shown to gain more than null reward (control): Gumbel-softmax (c) input annealed. "
        "Not shown to gain more than maximum likelihood (reference): all."
    )


def test_without_a_control_the_start_alone_counts(cfg: Tables) -> None:
    text = about(without_conditions(cfg, ML, NULL), "What learned")
    assert re.match(r"Above its own start: REINFORCE \(\+0\.1\d+ \[.*?\] from its own start\); ", text)
    assert text.count("from its own start)") == len(synthetic_tables.CFG) - 2
    assert "Not shown" not in text
    assert "control" not in text


def test_goodness_has_no_goal(length_3: Tables) -> None:
    assert "Who reaches" not in said(length_3)


def test_who_reaches_the_goal_is_told_by_the_interval(cfg: Tables) -> None:
    what = "Who reaches a fraction that parses of 0.9"
    assert about(cfg, what).startswith("The whole interval lies there for maximum likelihood (reference) 0.9")
    worse = shifted(cfg, "maximum_likelihood", schema.VALID_FRACTION, -0.5)
    assert about(worse, what).startswith("No condition's mean; the nearest is REINFORCE, leave-one-out 0.8")
    noisy = cfg.metrics.copy()
    chosen = (noisy["estimator"] == "maximum_likelihood") & (noisy["metric"] == schema.VALID_FRACTION)
    noisy.loc[chosen & (noisy["session"] == 0), "value"] = 0.7
    noisy.loc[chosen & (noisy["session"] > 0), "value"] = 1.0
    assert about(cfg._replace(metrics=noisy), what).startswith("The mean alone for maximum likelihood")


def test_variances_of_other_networks_are_not_compared(cfg: Tables) -> None:
    text = about(cfg, "Variance at the same parameters")
    assert "Gumbel-softmax (c)" in text
    assert "Gumbel-softmax (d)" not in text


def test_a_sweep_without_training_names_the_least_error(relaxation: Tables) -> None:
    text = about(relaxation, lineup.label("gumbel_softmax"))
    assert re.match(
        r"Squared bias and variance together are least for λ = 1, 0\.\d+ \[.*\] of the squared gradient; "
        r"the relative bias there is 0\.5\d+ \[",
        text,
    )
    assert "a bias there is not measurable" in about(relaxation, lineup.label("rebar"))
    assert "goodness" not in said(relaxation)
    found = summary.table(relaxation)
    measured = ["relative bias", "relative variance", "bias² + variance", "cosine", "seconds per session"]
    assert found.words.columns.tolist() == ["estimator", *measured, "sessions"]
    assert found.caption.startswith("Without training: ")


def test_names_are_judged_by_pairs_of_letters_and_a_grammar_by_what_parses(
    names: Tables, cfg: Tables
) -> None:
    assert headline.of(names).metric == schema.BIGRAM_DISTANCE
    assert headline.of(cfg).metric == schema.VALID_FRACTION
    assert headline.of(without(names, schema.REAL_FRACTION)).metric == schema.VALID_FRACTION
    best = about(names, "Lowest")
    assert best.startswith(
        "REINFORCE, leave-one-out ends with the lowest bigram distance from real names: 0.3"
    )
    found = about(names, "Real strings in the generated ones' place")
    assert found == "A fresh sample of them comes to a bigram distance from real names of 0.140."
    assert not about(cfg, "Real strings in the generated ones' place")


def test_the_paper_the_reference_and_the_best_other_stand_for_all(names: Tables, cfg: Tables) -> None:
    paper = [("likelihood", "default"), ("likelihood", "eq5"), ("maximum_likelihood", "default")]
    assert headline.reported(names) == [*paper, ("reinforce_loo", "default")]
    better = shifted(names, "maligan", schema.BIGRAM_DISTANCE, -0.3)
    assert headline.reported(better)[-1] == ("maligan", "default")


def test_the_table_of_names_tells_real_ones(names: Tables, cfg: Tables) -> None:
    headings = {"names listed", "names held out", "cross-entropy", "discriminator accuracy"}
    found = summary.table(names)
    assert headings < set(found.words)
    assert not headings & set(summary.table(cfg).words)
    assert "no training set has them" in found.caption
    assert found.numbers["bigram_distance"].iloc[1:].is_monotonic_increasing


def test_lengths_are_compared_with_the_datas(names: Tables, cfg: Tables, length_3: Tables) -> None:
    text = about(names, "Length")
    assert text.startswith("Characters at the end of training, less the 5.60 of real strings. ")
    shorter, longer, undecided = (text.partition(f"{w}: ")[2] for w in ("Shorter", "Longer", "Undecided"))
    assert re.match(
        r"likelihood, log L −2\.\d+ \[−2\.\d+, −2\.\d+\]; REINFORCE, leave-one-out −0\.[45]", shorter
    )
    assert re.match(r"self-normalised importance sampling \+0\.\d+ \[.*likelihood, eq\. 5 \+2\.", longer)
    assert re.fullmatch(r"Gumbel-softmax −0\.0\d \[−0\.\d+, \+0\.\d+\]\.", undecided)
    assert about(cfg, "Length")
    assert not about(length_3, "Length")


def test_lengths_need_their_intervals(names: Tables) -> None:
    metrics = names.metrics.copy()
    noisy = (metrics["metric"] == schema.LENGTH) & (metrics["session"] == 0)
    metrics.loc[noisy, "value"] *= 9
    text = about(names._replace(metrics=metrics), "Length")
    assert "Shorter" not in text
    assert "likelihood, log L" in text.partition("Undecided: ")[2]


def test_real_names_are_counted_listed_and_held_out(names: Tables) -> None:
    text = about(names, "Real names among the generated")
    assert re.search(
        r"from it: likelihood, log L 3\.\d\d \[.*?\] and 0\.3\d \[.*?\]; likelihood, eq\. 5 0\.", text
    )
    assert text.count(" and 0.") == 4
    assert "MaliGAN" not in text
    assert not about(without(names, schema.HELD_OUT_FRACTION), "Real names among the generated")


def test_the_discriminators_accuracy_is_told(names: Tables) -> None:
    text = about(names, "Told apart")
    assert re.search(r"chance: likelihood, log L 0\.7\d+ \[.*; likelihood, eq\. 5 0\.8\d+ \[", text)


def test_forced_names_repeat_the_papers_letters_or_not(names: Tables) -> None:
    paper = about(names, "Written without an end, likelihood, log L")
    assert re.fullmatch(
        r"Most frequent: a 0\.3\d+ \[0\.3.*?\] \(real names 0\.140\); l 0\.\d+ \[.*?\] "
        r"\(real names 0\.645\)\. "
        r"Against real names of any length: a \+0\.2\d+ \[.*?\], more; n \+0\.1\d+ \[.*?\], more\.",
        paper,
    )
    plain = about(names, "Written without an end, likelihood, eq. 5")
    assert re.search(r": a −0\.1\d+ \[.*?\], less; n −0\.0\d+ \[.*?\], less\.$", plain)
    assert not about(names, "Written without an end, MaliGAN")


def test_an_alphabet_without_these_letters_says_nothing_of_them(names: Tables) -> None:
    metrics = names.metrics.replace({"parameter": {"a": "я", "n": "н"}})
    text = about(names._replace(metrics=metrics), "Written without an end, likelihood, log L")
    assert text.startswith("Most frequent: я 0.3")
    assert "Against" not in text


def test_letters_are_compared_without_the_end(names: Tables) -> None:
    found = claims.of_letters(stats.rows(names, schema.UNIGRAM_DATA))
    means = found.groupby("parameter")["value"].mean()
    assert means.to_dict() == pytest.approx(synthetic_tables.LETTERS)


def test_losses_of_the_papers_condition_are_compared_between_sessions(names: Tables) -> None:
    text = about(names, "Losses between sessions, likelihood, log L")
    number = r"\d+\.\d{3}"
    player = (
        rf"loss goes from {number} to {number} nats \(means\); its standard deviation over 6 sessions at "
    )
    player += rf"the end is {number}, {number} \[.*?\] of that change\."
    assert re.fullmatch(rf"The generator's {player} The discriminator's {player}", text)
    assert "from 32." in text or "from 33." in text


def test_names_without_the_papers_estimator_make_answers(names: Tables) -> None:
    kept = (part[part["estimator"] != "likelihood"] for part in names[:2])
    text = said(Tables(*kept, []))
    assert "likelihood, log L" not in text
    assert "Losses between" not in text
    assert "Told apart: " in text


def test_forced_names_have_a_table_of_a_few_conditions(names: Tables, cfg: Tables, made: Path) -> None:
    found = strings.forced(names)
    shown = ["maximum likelihood (reference)", "REINFORCE, leave-one-out", "likelihood, log L"]
    assert list(found) == [*shown, "likelihood, eq. 5"]
    assert {text for texts in found.values() for text in texts} <= {
        strings.Text("annalannna", False),
        strings.Text("lennaaalan", False),
    }
    assert not strings.forced(cfg)
    assert (made / "index.html").read_text("utf-8").count("Written without an end</h3>") == 1


def test_the_source_of_names_is_credited(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    assert (
        page.count(
            "Names Corpus, version 1.3 (1994), copyright 1991 Mark Kantrowitz, with additions by Bill Ross"
        )
        == 1
    )


@pytest.mark.parametrize(
    ("source", "option"),
    [
        ("census", ""),
        ("kantrowitz", " --source kantrowitz"),
        ("/my lists/names.txt#0123abcd", " --data '/my lists/names.txt'"),
    ],
)
def test_the_command_names_the_words(source: str, option: str, names: Tables) -> None:
    trials = names.trials.assign(config=json.dumps({"source": source}))
    assert bench_made.command("names", trials).endswith(f"reinforce_loo,self_normalised{option}")


@pytest.mark.parametrize(
    ("key", "slug", "title"),
    [
        (("grammar", "grammar", "synthetic", 15), "grammar-15", "grammar: length 15"),
        (("coverage", "grammar", "synthetic", 3), "coverage-grammar-3", "coverage: grammar, length 3"),
        (("names", "names", "census", 10), "names-census-10", "names (census): length 10"),
        (
            ("names", "names", "my own #1.txt#0a1b2c3d", 10),
            "names-my-own-1-txt-0a1b2c3d-10",
            "names (my own #1.txt#0a1b2c3d): length 10",
        ),
    ],
)
def test_slices_have_titles_and_names_that_files_can_have(
    key: tuple[str, str, str, int], slug: str, title: str
) -> None:
    assert (report.slug(key), report.title(key)) == (slug, title)


def test_two_sources_have_a_section_each(tmp_path: Path, without_figures: None) -> None:
    alone = {name: synthetic_tables.names(count, name) for name, count in (("census", 4), ("kantrowitz", 6))}
    kept = (pd.concat([tables[place] for tables in alone.values()]) for place in (0, 1))
    page = report.write(keep(Tables(*kept, []), tmp_path / "both"), tmp_path / "reports")
    text = page.read_text(encoding="utf-8")
    assert text.count("Names Corpus, version 1.3") == 1
    for source, tables in alone.items():
        assert f'<section id="names-{source}-10">' in text
        assert f'<th scope="col">names ({source})</th>' in text
        report.write(keep(tables, tmp_path / source), tmp_path / f"{source}-reports")
        for kind in ("summary", "differences"):
            file = f"tables/names-{source}-10-{kind}.csv"
            expected = (tmp_path / f"{source}-reports" / file).read_text(encoding="utf-8")
            assert (tmp_path / "reports" / file).read_text(encoding="utf-8") == expected


def test_the_settings_of_the_likelihood_gan_stand_beside_their_family(names: Tables) -> None:
    learned = about(without_conditions(names, ML), "What learned")
    assert learned.startswith("Below its own start and every control: REINFORCE, leave-one-out (−0.4")
    assert "likelihood, log L (−0.3" in learned
    assert "MaliGAN (−0." in learned
    assert "likelihood, eq. 5" in learned


def test_coverage_tells_the_cosine_at_both_ends(coverage: Tables) -> None:
    text = about(coverage, "likelihood, eq. 5")
    assert re.fullmatch(
        r"Cosine with the exact gradient −0\.6\d+ \[.*?\] where the data cover 0\.01\d? of the "
        r"generator's mass, 0\.9\d+ \[.*?\] where they cover 1\.000: \+1\.6\d+ \[.*?\], higher\.",
        text,
    )
    assert about(coverage, "MaliGAN").endswith("undecided.")
    lines = {answer.about for answer in report.said(coverage)}
    assert lines == {
        "maximum likelihood (reference)",
        "likelihood, log L",
        "likelihood, eq. 5",
        "self-normalised importance sampling",
        "MaliGAN",
        "Bias at the fullest coverage",
    }


def test_coverage_tells_the_bias_that_is_left(coverage: Tables) -> None:
    text = about(coverage, "Bias at the fullest coverage")
    assert text.startswith("Measurable, relative to the exact gradient: maximum likelihood (reference) 19.")
    assert re.search(r"Not measurable: likelihood, eq\. 5( \(at most 0\.\d+\))?\.$", text)
    assert "covered" not in text
    found = summary.table(coverage)
    assert "covered mass" in found.words
    assert "goodness" not in said(coverage)


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


def test_the_version_is_shown_where_it_is_known() -> None:
    trials = synthetic_tables.make(2).trials
    assert bench_made.facts(trials)["version"] == "0.1.0"
    assert "version" not in bench_made.facts(trials.assign(version=""))
    mixed = pd.concat([trials, trials.assign(version="")])
    assert bench_made.facts(mixed)["version"] == "0.1.0"
