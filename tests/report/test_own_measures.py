"""A measure of quality that nobody knew when the report was written: what its task says of it is enough."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pandas as pd
import pytest
import synthetic_tables

from bench import report
from bench.comparison import quantities
from bench.report import answers, differences, strings, summary
from bench.report import made as bench_made
from bench.statistics import headline, stats
from bench.tables import schema
from bench.tables.store import Tables

LOSS = {"name": "leftover", "words": "brackets left over", "falls": True, "best": 0.0}
DEPTH = {"name": "depth", "words": "", "falls": False, "best": None}
NAMES = {
    schema.VALID_FRACTION: "leftover",
    schema.VALID_FRACTION + schema.DATA_SUFFIX: "leftover_data",
    schema.BIGRAM_KL: "depth",
}


@cache
def cfg() -> Tables:
    return dict(stats.slices(synthetic_tables.cfg(4)))["cfg", "cfg", "synthetic", 12]


def brought(*said: dict[str, Any]) -> Tables:
    """The tables of another task: its two measures have names that are nobody else's."""
    tables = cfg()
    metrics = tables.metrics.assign(
        metric=tables.metrics["metric"].replace(NAMES), task="brackets", experiment="brackets"
    )
    config = json.dumps({"batch": 64, **({schema.MEASURES: said} if said else {})})
    trials = tables.trials.assign(config=config, task="brackets", experiment="brackets")
    return Tables(metrics, trials, [])


def words(tables: Tables) -> str:
    return " ".join(f"{answer.about}: {answer.text}" for answer in report.said(tables))


def test_what_is_declared_is_judged_by_in_the_right_direction() -> None:
    tables = brought(LOSS, DEPTH)
    assert headline.of(tables).metric == "leftover"
    assert re.search(
        r"ends with the lowest brackets left over: [^.]*\.\d+ \[[^]]+\] \(at best 0\)", words(tables)
    )
    assert "Final brackets left over against REINFORCE, leave-one-out: " in words(tables)
    assert differences.table(tables).words.columns[2] == "difference in final brackets left over"
    found = summary.table(tables)
    assert found.numbers["leftover"].iloc[1:].is_monotonic_increasing
    assert "At the end of training" in found.caption
    assert "ordered by brackets left over" in found.caption


def test_every_measure_has_a_column_the_first_leads_and_the_data_have_a_row() -> None:
    found = summary.table(brought(LOSS, DEPTH))
    assert list(found.words.columns[:3]) == ["estimator", "brackets left over", "depth"]
    assert found.words["brackets left over"].iloc[0] == "1.000"


def test_the_order_of_the_declaration_decides() -> None:
    tables = brought(DEPTH, LOSS)
    assert headline.of(tables).name == "depth"
    assert "ends with the highest depth" in words(tables)
    assert "highest" not in words(brought(LOSS, DEPTH))


def test_a_declaration_without_rows_changes_nothing() -> None:
    missing = {**LOSS, "name": "elsewhere"}
    assert headline.of(brought(missing, DEPTH)).name == "depth"
    assert headline.of(brought(missing)) == headline.NOTHING


def test_what_nobody_declares_is_shown_and_not_judged() -> None:
    tables = brought()
    found = summary.table(tables)
    assert list(found.words.columns[1:3]) == ["depth", "leftover"]
    assert found.caption.startswith("At the end of training")
    assert "ordered by" not in found.caption
    assert "Nothing says whether more or less of depth; leftover is better" in found.caption
    assert "ends with" not in words(tables)
    assert differences.table(tables) is None
    assert not any(text.valid for texts in strings.table(tables).values() for text in texts)


def test_an_experiment_with_neither_headline_nor_measure_of_its_own_has_trained_all_the_same() -> None:
    tables = brought()
    tables = tables._replace(metrics=tables.metrics[~tables.metrics["metric"].isin(NAMES.values())])
    assert summary.table(tables).caption.startswith("At the end of training")
    before = tables._replace(metrics=stats.start(tables.metrics))
    assert summary.table(before).caption.startswith("Without training")
    lost = tables._replace(metrics=tables.metrics.iloc[:0])
    assert summary.table(lost).caption == "No session ended well, so that nothing was measured."


def test_a_tick_marks_the_best_score() -> None:
    tables = brought(LOSS)
    assert strings.ticked(tables) == "a string with the best brackets left over, 0"
    scores = dict(zip(*stats.rows(tables, schema.STRING)[["parameter", "value"]].to_numpy().T, strict=True))
    shown = [text for texts in strings.table(tables).values() for text in texts]
    assert {text.valid for text in shown} == {True, False}
    assert all(text.valid == (scores[text.text.replace("·", " ")] == 0) for text in shown)
    assert strings.ticked(cfg()) == "a string of the data's language"


def test_what_a_task_says_is_no_setting() -> None:
    assert "measures" not in bench_made.settings(brought(LOSS).trials)
    assert bench_made.settings(brought(LOSS).trials)["batch"] == "64"


def test_the_newest_words_count() -> None:
    old, new = brought({**LOSS, "words": "rest"}), brought(LOSS)
    trials = pd.concat([new.trials.assign(finished="2026-02-02"), old.trials.assign(finished="2026-01-01")])
    assert headline.of(old._replace(trials=trials)).name == "brackets left over"


@pytest.mark.parametrize("before", [{**LOSS, "words": "rest"}, None])
def test_two_folders_are_compared_by_it_however_it_was_called_in_the_first(before: dict | None) -> None:
    (pair,) = quantities.measured(brought(*[before] if before else []), brought(LOSS))
    for side in pair:
        quality = side[side["quantity"] == "quality"]
        assert len(quality) == len(cfg().trials)
        assert set(quality["what"]) == {"final brackets left over"}
        assert quality["falls"].all()


def test_the_best_is_written_as_people_write_it() -> None:
    table = cfg().metrics
    assert answers.of_best(headline.as_said({**DEPTH, "best": 1.0}), table) == " of 1"
    assert answers.of_best(headline.as_said({**DEPTH, "best": 0.5}), table) == " of 0.5"
    assert answers.of_best(headline.as_said(DEPTH), table) == ""
