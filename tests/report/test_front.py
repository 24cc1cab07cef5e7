"""The front page and the tables of gradient quality: change the numbers and the words change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
from synthetic_gradients import CONDITIONS, measured
from synthetic_tables import everything

from bench import figures, report
from bench.report import choices, gradients, verdict, words
from bench.statistics import inference, quality, stats, transfer
from bench.tables import schema, store
from bench.tables.store import Tables

SESSIONS = 8


def by_condition(found):
    return {(row.estimator, row.setting): row for row in found.itertuples()}


def test_variances_and_biases_are_relative_to_the_squared_gradient_of_each_checkpoint():
    tables = measured()
    variances, biases = (by_condition(f(tables)) for f in (quality.variances, quality.biases))
    for condition, (log_variance, bias, milliseconds, _) in CONDITIONS.items():
        if condition[0] != "exact":
            assert variances[condition].mean == pytest.approx(10**log_variance, rel=0.1)
            assert variances[condition].low < 10**log_variance * 1.03
            assert variances[condition].high > 10**log_variance * 0.97
        assert biases[condition].mean == pytest.approx(bias**0.5, abs=0.05)
        assert (biases[condition].p_holm < 0.01) == (bias > 0)
        cost = by_condition(quality.costs(tables, schema.SECONDS))[condition]
        assert cost.mean == pytest.approx(milliseconds / 1e3)


def test_the_front_holds_what_nothing_beats_in_both():
    found = pd.DataFrame({"cost": [1.0, 2.0, 3.0, 3.5, 4.0], "mean": [9.0, 5.0, 6.0, 4.0, 4.0]})
    assert quality.front(found).index.tolist() == [0, 1, 3]


def test_sentences_name_the_least_error_for_each_budget_and_the_biased():
    told = {answer.about: answer.text for answer in gradients.sentences(measured())}
    assert told["Equal discriminator calls"].startswith("REBAR (per step) has the least")
    assert "REINFORCE is" in told["Equal discriminator calls"]
    assert told["Equal seconds"].startswith("REBAR (per step) has the least")
    assert told["Biased"].startswith(
        "Relative bias, mean over checkpoints: straight-through Gumbel-softmax 0.5"
    )
    assert "REINFORCE, leave-one-out" in told["No bias shown"]
    assert "straight-through" in told["Cheapest for its variance"]
    assert "exact" not in " ".join(told.values())
    assert "The true gradient" not in told


def test_other_numbers_give_other_words():
    better = CONDITIONS | {("reinforce_loo", "default"): (-2.0, 0.0, 0.08, 8.0)}
    told = {answer.about: answer.text for answer in gradients.sentences(measured(better))}
    assert told["Equal discriminator calls"].startswith("REINFORCE, leave-one-out has the least")


@pytest.mark.parametrize("figure", ["pareto", "budgets"])
def test_figures_of_gradient_quality_are_drawn_and_of_nothing_else(figure, tmp_path):
    saved = figures.save(figure, measured(), tmp_path / "figure.svg")
    assert saved.svg.stat().st_size > 10_000
    assert figures.save(figure, grammar(), tmp_path / "none.svg") is None
    assert not (tmp_path / "none.svg").exists()


def grammar():
    """The grammar experiment's tables."""
    tables = everything(sessions=SESSIONS)
    return Tables(*(t[t["experiment"] == "grammar"].reset_index(drop=True) for t in tables[:2]), tables.notes)


def of(tables, length=3):
    """The only slice of a length, as the front page takes it."""
    return {key: ("place", part) for key, part in stats.slices(tables) if key[3] == length}


def test_choices_name_an_estimator_for_every_budget_and_for_training():
    found = {(c.length, c.budget): c for c in choices.choices(of(measured()) | of(grammar()))}
    assert found[3, "gradient, equal discriminator calls"].best == "REBAR (per step)"
    assert found[3, "gradient, equal seconds"].equal == ""
    assert (3, "training, equal updates") in found


def with_quality(errors, ends):
    """Tables in which estimators have these errors, and grammar ends so."""
    conditions = {(name, "default"): (e, 0.0, 0.01, 1.0) for name, e in errors.items()}
    trained = grammar()
    metrics, trials = (t[(t["setting"] == "default") & t["estimator"].isin(errors)] for t in trained[:2])
    rows = (metrics["metric"] == schema.GOODNESS) & (metrics["length"] == 3)
    last = metrics["step"] == metrics.loc[rows, "step"].max()
    metrics = metrics.copy()
    for name, end in ends.items():
        metrics.loc[rows & last & (metrics["estimator"] == name), "value"] = end
    other = measured(conditions)
    return Tables(pd.concat([metrics, other.metrics]), pd.concat([trials, other.trials]), [])


NAMES = ["reinforce", "reinforce_loo", "rebar", "relax", "rebar_sequence"]


@pytest.mark.parametrize(("order", "verdict_"), [(1, "yes"), (-1, "no, worse")])
def test_whether_a_better_gradient_trains_better_is_read_off_the_tables(order, verdict_):
    errors = dict(zip(NAMES, (2.0, 1.0, 0.0, -1.0, -2.0), strict=True))
    ends = {name: 0.5 - order * error / 10 for name, error in errors.items()}
    told = [text for text in choices.transfers(with_quality(errors, ends)) if text.startswith("Length 3")]
    assert told[0].startswith(f"Length 3: {verdict_}; rank correlation")


def test_correlations_are_one_or_minus_one_where_the_orders_agree_or_are_reversed():
    table = pd.DataFrame(
        {
            "length": 3,
            "session": np.repeat([0, 1], 5),
            "estimator": NAMES * 2,
            "setting": "default",
            "error": [1, 2, 3, 4, 5] * 2,
            "quality": [5, 4, 3, 2, 1, 1, 2, 3, 4, 5],
        }
    )
    assert transfer.correlations(table)["value"].tolist() == pytest.approx([1, -1])


@pytest.mark.parametrize(
    ("shift", "expected"), [(-2.0, words.HOLDS), (2.0, words.REFUTED), (0.0, words.UNDECIDED)]
)
def test_a_claim_of_the_lowest_variance_follows_the_numbers(shift, expected):
    tables = grammar()
    metrics = tables.metrics.copy()
    mine = (metrics["metric"] == schema.GRADIENT_LOG_VARIANCE) & (metrics["estimator"] == "relax")
    rivals = metrics["estimator"].isin(["reinforce", "rebar", "rebar_sequence"])
    level = (metrics["metric"] == schema.GRADIENT_LOG_VARIANCE) & (rivals | mine)
    rng = np.random.default_rng(0)
    metrics.loc[level, "value"] = rng.normal(0, 0.3, level.sum())
    metrics.loc[mine & level, "value"] += shift
    found = verdict.findings(of(tables._replace(metrics=metrics)))
    mentioned = [f for f in found if f.claim == "RELAX (per step) has the lowest variance at length 3"]
    assert [f.verdict for f in mentioned] == [expected]


def test_the_claim_on_pretraining_is_taken_over():
    tables = synthetic_tables.pretraining()
    found = verdict.findings(of(tables))
    assert [f.claim for f in found] == ["pre-training is essential at length 3"]
    assert found[0].verdict in report.pretraining.sentences(tables)[0].text.lower()


def test_what_no_table_bears_on_is_not_mentioned():
    assert verdict.findings({}) == []
    assert choices.choices({}) == []
    assert choices.transfers(measured()) == []


def test_the_page_begins_with_the_verdict(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "available", list)
    both = with_quality(dict.fromkeys(NAMES, 1.0), {})
    for unit, part in both.trials.groupby(["experiment", "length", "estimator"]):
        rows = both.metrics
        same = rows[
            (rows["experiment"] == unit[0]) & (rows["length"] == unit[1]) & (rows["estimator"] == unit[2])
        ]
        store.write(tmp_path / "results", "-".join(map(str, unit)), same, part)
    page = report.write(tmp_path / "results", tmp_path / "reports").read_text(encoding="utf-8")
    assert page.index("Which estimator to use") < page.index('id="answers"')
    assert "What the papers claim" in page
    assert (tmp_path / "reports" / "tables" / "front-claims.md").exists()
    assert (tmp_path / "reports" / "tables" / "front-choices.csv").exists()


def pairs_apart(shift: float, sessions: int = 12) -> pd.DataFrame:
    """Three conditions: two that differ by some noise alone, and one that is behind."""
    noise = np.random.default_rng(5).normal(size=(3, sessions))
    rows = [
        (name, "default", session, shift * place + noise[place, session])
        for place, name in enumerate(("reinforce", "rebar", "relax"))
        for session in range(sessions)
    ]
    return pd.DataFrame(rows, columns=["estimator", "setting", "session", "value"])


def test_what_cannot_be_told_apart_has_the_sessions_that_it_would_take():
    found = stats.paired_differences(pairs_apart(0.2), ("reinforce", "default"))
    unclear = inference.undecided(found)
    assert list(unclear["estimator"]) == list(found.loc[found["p_holm"] >= 0.05, "estimator"])
    for row in unclear.itertuples():
        wide = pairs_apart(0.2).pivot(index="session", columns="estimator", values="value")
        gains = (wide[row.estimator] - wide["reinforce"]).to_numpy()
        assert row.sessions_needed == inference.sessions_needed(gains, family=2) > 12


def test_a_leader_that_most_cannot_be_told_from_is_undecided():
    (_, best, equal), *_ = choices.leader(pairs_apart(0.01), falls=True)
    assert best.startswith("undecided; ahead is ")
    assert equal.count("; ") == 1
    (_, best, equal), *_ = choices.leader(pairs_apart(9.0), falls=True)
    assert (best, equal) == ("REINFORCE", "")


def test_others_beyond_a_handful_are_counted():
    many = pd.DataFrame({"estimator": list("abcdefgh"), "setting": "default", "sessions_needed": 1e6})
    assert choices.others(many).endswith("f (> 10,000); and 2 others")


def test_a_correlation_s_interval_stays_within_one(monkeypatch):
    rows = pd.DataFrame({"length": 15, "session": range(3), "value": [-0.99, -0.4, -0.5]})
    monkeypatch.setattr(transfer, "correlations", lambda found: rows)
    monkeypatch.setattr(transfer, "both", lambda tables: None)
    (row,) = transfer.summary(None).itertuples()
    assert -1 < row.low < row.mean < row.high < 1
    assert row.mean == pytest.approx(np.tanh(np.arctanh(rows["value"]).mean()))
