"""Intervals cover what they claim to, tests err no more often than they claim to, known answers come out.

Seeds are fixed. What a simulation finds is uncertain by its standard error: 0.36 points for a coverage of
95% in 4,000 data sets, 0.22 in 10,000. The bounds hold for what is found; no room is added unless said.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from bench.statistics import aggregates, inference, stats
from bench.statistics.aggregates import Interval

BASE = ("a", "default")
#: A way to draw, the mean, and the mean of the middle half.
KINDS = {
    "normal": (lambda random, size: random.standard_normal(size), 0.0, 0.0),
    "lognormal": (lambda random, size: random.lognormal(0, 0.5, size), np.exp(0.125), 1.01793),
    "exponential": (lambda random, size: random.exponential(size=size), 1.0, 0.73838),
    "laplace": (lambda random, size: random.laplace(size=size), 0.0, 0.0),
}


def table(*columns: list[float]) -> pd.DataFrame:
    """One condition for each column of sessions, named a, b, ..."""
    rows = [
        ("abcdef"[place], "default", session, value)
        for place, column in enumerate(columns)
        for session, value in enumerate(column)
    ]
    return pd.DataFrame(rows, columns=["estimator", "setting", "session", "value"])


def interquartile(values: np.ndarray, resamples: int) -> Interval:
    return aggregates.bca([values], aggregates.interquartile_mean, resamples=resamples)


def by_bootstrap(values: np.ndarray, resamples: int) -> Interval:
    return aggregates.mean_by_bootstrap(values, resamples=resamples)


def by_student(values: np.ndarray, _: int) -> Interval:
    ends = scipy_stats.t.interval(
        0.95, values.shape[-1] - 1, values.mean(-1), scipy_stats.sem(values, axis=-1)
    )
    return Interval(values.mean(-1), *ends)


def coverage(
    interval: Callable, kind: str, sessions: int, repeats: int = 4000, resamples: int = 1999
) -> float:
    """How often the interval holds the true value; in parts, to hold little at once."""
    draw, mean, middle = KINDS[kind]
    truth = middle if interval is interquartile else mean
    found = [
        interval(draw(np.random.default_rng(k), (500, sessions)), resamples) for k in range(repeats // 500)
    ]
    return float(np.mean([(low <= truth) & (truth <= high) for _, low, high in found]))


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_the_interval_of_a_mean_covers_it(kind: str) -> None:
    assert 0.93 <= coverage(by_bootstrap, kind, 30) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("sessions", [15, 30])
@pytest.mark.parametrize("kind", ["normal", "lognormal", "exponential"])
def test_the_interval_of_a_mean_covers_it_at_full_size(kind: str, sessions: int) -> None:
    """10,000 data sets; standard error 0.25 points."""
    assert 0.93 <= coverage(by_bootstrap, kind, sessions, 10000, stats.RESAMPLES) <= 0.97


@pytest.mark.slow
def test_long_tails_make_it_fall_short() -> None:
    """As its docstring says, to within four standard errors, 2 points; Student's interval does not."""
    assert coverage(by_bootstrap, "laplace", 15) == pytest.approx(0.923, abs=0.02)
    assert coverage(by_student, "laplace", 15) > 0.95 - 0.02


def test_without_the_expansion_it_would_not() -> None:
    """2,000 data sets; four standard errors are 2 points."""
    values = np.random.default_rng(0).standard_normal((2000, 10))
    _, low, high = aggregates.bca([values], aggregates.mean, resamples=999)
    assert ((low <= 0) & (high >= 0)).mean() < 0.95 - 0.02
    assert aggregates.expanded(20) > 0.95
    assert aggregates.expanded(10**6) == pytest.approx(0.95, abs=1e-5)


def test_the_interval_of_an_interquartile_mean_covers_it() -> None:
    assert 0.93 <= coverage(interquartile, "exponential", 20, resamples=999) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_of_an_interquartile_mean_covers_it_at_full_size(kind: str) -> None:
    assert 0.93 <= coverage(interquartile, kind, 15) <= 0.97


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(1).exponential(size=12)
    expected = scipy_stats.bootstrap([values], aggregates.interquartile_mean, rng=np.random.default_rng(0))
    found = aggregates.bca([values], aggregates.interquartile_mean)
    assert found[1:] == pytest.approx(tuple(expected.confidence_interval))


def test_the_interquartile_mean_ignores_the_outer_quarters() -> None:
    assert aggregates.interquartile_mean(np.array([-1e9, 2.0, 4.0, 1e9])) == 3
    assert aggregates.interquartile_mean(np.arange(8.0)) == 3.5


@pytest.mark.parametrize("sessions", [1, 2, 5])
def test_few_sessions_have_no_bootstrap_interval(sessions: int) -> None:
    values = np.arange(sessions, dtype=float)
    for found in (by_bootstrap(values, 99), interquartile(values, 99)):
        assert found.value == values.mean() or sessions > 3
        assert np.isnan(found[1:]).all()


def test_constant_values_have_an_interval_of_no_width() -> None:
    for values in (np.ones(6), np.array([1.0] * 29 + [2.0])):
        assert interquartile(values, 99) == (1, 1, 1)
    assert by_bootstrap(np.ones(6), 99) == (1, 1, 1)


def test_rows_are_independent_of_one_another() -> None:
    values = np.random.default_rng(2).normal(size=(3, 10))
    values[1] = 4
    together = np.array(by_bootstrap(values, 999)).T
    np.testing.assert_allclose(together, [by_bootstrap(row, 999) for row in values])


def test_probability_of_improvement_counts_ties_half() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 2.0, 5.0, 1.0])
    assert aggregates.probability_of_improvement(x, y).value == 0.625
    assert aggregates.probability_of_improvement(y, x).value == 0.375


def test_probability_of_improvement_has_scipys_wilson_interval() -> None:
    for wins in range(31):
        x = np.where(np.arange(30) < wins, 1.0, -1.0)
        expected = scipy_stats.binomtest(wins, 30).proportion_ci(method="wilson")
        found = aggregates.probability_of_improvement(x, np.zeros(30))
        assert found[1:] == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("sessions", [10, 30])
def test_its_interval_covers_the_probability(sessions: int) -> None:
    """Every outcome enumerated, averaged over true probabilities: no simulation error."""
    wins, truth = np.arange(sessions + 1), np.linspace(0.02, 0.98, 97)
    x = np.where(np.arange(sessions) < wins[:, None], 1.0, -1.0)
    _, low, high = aggregates.probability_of_improvement(x, np.zeros_like(x))
    inside = (low[:, None] <= truth) & (truth <= high[:, None])
    covered = (inside * scipy_stats.binom.pmf(wins[:, None], sessions, truth)).sum(axis=0)
    assert 0.93 <= covered.mean() <= 0.97
    assert covered.min() > {10: 0.898, 30: 0.923}[sessions]


def test_a_profile_counts_sessions_at_or_above() -> None:
    found = aggregates.performance_profile(np.array([1.0, 2.0, 2.0, 5.0]), np.array([0.0, 2.0, 2.1, 6.0]))
    assert found.value.tolist() == [1, 0.75, 0.25, 0]
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()


@pytest.mark.parametrize("sessions", [1, 10, 30])
def test_the_band_holds_the_whole_profile(sessions: int) -> None:
    """4,000 data sets at 300 thresholds, between which a little may be missed."""
    values, thresholds = np.random.default_rng(3).uniform(size=(4000, sessions)), np.linspace(0, 1, 300)
    _, low, high = aggregates.performance_profile(values, thresholds)
    covered = ((low <= 1 - thresholds) & (1 - thresholds <= high)).all(axis=-1).mean()
    assert 0.93 <= covered <= 0.97


def test_tables_have_a_row_for_each_group_and_threshold() -> None:
    rows = table([float("nan"), 1.0, 3.0], [5.0])
    means = aggregates.interquartile_means(rows, ["estimator", "setting"])
    assert means[["estimator", "iqm", "n"]].to_numpy().tolist() == [["a", 2, 2], ["b", 5, 1]]
    assert means["low"].isna().all()
    profiles = aggregates.performance_profiles(rows, ["estimator"], np.array([2.0, 4.0]))
    assert profiles["fraction"].tolist() == [0.5, 0, 1, 1]
    assert profiles["n"].tolist() == [2, 2, 1, 1]
    assert {str(kind) for kind in [*means.dtypes[["iqm", "low"]], *profiles.dtypes[1:5]]} == {"float64"}
    assert aggregates.interquartile_means(rows.iloc[:0], ["estimator"]).empty


def test_the_permutation_test_is_exact_for_few_sessions() -> None:
    differences = np.array([1.0, 2.0, 3.0, -0.5])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1)
    expected = (np.abs(signs.T @ differences) >= differences.sum()).mean()
    assert inference.paired_permutation(differences, np.zeros(4)) == pytest.approx(expected)


def test_the_permutation_test_is_near_students_for_many_normal_sessions() -> None:
    random = np.random.default_rng(4)
    x, y = random.normal(0.4, 1, 30), random.normal(size=30)
    expected = scipy_stats.ttest_rel(x, y).pvalue
    assert inference.paired_permutation(x, y) == pytest.approx(expected, abs=0.01)


def family_errors(draw: Callable, sessions: int, repeats: int, resamples: int) -> float:
    """How often any of five conditions, all like the one baseline, seems to differ from it."""
    values = draw(np.random.default_rng(5), (repeats, 6, sessions))
    p = inference.paired_permutation(values[:, 1:], values[:, :1], resamples)
    return float(np.mean([stats.holm(pd.Series(row)).min() <= 0.05 for row in p]))


def test_the_family_wise_error_is_kept() -> None:
    """1,000 families, all signs taken; three standard errors are 2.1 points."""
    assert family_errors(KINDS["normal"][0], 10, 1000, stats.RESAMPLES) <= 0.05 + 0.021


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "exponential"])
@pytest.mark.parametrize(("sessions", "repeats"), [(10, 4000), (30, 1000)])
def test_the_family_wise_error_is_kept_at_full_size(kind: str, sessions: int, repeats: int) -> None:
    """With all signs, then with random ones; three standard errors of 5% are allowed for."""
    found = family_errors(KINDS[kind][0], sessions, repeats, 1999)
    assert found <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


def test_the_effect_is_cohens_with_hedges_correction() -> None:
    """Hedges' approximation of J, 1 - 3 / (4 m - 1), is good to 1e-3 at 9 degrees of freedom."""
    differences = np.random.default_rng(6).normal(1, 2, 10)
    ratio = differences.mean() / differences.std(ddof=1)
    value, low, high = inference.effect_size(differences)
    assert value == pytest.approx(ratio * (1 - 3 / (4 * 9 - 1)), rel=1e-3)
    statistic = ratio * np.sqrt(10)
    assert scipy_stats.nct.sf(statistic, 9, low * np.sqrt(10)) == pytest.approx(0.025, abs=1e-5)
    assert scipy_stats.nct.cdf(statistic, 9, high * np.sqrt(10)) == pytest.approx(0.025, abs=1e-5)


@pytest.mark.parametrize("sessions", [3, 10])
def test_the_effect_is_unbiased_and_its_interval_covers_it(sessions: int) -> None:
    """20,000 data sets; five standard errors for the mean, 0.15 points for the coverage."""
    value, low, high = inference.effect_size(np.random.default_rng(7).normal(0.5, 1, (20000, sessions)))
    assert abs(value.mean() - 0.5) < 5 * value.std() / np.sqrt(20000)
    assert 0.94 <= ((low <= 0.5) & (high >= 0.5)).mean() <= 0.96


def test_effects_without_a_spread() -> None:
    nothing, certain = inference.effect_size(np.zeros(4)), inference.effect_size(np.full(4, -2.0))
    assert (nothing.value, certain.value) == (0, -np.inf)
    assert np.isnan([*nothing[1:], *certain[1:]]).all()
    assert np.isnan(inference.effect_size(np.array([1.0, 2.0]))).all()


@pytest.mark.parametrize(("effect", "sessions"), [(0.2, 199), (0.5, 34), (0.8, 15), (-0.8, 15)])
def test_sessions_for_known_effects(effect: float, sessions: int) -> None:
    """As Cohen's tables and G*Power have it for a power of 80% at 5%, two-sided."""
    assert inference.sessions_for(effect) == sessions


def test_sessions_for_odd_effects() -> None:
    assert inference.sessions_for(0) == np.inf
    assert inference.sessions_for(1e-9) == np.inf
    assert inference.sessions_for(np.inf) == 2
    assert np.isnan(inference.sessions_for(np.nan))


def test_a_family_needs_more_sessions() -> None:
    differences = np.random.default_rng(8).normal(0.5, 1, 30)
    effect = float(inference.effect_size(differences).value)
    assert inference.sessions_needed(differences) == inference.sessions_for(effect)
    assert inference.sessions_needed(differences, family=7) == inference.sessions_for(effect, alpha=0.05 / 7)
    assert inference.sessions_needed(differences, family=7) > inference.sessions_needed(differences)
    assert inference.sessions_needed(np.zeros(9)) == np.inf
    assert np.isnan(inference.sessions_needed(np.array([1.0])))


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "alpha"), [(0.3, 0.05), (0.8, 0.05), (0.8, 0.005), (3.0, 0.005)])
def test_so_many_sessions_have_the_power(effect: float, alpha: float) -> None:
    """40,000 tests of that many sessions and of one fewer; four standard errors are 0.8 points."""
    size, random = int(inference.sessions_for(effect, alpha=alpha)), np.random.default_rng(9)
    for sessions in (size, size - 1):
        values = random.normal(effect, 1, (40000, sessions))
        found = (scipy_stats.ttest_1samp(values, 0, axis=-1).pvalue <= alpha).mean()
        assert found == pytest.approx(inference.t_power(effect, sessions, alpha), abs=0.008)
    assert inference.t_power(effect, size - 1, alpha) < 0.8 <= inference.t_power(effect, size, alpha)


def test_comparisons_are_paired_and_corrected_over_all_rows() -> None:
    random = np.random.default_rng(10)
    seeds = random.normal(0, 10, 30)
    near, far = (seeds + random.normal(shift, 1, 30) for shift in (0.3, 2))
    found = inference.compared(table(list(seeds), list(near), list(far)), BASE).set_index("estimator")
    assert list(found.columns) == ["setting", *inference.COMPARISON]
    assert found["mean"]["b"] == pytest.approx((near - seeds).mean())
    assert (found["low"] < found["mean"]).all()
    assert (found["mean"] < found["high"]).all()
    assert found["p"]["c"] == pytest.approx(2 / 10000)
    np.testing.assert_allclose(found["p_holm"], stats.holm(found["p"]))
    assert found["improvement"]["c"] == (far > seeds).mean()
    assert found["n"].tolist() == [30, 30]
    expected = inference.sessions_needed(near - seeds, family=2)
    assert found["sessions_needed"]["b"] == expected > found["sessions_needed"]["c"]


def test_the_intervals_agree_with_students_for_normal_differences() -> None:
    random = np.random.default_rng(11)
    rows = table(*(list(random.normal(size=30)) for _ in range(3)))
    ours, theirs = inference.compared(rows, BASE), stats.paired_differences(rows, BASE)
    for column in ("low", "high", "p"):
        np.testing.assert_allclose(ours[column], theirs[column], atol=0.05)


@pytest.mark.parametrize("sessions", [1, 2, 3])
def test_few_sessions_and_equal_ones_compare_without_noise(sessions: int) -> None:
    steps = [float(n) for n in range(sessions)]
    found = inference.compared(table(steps, steps, [n + 1 for n in steps]), BASE)
    assert found["mean"].tolist() == [0, 1]
    assert found[["low", "high"]].isna().all(axis=None)
    assert found["p"].isna().all() == (sessions == 1)
    if sessions > 1:
        assert found["p"].tolist() == [1, 2 / 2**sessions]
    assert found["improvement"].tolist() == [0.5, 1]
    if sessions > 2:
        assert found["sessions_needed"].tolist() == [np.inf, 2]


def test_only_sessions_of_both_are_compared() -> None:
    rows = table([0.0, 0.0, 0.0], [1.0, 2.0, 99.0], [7.0, 7.0, 7.0])
    rows = rows[~((rows["estimator"] == "a") & (rows["session"] == 2))]
    rows = rows[~((rows["estimator"] == "c") & (rows["session"] < 2))]
    found = inference.compared(rows, BASE)
    assert found[["estimator", "mean", "n"]].to_numpy().tolist() == [["b", 1.5, 2]]


@pytest.mark.parametrize("rows", [table([1.0, 2.0]), table(), table([1.0]).iloc[:0]])
def test_nothing_to_compare_is_an_empty_table(rows: pd.DataFrame) -> None:
    for baseline in (BASE, ("z", "default")):
        found = inference.compared(rows, baseline)
        assert found.empty
        assert list(found) == [*stats.COMPARED, *inference.COMPARISON]


@pytest.mark.parametrize("ties", [False, True])
def test_the_rank_correlation_is_spearmans(ties: bool) -> None:
    x, y = np.random.default_rng(12).normal(size=(2, 30))
    y = np.round(x + y) if ties else x + y
    found, expected = inference.rank_correlation(x, y), scipy_stats.spearmanr(x, y)
    assert found.value == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=0.01)
    assert -1 <= found.low < found.value < found.high <= 1


def test_its_test_is_exact_for_few_sessions() -> None:
    found = inference.rank_correlation(np.arange(5.0), np.array([1.0, 3.0, 7.0, 8.0, 9.0]))
    assert found.value == pytest.approx(1)
    assert np.isnan([found.low, found.high]).all()
    assert found.p == pytest.approx(2 / 120)


@pytest.mark.parametrize("sessions", [1, 2, 3, 8])
def test_rank_correlations_of_constants_and_perfect_ones_have_no_interval(sessions: int) -> None:
    steps = np.arange(sessions, dtype=float)
    assert np.isnan(inference.rank_correlation(steps, np.ones(sessions))).all()
    perfect = inference.rank_correlation(steps, -steps)
    assert np.isnan([perfect.low, perfect.high]).all()
    assert perfect.value == pytest.approx(-1) or sessions == 1


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.0, 0.5, 0.8])
def test_the_interval_of_a_rank_correlation_covers_it(truth: float) -> None:
    """1,000 normal data sets of 30 sessions; standard error 0.7 points, and one is allowed for."""
    random, spearman = np.random.default_rng(13), 6 / np.pi * np.arcsin(truth / 2)
    covered = []
    for _ in range(1000):
        x, noise = random.normal(size=(2, 30))
        y = truth * x + np.sqrt(1 - truth**2) * noise
        _, low, high = aggregates.bca([x, y], inference.spearman, resamples=1999)
        covered.append(low <= spearman <= high)
    assert 0.93 - 0.007 <= np.mean(covered) <= 0.97 + 0.007
