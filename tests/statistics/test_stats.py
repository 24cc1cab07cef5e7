"""Intervals cover what they claim to, tests agree with scipy's, and odd tables make no noise."""

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
from scipy import stats as scipy_stats

from bench.statistics import stats
from bench.tables import schema
from bench.tables.store import Tables

LOO = ("reinforce_loo", "default")


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables.make(sessions=12, steps=[0, 50, 100], lambdas=[1], diverged=2)


@pytest.fixture
def length_3(tables: Tables) -> Tables:
    return dict(stats.slices(tables))["grammar", "grammar", "synthetic", 3]


def values(*columns: list[float]) -> pd.DataFrame:
    """One condition for each column of sessions, named a, b, ..."""
    rows = [
        ("abc"[place], "default", session, value)
        for place, column in enumerate(columns)
        for session, value in enumerate(column)
    ]
    return pd.DataFrame(rows, columns=["estimator", "setting", "session", "value"])


def test_the_interval_is_students() -> None:
    found = stats.mean_interval(values([1.0, 2.0, 4.0, 8.0]), ["estimator"]).iloc[0]
    sample = np.array([1.0, 2.0, 4.0, 8.0])
    low, high = scipy_stats.t.interval(0.95, 3, sample.mean(), scipy_stats.sem(sample))
    assert (found["mean"], found["n"]) == (3.75, 4)
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_one_session_has_no_interval_and_a_constant_has_none_to_speak_of() -> None:
    found = stats.mean_interval(values([5.0], [2.0, 2.0, 2.0]), ["estimator"])
    assert found["mean"].tolist() == [5, 2]
    assert np.isnan(found["low"][0])
    assert np.isnan(found["high"][0])
    assert (found["low"][1], found["high"][1]) == (2, 2)


@pytest.mark.parametrize(("kind", "least"), [("normal", 0.95), ("skewed", 0.925)])
def test_the_interval_covers_the_mean(kind: str, least: float) -> None:
    """4,000 experiments of 30 sessions; 4 standard errors, so a false alarm in about 16,000 runs.

    The exponential is far more skewed than any of our metrics: t keeps 92.5% and more there.
    """
    repeats, random = 4000, np.random.default_rng(1)
    draw = random.standard_normal if kind == "normal" else lambda n: random.exponential(size=n) - 1
    table = pd.DataFrame({"run": np.repeat(np.arange(repeats), 30), "value": draw(repeats * 30)})
    found = stats.mean_interval(table, ["run"])
    covered = ((found["low"] <= 0) & (found["high"] >= 0)).mean()
    slack = 4 * np.sqrt(0.95 * 0.05 / repeats)
    assert covered > least - slack
    assert covered < 0.95 + slack


def test_paired_differences_agree_with_scipys_paired_test() -> None:
    random = np.random.default_rng(2)
    base, other = random.normal(size=10), random.normal(0.5, 1, 10)
    found = stats.paired_differences(values(list(base), list(other)), ("a", "default")).iloc[0]
    assert found["mean"] == pytest.approx((other - base).mean())
    assert found["p"] == pytest.approx(scipy_stats.ttest_rel(other, base).pvalue)


def test_differences_use_only_sessions_that_both_have() -> None:
    table = values([0.0, 0.0, 0.0], [1.0, 2.0, 99.0])
    table = table[~((table["estimator"] == "a") & (table["session"] == 2))]
    found = stats.paired_differences(table, ("a", "default")).iloc[0]
    assert (found["mean"], found["n"]) == (1.5, 2)


def test_equal_columns_and_single_sessions_decide_nothing() -> None:
    equal = stats.paired_differences(values([1.0, 1.0], [1.0, 1.0]), ("a", "default"))
    single = stats.paired_differences(values([1.0], [2.0]), ("a", "default"))
    assert equal["p"].tolist() == [1.0]
    assert single["p_holm"].isna().all()


def test_no_baseline_gives_an_empty_table() -> None:
    found = stats.paired_differences(values([1.0, 2.0]), ("z", "default"))
    assert found.empty
    assert list(found) == [*stats.COMPARED, *stats.TEST]


def test_holm_known_answer() -> None:
    found = stats.holm(pd.Series([0.01, 0.04, np.nan, 0.03, 0.005]))
    expected = [0.03, 0.06, np.nan, 0.06, 0.02]
    np.testing.assert_allclose(found, expected)


def test_holm_keeps_the_family_wise_error() -> None:
    """8 comparisons without a difference, 2,000 times: a false verdict in at most 5% of them."""
    random = np.random.default_rng(3)
    errors = [stats.holm(pd.Series(random.uniform(size=8))).min() < 0.05 for _ in range(2000)]
    assert np.mean(errors) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 2000)


def test_changes_are_taken_within_a_session(length_3: Tables) -> None:
    goodness = stats.rows(length_3, schema.GOODNESS)
    found = stats.changes(goodness).set_index(stats.COMPARED).loc[LOO]
    mine = goodness[(goodness["estimator"] == LOO[0]) & (goodness["setting"] == LOO[1])]
    wide = mine.pivot_table(index="session", columns="step", values="value")
    assert found["mean"] == pytest.approx((wide[100] - wide[0]).mean())


def test_bias_is_found_where_it_is_and_not_where_it_is_not(length_3: Tables) -> None:
    found = stats.relative_bias(length_3).set_index("estimator")
    assert found["mean"]["rebar_sequence"] == pytest.approx(0.18, abs=0.01)
    assert found["low"]["rebar_sequence"] < 0.18 < found["high"]["rebar_sequence"]
    assert found["p_holm"]["rebar_sequence"] < 1e-6
    assert found["p_holm"]["reinforce"] > 0.05
    assert found["low"]["reinforce"] == 0


@pytest.mark.parametrize("sessions", [1, 2, 3])
def test_few_sessions_give_a_bias_without_noise(sessions: int) -> None:
    found = stats.relative_bias(synthetic_tables.make(sessions, (3,), [0, 1], []))
    assert found["mean"].notna().all()
    assert found["low"].isna().all() == (sessions == 1)


def test_an_exact_estimate_has_no_bias() -> None:
    random = np.random.default_rng(4)
    sessions = pd.DataFrame({"bias": np.zeros(5), "norm": random.uniform(1, 2, 5)})
    found = stats.bias_of_condition(sessions)
    assert found[["mean", "low", "high", "p"]].tolist() == [0, 0, 0, 1]


def test_errors_are_relative_to_one_squared_gradient() -> None:
    metrics = {
        schema.GRADIENT_BIAS_SQUARED: [0.2, -0.1],
        schema.GRADIENT_VARIANCE: [1.0, 2.0],
        schema.GRADIENT_NORM_SQUARED: [1.0, 3.0],
    }
    names = ("relaxation", "grammar", "synthetic", 3, "rebar", "lambda=1")
    where = dict(zip(schema.CONDITION, names, strict=True))
    found = [
        where | {"session": session, "step": step, "metric": name, "parameter": "", "value": value + step}
        for name, values in metrics.items()
        for session, value in enumerate(values)
        for step in (0, 5)
    ]
    trials = pd.DataFrame([where | {"session": 0, "status": schema.OK}])
    errors = stats.relative_errors(Tables(pd.DataFrame(found), trials, []))
    wide = errors.pivot_table(index="session", columns="part", values="value")
    assert wide["bias"].tolist() == [0.1, -0.05]
    assert wide["variance"].tolist() == [0.5, 1.0]
    assert wide["error"].tolist() == [0.6, 0.95]


def test_errors_are_measured_before_training_only(tables: Tables) -> None:
    assert stats.relative_errors(tables).empty


def test_no_rows_have_no_conditions(tables: Tables) -> None:
    nothing = stats.among(tables.metrics.iloc[:0], [LOO])
    assert nothing.empty
    assert list(nothing) == list(tables.metrics)


def test_only_finite_values_of_sessions_that_ended_ok(tables: Tables) -> None:
    goodness = stats.rows(tables, schema.GOODNESS)
    counts = stats.last(goodness).groupby(schema.CONDITION)["session"].nunique()
    assert counts["grammar", "grammar", "synthetic", 15, "rebar_sequence", "default"] == 10
    assert counts["grammar", "grammar", "synthetic", 15, "rebar", "default"] == 12
    variance = stats.rows(tables, schema.GRADIENT_LOG_VARIANCE, "total")
    assert "exact" not in set(variance["estimator"])
    assert np.isfinite(variance["value"]).all()


def test_lengths_that_did_not_come_count_as_nothing() -> None:
    where = dict(zip(schema.CONDITION, ("names", "names", "census", 10, "rebar", "default"), strict=True))
    shares = [(0, "3", 0.25), (0, "10", 0.75), (1, "4", 1.0)]
    rows = [where | {"session": s, "step": 0, "parameter": p, "value": v} for s, p, v in shares]
    assert stats.mean_lengths(pd.DataFrame(rows))["value"].tolist() == [8.25, 4.0]


def test_values_less_the_datas_agree_with_scipys_test() -> None:
    random = np.random.default_rng(5)
    made, data = random.normal(0.3, 1, 8), random.normal(size=8)
    where = dict(zip(schema.CONDITION, ("names", "names", "census", 10, "a", "default"), strict=True))
    tables = [values(list(column)).assign(**where) for column in (made, data)]
    found = stats.less(tables[0], tables[1].iloc[::-1]).iloc[0]
    assert found["mean"] == pytest.approx((made - data).mean())
    assert found["p"] == pytest.approx(scipy_stats.ttest_1samp(made - data, 0).pvalue)


def runs(begin: list[float], end: list[float]) -> pd.DataFrame:
    """One condition's first and last step."""
    where = dict(zip(schema.CONDITION, ("names", "names", "census", 10, "a", "default"), strict=True))
    return pd.concat([values(v).assign(step=step, **where) for step, v in ((0, begin), (9, end))])


def test_the_spread_is_relative_to_the_way() -> None:
    found = stats.spread(runs([10.0, 12.0, 14.0], [1.0, 2.0, 3.0])).iloc[0]
    assert (found["begin"], found["end"], found["deviation"], found["n"]) == (12, 2, 1, 3)
    assert found["mean"] == pytest.approx(0.1)
    variance = scipy_stats.chi2.ppf([0.975, 0.025], 2)
    assert [found["low"], found["high"]] == pytest.approx(list(0.1 * np.sqrt(2 / variance)))


def test_the_spreads_interval_covers_the_deviation() -> None:
    """200 normal samples of 10; 4 standard errors."""
    ends = np.random.default_rng(6).normal(size=(200, 10))
    parts = [runs([2 + end.mean()] * 10, list(end)).assign(setting=str(n)) for n, end in enumerate(ends)]
    found = stats.spread(pd.concat(parts))
    covered = ((found["low"] <= 0.5) & (found["high"] >= 0.5)).mean()
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 200)


def test_one_session_and_standing_still_have_no_spread() -> None:
    single = stats.spread(runs([1.0], [2.0])).iloc[0]
    still = stats.spread(runs([1.0, 3.0], [2.0, 2.0])).iloc[0]
    for found in (single, still):
        assert np.isnan([found["mean"], found["low"], found["high"]]).all()
    assert stats.spread(runs([1.0], [2.0]).iloc[:0]).empty
