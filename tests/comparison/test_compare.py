"""Two results folders compared: what is the same is said to be, known differences come out as they are."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
from matplotlib.colors import to_hex
from scipy import stats as distributions

from bench import comparison
from bench.cli import main
from bench.comparison import Comparison, figure, tables, terminal
from bench.comparison.differences import BETTER, CHANGED, IDENTICAL, KEY, OPEN, WORSE, differences
from bench.comparison.identity import identity, sentence
from bench.comparison.quantities import ALL, NAMED, relative_bias_squared, seconds
from bench.figures import _style as style
from bench.statistics import lineup, stats
from bench.tables import schema, store
from bench.tables.schema import CONDITION, SESSION
from bench.tables.store import Tables

ROOT = Path(__file__).parents[2]
GRAMMAR_3 = ("grammar", "grammar", "synthetic", 3)


@cache
def both_experiments() -> Tables:
    """Grammar at two lengths and its temperatures, 12 sessions of each condition."""
    return synthetic_tables.make(12, steps=[0, 100], lambdas=[0.1, 1])


@cache
def grammar() -> Tables:
    """Grammar at length 3 alone."""
    return synthetic_tables.make(12, lengths=(3,), steps=[0, 100], lambdas=[])


@cache
def names() -> Tables:
    return synthetic_tables.names(12)


def keep(tables: Tables, folder: Path) -> Path:
    """A results folder with these tables in one unit."""
    store.write(folder, "all", tables.metrics, tables.trials)
    return folder


@pytest.fixture
def compared(tmp_path: Path):
    """Compare tables as two folders."""

    def compare(a: Tables, b: Tables) -> Comparison:
        return comparison.compare(keep(a, tmp_path / "a"), keep(b, tmp_path / "b"))

    return compare


def chosen(tables: Tables, estimator: str, metric: str, parameter: str | None = None) -> pd.Series:
    """The rows of a metric of an estimator's default setting."""
    rows = tables.metrics
    found = (rows["estimator"] == estimator) & (rows["setting"] == "default") & (rows["metric"] == metric)
    return found if parameter is None else found & (rows["parameter"] == parameter)


def changed(tables: Tables, rows: pd.Series, values: object) -> Tables:
    """The same tables, with something added to some rows."""
    metrics = tables.metrics.copy()
    metrics.loc[rows, "value"] += values
    return tables._replace(metrics=metrics)


def only(tables: Tables, keep: pd.Series) -> Tables:
    """The trials for which `keep` is true, and their metrics."""
    trials = tables.trials[keep]
    return tables._replace(trials=trials, metrics=tables.metrics.merge(trials[SESSION], on=SESSION))


def renumbered(tables: Tables, by: int) -> Tables:
    """The same tables of sessions of other numbers, finished at other times."""
    metrics, trials = (frame.assign(session=frame["session"] + by) for frame in tables[:2])
    return Tables(metrics, trials.assign(finished=trials["finished"].str.replace("2026", "2027")), [])


def row(found: pd.DataFrame, quantity: str, estimator: str, length: int = 3, **where: object) -> pd.Series:
    """The one row of a comparison."""
    wanted = {"experiment": "grammar", "length": length, "estimator": estimator, "setting": "default"} | where
    part = found[found["quantity"] == quantity]
    for column, value in wanted.items():
        part = part[part[column] == value]
    assert len(part) == 1, part
    return part.iloc[0]


def test_the_same_tables_are_said_to_be_identical(compared) -> None:
    found = compared(both_experiments(), both_experiments())
    rows, sessions = both_experiments().metrics, len(both_experiments().trials)
    count = len(rows[rows["metric"] != schema.SECONDS].drop_duplicates(schema.METRICS_KEY))
    where = f"in {sessions} sessions, times apart"
    assert found.answer == f"All {count:,} numbers that both hold are identical ({where})."
    assert set(found.found["verdict"]) == {IDENTICAL}
    assert set(found.found["quantity"]) == set(NAMED)
    assert (found.changes, found.notes, found.missing) == ([], [], [])
    assert all(figure.draw(found.found, quantity) is None for quantity in NAMED.values())


def told(a: Tables, b: Tables) -> str:
    """The answer to whether two tables hold the same numbers."""
    return sentence(identity(a, b))


def test_times_may_differ_and_nothing_else() -> None:
    base = grammar()
    timed = base.metrics["metric"] == schema.SECONDS
    timed |= (base.metrics["metric"] == schema.CROSS_ENTROPY) & (base.metrics["session"] == 0)
    budget = base.metrics.assign(parameter=base.metrics["parameter"].mask(timed, schema.SECONDS))
    base = base._replace(metrics=budget)
    assert told(base, changed(base, timed, 0.5)).startswith("All ")
    other = base.metrics.index == np.flatnonzero(~timed)[0]
    assert told(base, changed(base, other, 0.5)).startswith("1 of ")


def test_one_bit_is_a_difference() -> None:
    base = grammar()
    place = base.metrics.index[chosen(base, "rebar", schema.GOODNESS)][0]
    metrics = base.metrics.copy()
    value = metrics.loc[place, "value"]
    metrics.loc[place, "value"] = np.nextafter(value, np.inf)
    answer = told(base, base._replace(metrics=metrics))
    size = np.spacing(value) / value
    assert answer.startswith("1 of ")
    assert (
        f"relative difference {size:.2g} at the median, {size:.2g} at most (goodness of grammar-3, " in answer
    )
    assert f"rebar, session {metrics.loc[place, 'session']}, step {metrics.loc[place, 'step']}: " in answer


def test_what_is_no_number_equals_what_is_none() -> None:
    rows = chosen(grammar(), "rebar", schema.CROSS_ENTROPY)
    none = changed(grammar(), rows, np.nan)
    assert told(none, none).startswith("All ")
    answer = told(grammar(), none)
    assert answer.startswith(f"{rows.sum()} of ")
    assert "inf at most" in answer


def test_numbers_of_one_side_are_counted() -> None:
    base = grammar()
    fewer = base._replace(metrics=base.metrics[~chosen(base, "rebar", schema.CROSS_ENTROPY)])
    gone = len(base.metrics) - len(fewer.metrics)
    assert told(base, fewer).endswith(f" are in one only: {gone} in A, 0 in B.")
    assert told(fewer, base).endswith(f" are in one only: 0 in A, {gone} in B.")


def test_known_differences_come_out_with_their_direction(compared) -> None:
    """Quality falls by 0.05 and log-variance by 0.5; in names, distance rises by 0.1; nothing else."""
    base = Tables(*(pd.concat(pair) for pair in zip(grammar()[:2], names()[:2], strict=True)), [])
    base = base._replace(metrics=base.metrics.reset_index(drop=True))
    noise = np.random.default_rng(0)
    cases = {
        "quality": (chosen(base, "relax", schema.GOODNESS), -0.05, WORSE, {}),
        "log_variance": (
            chosen(base, "rebar", schema.GRADIENT_LOG_VARIANCE, "total"),
            -0.5,
            BETTER,
            {},
        ),
        "distance": (
            chosen(base, "likelihood", schema.BIGRAM_DISTANCE),
            0.1,
            WORSE,
            {"experiment": "names", "length": 10},
        ),
    }
    moved = base
    for rows, by, _, _ in cases.values():
        moved = changed(moved, rows, by + noise.normal(0, abs(by) / 10, rows.sum()))
    found = compared(base, moved).found
    for name, (rows, by, verdict, where) in cases.items():
        estimator = base.metrics.loc[rows, "estimator"].iloc[0]
        one = row(found, {"distance": "quality"}.get(name, name), estimator, **where)
        assert one["low"] < by < one["high"], one
        assert one["high"] - one["low"] < abs(by), one
        assert one["verdict"] == verdict, one
        assert one["b"] - one["a"] == pytest.approx(one["mean"])
    touched = {"relax", "rebar", "likelihood"}
    assert set(found.loc[found["verdict"] != IDENTICAL, "estimator"]) == touched
    assert len(found[found["verdict"] != IDENTICAL]) == 4  # log-variance at the start and at the end
    assert found["verdict"].head(4).isin([BETTER, WORSE]).all()
    assert found["p"].notna().sum() == 4  # what is identical makes the family no larger


def test_the_statistics_are_scipys() -> None:
    random = np.random.default_rng(1)
    frames = []
    for side in range(2):
        frame = pd.DataFrame({"session": np.arange(side * 4, 12 + side * 4).astype(object)})
        frame = frame.merge(pd.DataFrame({"estimator": list("pqr")}), how="cross")
        frame["value"] = random.normal(side, 1 + side, len(frame))
        far = frame["estimator"] == "q"  # whose sessions do not match
        frame.loc[far, "session"] = frame.loc[far, "session"] + 100 * side
        constants = {"experiment": "e", "task": "t", "source": "s", "length": 3, "setting": "default"}
        frames.append(frame.assign(**constants, quantity="quality", what="quality", falls=False))
    found = differences(*frames).set_index("estimator")
    values = [frame.set_index(["estimator", "session"])["value"] for frame in frames]
    for name in "pr":
        a, b = (v[name].reindex(range(4, 12)) for v in values)
        check(found.loc[name], distributions.ttest_rel(b, a), (b - a).mean())
        assert bool(found.loc[name, "paired"])
        assert found.loc[name, "n_a"] == found.loc[name, "n_b"] == 8
    a, b = (v["q"] for v in values)
    check(found.loc["q"], distributions.ttest_ind(b, a, equal_var=False), b.mean() - a.mean())
    assert not found.loc["q", "paired"]
    assert found.loc["q", "n_a"] == found.loc["q", "n_b"] == 12
    ordered = found.sort_values("p")
    holm = np.minimum(np.maximum.accumulate(ordered["p"] * [3, 2, 1]), 1)
    np.testing.assert_allclose(ordered["p_holm"], holm)


def check(one: pd.Series, test: object, mean: float) -> None:
    """Hold a row against scipy's test."""
    interval = test.confidence_interval(stats.LEVEL)
    expected = [mean, interval.low, interval.high, test.pvalue]
    np.testing.assert_allclose(one[["mean", "low", "high", "p"]].astype(float), expected, rtol=1e-9)


@pytest.mark.parametrize(("first", "paired", "n"), [(5, True, 7), (6, True, 6), (7, False, 12)])
def test_half_of_the_sessions_must_match(compared, first: int, paired: bool, n: int) -> None:
    base = grammar()
    later = renumbered(base, first)
    found = compared(base, later)
    one = row(found.found, "quality", "rebar")
    assert (one["paired"], one["n_a"], one["n_b"]) == (paired, n, n)
    text = " ".join(found.said)
    assert ("Welch's t" in text) != paired
    assert (f"are paired by session, with {n} pairs each" in text) == paired


def test_sessions_of_which_none_match_are_told(compared) -> None:
    found = compared(grammar(), renumbered(grammar(), 100))
    assert found.answer.startswith("No session is in both")
    assert not found.found.loc[found.found["estimator"] != ALL, "paired"].any()
    same = found.found[found.found["quantity"] == "quality"]
    assert len(same)
    np.testing.assert_array_equal(same["mean"], 0)
    assert set(same["verdict"]) == {OPEN}


def test_one_session_makes_no_interval_and_no_warning(compared, tmp_path: Path) -> None:
    base = only(grammar(), grammar().trials["session"] == 0)
    moved = changed(base, chosen(base, "rebar", schema.GOODNESS), 0.1)
    found = compared(base, moved)
    one = row(found.found, "quality", "rebar")
    assert one["mean"] == pytest.approx(0.1)
    assert np.isnan(one["p"])
    assert one["verdict"] == OPEN
    comparison.write(found, tmp_path / "page")


def test_a_stack_is_one_measurement_of_time(compared) -> None:
    """Twelve sessions in stacks of six, 1.3 times as slow: two times per condition, however many sessions."""
    base = grammar()
    trials = base.trials.copy()
    stack = trials["session"] // 6
    trials["finished"] = "2026-01-0" + (1 + stack).astype(str)
    trials["seconds"] *= 1 + 0.02 * stack
    slow = trials.assign(
        seconds=trials["seconds"] * 1.3, finished="2027" + trials["finished"].str[4:], machine="another"
    )
    found = compared(base._replace(trials=trials), base._replace(trials=slow))
    one = row(found.found, "seconds", "rebar")
    assert (one["paired"], one["n_a"], one["n_b"]) == (False, 2, 2)
    assert np.exp(one["mean"]) == pytest.approx(1.3)
    shown = tables.natural(found.found).loc[one.name]
    assert shown["scale"] == "ratio"
    assert shown["low"] < 1.3 < shown["high"]
    assert np.exp(one["b"]) == pytest.approx(np.exp(one["a"]) * 1.3)
    everything = row(found.found, "seconds", ALL)
    assert (everything["paired"], everything["n_a"]) == (True, len(synthetic_tables.TRUTH))
    assert everything["verdict"] == WORSE
    assert found.notes == ["Seconds compare the circumstances as much as the code: machine not the same."]
    assert found.answer.startswith("All ")


def test_calls_are_not_tested(compared) -> None:
    base = grammar()
    found = compared(base, changed(base, chosen(base, "rebar", schema.GENERATOR_CALLS), 64.0)).found
    one = row(found, schema.GENERATOR_CALLS, "rebar")
    assert (one["mean"], one["low"], one["high"], one["verdict"]) == (64, 64, 64, CHANGED)
    assert np.isnan(one["p"])


def test_the_bias_is_the_ratio_of_means_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 1999)
    part = dict(stats.slices(synthetic_tables.make(30, steps=[0, 100], lambdas=[])))[GRAMMAR_3]
    values = relative_bias_squared(part)
    truth = stats.relative_bias(part).set_index(stats.COMPARED)
    one = values[values["estimator"] == "rebar_sequence"]["value"]
    biased = truth.loc["rebar_sequence", "default"]
    assert one.mean() == pytest.approx(biased["mean"] ** 2)
    half = distributions.t.ppf(0.975, 29) * one.std() / np.sqrt(30)
    assert 2 * half == pytest.approx(biased["high"] ** 2 - biased["low"] ** 2, rel=0.25)
    assert len(values) == 30 * len(truth)


def test_what_only_one_has_is_listed(compared) -> None:
    base = both_experiments()
    found = compared(base, only(base, ~base.trials["estimator"].isin(["relax", "exact"])))
    assert found.missing == [
        ("only A has grammar-3", ["exact", "relax"]),
        ("only A has grammar-15", ["relax"]),
    ]
    assert compared(only(base, base.trials["length"] == 3), base).missing[0][0] == "only B has grammar-15"
    assert not found.found["estimator"].isin(["relax", "exact"]).any()


def test_lost_sessions_are_told(compared) -> None:
    base = grammar()
    bad = (base.trials["estimator"] == "relax") & (base.trials["session"] < 2)
    lost = base._replace(trials=base.trials.assign(status=base.trials["status"].mask(bad, schema.DIVERGED)))
    found = compared(base, lost)
    assert found.notes == ["grammar-3, relax: 0 of 12 sessions lost in A, 2 of 12 in B"]
    assert row(found.found, "quality", "relax")["n_a"] == 10


def test_nothing_left_to_measure_is_no_error(compared, tmp_path: Path) -> None:
    base = grammar()
    failed = base._replace(metrics=base.metrics.iloc[:0], trials=base.trials.assign(status=schema.FAILED))
    found = compared(base, failed)
    assert found.found.empty
    assert "Nothing was measured in both." in comparison.write(found, tmp_path / "page").read_text("utf-8")
    assert list(terminal.blocks(found, 5))


def test_other_settings_are_compared_and_told(compared) -> None:
    base = both_experiments()
    grammar = base.trials["experiment"] == "grammar"
    configs = [json.loads(text) for text in base.trials["config"]]
    other = [json.dumps(config | {"generator_updates": 200}) for config in configs]
    trials = base.trials.assign(torch="2.14.0", config=base.trials["config"].where(~grammar, other))
    trials["config_hash"] = trials["config_hash"].mask(grammar, "ffffffff")
    found = compared(base, base._replace(trials=trials))
    assert [tuple(change) for change in found.changes] == [
        ("config hash", "grammar", "0a1b2c3d", "ffffffff"),
        ("torch", "all", "2.13.0", "2.14.0"),
        ("generator_updates", "grammar", "100", "200"),
    ]
    assert set(found.found["experiment"]) == {"grammar", "temperature"}


def say(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    return (main(["compare", *map(str, arguments)]), *capsys.readouterr())


def test_mistakes_are_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = keep(only(both_experiments(), both_experiments().trials["length"] == 15), tmp_path / "good")
    other = keep(names(), tmp_path / "names")
    (tmp_path / "empty" / "trials").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    cases = [
        ([good, tmp_path / "none"], f"{tmp_path / 'none'} is no folder"),
        ([tmp_path / "file", good], f"{tmp_path / 'file'} is no folder"),
        ([good, tmp_path / "folder"], "is no results folder: it has no metrics and trials"),
        ([good, tmp_path / "empty"], "no results in"),
        (
            [good, other],
            f"{good} has grammar-15 (8 conditions); {other} has names-kantrowitz-10 (8 conditions)",
        ),
        ([good, good, "--top", "0"], "--top 0"),
        ([good], "B"),
    ]
    for arguments, words in cases:
        code, out, err = say(capsys, *arguments, "--reports", tmp_path / "page")
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("error: ")
        assert words in err
    assert not (tmp_path / "page").exists()


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The command as a process, on tables with something of everything."""
    folder, base = tmp_path_factory.mktemp("compare"), both_experiments()
    moved = base.metrics["metric"].isin([schema.GOODNESS, schema.GRADIENT_LOG_VARIANCE])
    moved &= base.metrics["estimator"] != "exact"
    noise = np.random.default_rng(2).normal(0.05, 0.02, moved.sum())
    other = changed(base, moved, noise)
    other = other._replace(trials=other.trials.assign(machine="another", commit="fedcba"))
    a, b = keep(base, folder / "a"), keep(only(other, other.trials["estimator"] != "relax"), folder / "b")
    command = [sys.executable, "-m", "bench", "compare", str(a), str(b), "--top", "3"]
    done = subprocess.run(
        [*command, "--reports", str(folder / "page")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    return done, folder


def test_the_command_fits_a_screen_and_begins_with_the_answer(carried_out) -> None:
    done, folder = carried_out
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"A: {folder / 'a'}", f"B: {folder / 'b'}"]
    assert re.match(r"[\d,]+ of [\d,]+ numbers that both hold differ", lines[3])
    assert len(lines) < 40
    assert max(map(len, lines[4:])) <= 160
    assert done.stdout.count("< 0.0001") == 3
    assert "only A has grammar-3: relax" in done.stdout
    assert re.search(r"\(\d+ more differences on the page\)", done.stdout)
    assert lines[-1] == f"comparison: {folder / 'page' / 'index.html'}"


def test_the_page_has_all_and_needs_nothing_but_the_files_beside_it(carried_out) -> None:
    folder = carried_out[1] / "page"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\{[{%]|[%}]\}|\bnan\b|\bNone\b|Undefined|https?://|<script|<link", page)
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith("#") or (folder / link).is_file() for link in links)
    figures = {path.stem for path in (folder / "figures").iterdir()}
    assert figures == {"quality", "log_variance_start", "log_variance"}
    assert {Path(link).stem for link in links if not link.startswith("#")} == figures
    table = pd.read_csv(folder / "tables" / "differences.csv")
    assert set(table["quantity"]) == set(NAMED)
    written = (folder / "tables" / "differences.md").read_text(encoding="utf-8").splitlines()
    differing = (table["verdict"] != IDENTICAL).sum()
    assert len(written) == differing + 2 > 40
    assert page.count("<td>log-variance, start</td>") + page.count("<td>log-variance, end</td>") == sum(
        table["quantity"].str.startswith("log_variance") & (table["verdict"] != IDENTICAL)
    )


def test_the_figure_says_which_way_is_better(compared) -> None:
    base = grammar()
    rows = chosen(base, "rebar", schema.GOODNESS) | chosen(base, "rebar", schema.GRADIENT_LOG_VARIANCE)
    found = compared(base, changed(base, rows, 0.1)).found
    with style.theme():
        axes, other = (figure.draw(found, NAMED[name]).axes for name in ("quality", "log_variance"))
    assert [axis.get_xlabel() for axis in axes] == ["final goodness\nB less A (right: B is better)"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["REBAR (per step)"]
    assert "(left: B is better)" in other[0].get_xlabel()


def test_the_figure_shades_what_is_more_than_undecided(compared) -> None:
    base, draw = grammar(), np.random.default_rng(0).normal
    one, other = (chosen(base, name, schema.GOODNESS) for name in ("relax", "rebar"))
    moved = changed(changed(base, one, draw(0.1, 0.01, one.sum())), other, draw(0, 0.05, other.sum()))
    found = compared(base, moved).found
    part = found[(found["quantity"] == "quality") & (found["verdict"] != IDENTICAL)]
    with style.theme():
        (axes,) = figure.draw(found, NAMED["quality"]).axes
    bands = [patch for patch in axes.patches if to_hex(patch.get_facecolor()) == figure.SHADE]
    decided = lineup.ordered(part[part["verdict"] != OPEN])
    assert decided == [("relax", "default")] != lineup.ordered(part)
    assert [band.get_y() + band.get_height() / 2 for band in bands] == [
        lineup.ordered(part).index(decided[0])
    ]


def test_seconds_are_of_the_sessions_that_ended_well() -> None:
    base = grammar()
    bad = base.trials["session"] == 0
    trials = base.trials.assign(status=base.trials["status"].mask(bad, schema.FAILED))
    found = seconds(base._replace(trials=trials))
    assert len(found[found["estimator"] != ALL]) == len(trials) - bad.sum()
    assert set(KEY[: len(CONDITION)]) <= set(found)
