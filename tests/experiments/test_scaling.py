"""What updates cost: seconds and bytes counted rightly, power laws found, and told as they are."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
import torch

from bench import figures, report
from bench.experiments import scaling
from bench.figures import _style as style
from bench.report import summary
from bench.sessions import resources
from bench.statistics import exponents, lineup, stats
from bench.tables import schema
from bench.tables.condition import Condition
from bench.tables.store import Tables

SMALL = replace(scaling.PRESETS["smoke"], batch=16, hidden=8, spend=0.0)
NAMES = list(scaling.PACES)
POINT = Condition(scaling.TASK, 4, "rebar", "T=3")


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables.scaling(6)


def measured(condition: Condition, sessions=(0,), settings=SMALL) -> pd.Series:
    """Values by metric, parameter and session; of what depends on no clock."""
    metrics = scaling.run(settings, condition, sessions, "cpu").metrics
    kept = metrics[metrics["metric"] != schema.UPDATE_SECONDS]
    return kept.set_index(["metric", "parameter", "session"])["value"].sort_index()


def megabytes(name: str, setting: str, phase: str = "generator") -> float:
    return measured(Condition(scaling.TASK, 4, name, setting))[schema.PEAK_MEMORY, phase, 0] / 1e6


def test_the_peak_counts_releases_and_what_an_operation_needs_within():
    def work():
        a = torch.ones(1000)
        b = a + 1
        del a
        return b * 2

    result, peak = resources.peak_memory(work, "cpu")
    assert result.sum() == 4000
    assert 8000 <= peak < 8100  # 12,000 with the first never released; the numbers 1 and 2 take some
    x = torch.ones(100, 100)
    _, peak = resources.peak_memory(lambda: torch.logsumexp(x, 0), "cpu")
    assert peak >= x.nbytes  # the result has 400 bytes


def test_what_was_there_before_does_not_count_and_nothing_is_told(capfd):
    before = torch.ones(100_000)
    _, peak = resources.peak_memory(lambda: before[:10] + 1, "cpu")
    assert 40 <= peak < 100
    assert capfd.readouterr() == ("", "")


def test_waiting_for_others_is_no_time_of_the_processor():
    assert resources.seconds(lambda: time.sleep(0.05), "cpu") < 0.025

    def busy():
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass

    assert resources.seconds(busy, "cpu") >= 0.02


def test_the_fastest_of_several_runs_counts(monkeypatch):
    times = iter([0.03, 0.01, 0.02, 0.001])
    monkeypatch.setattr(resources, "seconds", lambda work, device: next(times))
    assert resources.fastest(lambda: None, "cpu", spend=0.05) == 0.01
    assert next(times) == 0.001


@pytest.mark.parametrize("name", NAMES)
def test_a_repetition_s_numbers_depend_on_its_own_number_alone(name):
    condition = POINT._replace(estimator=name)
    together, alone = measured(condition, [0, 1]), measured(condition, [1])
    pd.testing.assert_series_equal(together.xs(1, level="session"), alone.xs(1, level="session"))
    variance = together[schema.GRADIENT_LOG_VARIANCE, "total"]
    assert variance[0] != variance[1]


def test_every_phase_is_timed_and_weighed():
    outcome = scaling.run(SMALL, POINT, [0, 1], "cpu")
    counts = outcome.metrics.groupby(["metric", "parameter"])["value"].agg(["count", "min"])
    for metric in (schema.UPDATE_SECONDS, schema.PEAK_MEMORY):
        assert set(counts.loc[metric].index) == {"generator", "discriminator", "variance"}
        assert (counts.loc[metric]["min"] > 0).all()
    assert (outcome.trials["status"] == schema.OK).all()


def test_memory_is_a_session_s_share_and_grows_with_length():
    assert megabytes("reinforce_loo", "sessions=1") == pytest.approx(
        megabytes("reinforce_loo", "sessions=4"), rel=0.1
    )
    assert 1.5 < megabytes("reinforce_loo", "T=12") / megabytes("reinforce_loo", "T=6") < 2.2


def test_sampling_holds_no_numbers_for_every_word_of_every_token():
    """The words' probabilities are held for one token at a time; REBAR's noise is another matter."""
    length, words = 12, 2000
    long = replace(SMALL, lengths=(length,))
    peaks = {
        (name, v): measured(Condition(scaling.TASK, length, name, f"V={v}"), settings=long)
        for name in ("reinforce_loo", "rebar")
        for v in (5, words)
    }
    array = SMALL.batch * length * words * 4

    def more(name: str, phase: str) -> float:
        first, second = (peaks[name, v][schema.PEAK_MEMORY, phase, 0] for v in (5, words))
        return (second - first) / array

    assert more("reinforce_loo", "discriminator") < 0.7  # Gumbels alone would be 1
    assert more("rebar", "generator") > more("reinforce_loo", "generator") + 4


def test_the_estimator_s_noise_is_counted():
    streams = scaling.Counted("t", range(2), "cpu")
    _, peak = resources.peak_memory(lambda: streams.noise({"z": (3, 5)}, 16), "cpu")
    assert peak == 2 * 16 * 3 * 5 * 4


def test_a_setting_changes_one_number_of_the_base():
    base = scaling.Point(4, SMALL.vocabulary, SMALL.stacked)
    assert scaling.point_of(SMALL, POINT) == base._replace(length=3)
    assert scaling.point_of(SMALL, POINT._replace(setting="V=7")) == base._replace(vocabulary=7)
    assert scaling.point_of(SMALL, POINT._replace(setting="sessions=9")) == base._replace(stacked=9)


def test_points_that_take_too_long_are_left_out_the_dearest_estimator_first():
    standard = scaling.PRESETS["standard"]
    found = scaling.conditions(standard, standard.lengths, NAMES)
    points = {name: {c.setting for c in found if c.estimator == name} for name in NAMES}
    assert points["rollout"] < points["rebar"] < points["reinforce_loo"]
    assert {"T=3", "T=100", "V=5", "V=5000", "sessions=1", "sessions=300"} <= points["reinforce_loo"]
    assert {c.length for c in found} == set(standard.lengths)
    everything = scaling.conditions(replace(standard, most=np.inf), standard.lengths, NAMES)
    assert len(everything) == 3 * 12
    assert scaling.conditions(standard, [10], ["exact"]) == []


def test_the_presets_keep_to_their_budgets():
    for name, most in {"smoke": 12, "standard": 60}.items():
        settings = scaling.PRESETS[name]
        found = scaling.conditions(settings, settings.lengths, NAMES)
        assert sum(scaling.cost(settings, c) for c in found) * settings.sessions < most


def law(values: dict[int, list[float]], axis: str = "T", estimator: str = "rebar") -> pd.DataFrame:
    """A table of logarithms: point -> a value for every session."""
    rows = [
        (estimator, axis, at, session, np.log(value))
        for at, row in values.items()
        for session, value in enumerate(row)
    ]
    return pd.DataFrame(rows, columns=["estimator", "axis", "at", "session", "value"]).dropna()


def test_an_exponent_is_that_of_the_upper_half():
    table = law({n: [50.0 + n**2] for n in (1, 10, 100, 1000)})
    (row,) = exponents.exponents(table).itertuples()
    assert (row.first, row.last) == (100, 1000)
    assert row.mean == pytest.approx(2, abs=0.01)
    (whole,) = exponents.exponents(table, upper=1.0).itertuples()
    assert (whole.first, whole.mean) == (1, pytest.approx(1.45, abs=0.05))


def test_an_exponent_needs_two_points_of_the_same_session():
    assert exponents.exponents(law({3: [1.0, 2.0]})).empty
    assert exponents.exponents(law({})).empty
    (row,) = exponents.exponents(law({1: [1.0, 1.0], 10: [10.0, 10.0], 100: [100.0, np.nan]})).itertuples()
    assert (row.n, row.first, row.mean) == (1, 10, pytest.approx(1))


def test_the_interval_of_an_exponent_covers_it():
    """Of 200 intervals at 95% from 5 sessions, fewer than 178 or all cover with probability 2.3e-4."""
    random = np.random.default_rng(0)
    tables = [
        law({n: 3 * n**1.5 * random.lognormal(0, 0.1, 5) for n in (1, 10, 100)}, estimator=str(k))
        for k in range(200)
    ]
    found = exponents.exponents(pd.concat(tables), upper=1.0)
    covered = ((found["low"] < 1.5) & (found["high"] > 1.5)).sum()
    assert len(found) == 200
    assert 178 <= covered < 200


def said(tables: Tables) -> dict[str, str]:
    return {answer.about: answer.text for answer in report.said(tables)}


@pytest.fixture(scope="module")
def told(tables: Tables) -> dict[str, str]:
    return said(tables)


def test_exact_numbers_have_no_interval(told: dict[str, str]):
    memory = told["Against the length, T"].partition("Peak memory")[2].partition(". The")[0]
    assert "T^1.00 (30 to 100)" in memory
    assert "[" not in memory


def test_the_words_follow_the_tables(tables: Tables, told: dict[str, str]):
    text = told["Against the length, T"]
    seconds = text.partition("Seconds of a generator update")[2].partition("Seconds")[0]
    assert f"{lineup.label('rebar')} T^1.0" in seconds or f"{lineup.label('rebar')} T^0.9" in seconds
    metrics = tables.metrics.copy()
    long = (metrics["setting"] == "T=100") & (metrics["metric"] == schema.UPDATE_SECONDS)
    metrics.loc[long, "value"] *= 100 / 30
    steeper = said(tables._replace(metrics=metrics))["Against the length, T"]
    assert steeper.count("T^2.0") + steeper.count("T^1.9") == text.count("T^1.0") + text.count("T^0.9") - 4
    assert "n^−0.26" in told["Against the number of sessions at once, n"]


def test_the_bottlenecks_and_the_memory_are_told_at_the_greatest_point(told: dict[str, str]):
    text = told["What is left of the bottlenecks"]
    assert f"{lineup.label('rebar')} (T = 100) 38" in text
    assert "3 [2.9, 3.1] times as much" in text or "3 [3, 3.1] times as much" in text
    memory = told["Memory at the greatest vocabulary"]
    assert f"{lineup.label('reinforce_loo')} 1 MB (V = 5,000)" in memory
    assert f"{lineup.label('rebar')} 51 MB (V = 5,000)" in memory
    assert memory.endswith(": 1 MB (V = 5,000).")


def test_what_was_not_measured_is_not_told(tables: Tables):
    short = tables._replace(metrics=tables.metrics[~tables.metrics["setting"].str.startswith("V")])
    assert said(short).keys() == {
        "Against the length, T",
        "Against the number of sessions at once, n",
        "What is left of the bottlenecks",
    }


def test_the_table_is_in_the_order_of_the_axes(tables: Tables):
    shown = summary.table(tables).words
    assert list(shown["estimator"])[:4] == [f"REINFORCE, leave-one-out, T = {t}" for t in (3, 10, 30, 100)]
    assert {"update, ms", "variance, MB", "log-variance"} <= set(shown)
    assert shown["update, MB"].iloc[0] == "0.30"


def test_the_figure_has_a_panel_for_each_cost_and_axis(tables: Tables):
    with style.theme():
        figure = figures.load("scaling").draw(tables)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 4 * 3 - 1
    laws = [text.get_text() for text in panels[6].get_legend().texts]
    assert sorted(laws) == ["$T^{0.99}$", "$T^{1.00}$", "$T^{1.00}$"]
    assert [t.get_text() for t in panels[-1].get_xticklabels()] == ["5", "50", "500", "5,000"]
    assert any(text.get_visible() for text in panels[8].get_xticklabels())  # the last of its column
    for name in figures.available():
        if name != "scaling":
            assert figures.load(name).draw(tables) is None, name


def test_no_other_experiment_is_taken_for_this_one():
    found = [
        key[0]
        for key, part in stats.slices(synthetic_tables.everything(2))
        if report.scaling.is_scaling(part)
    ]
    assert found == ["scaling"]
