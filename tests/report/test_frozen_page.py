"""The page of `frozen`: the front's first table, a slice's table and sentences follow the numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from synthetic_climbs import ENDS, made
from synthetic_gradients import measured

from bench import figures, report
from bench.report import choices, front, frozen, frozen_answers, frozen_front, summary
from bench.report.verdict import Slices
from bench.statistics import lineup, stats
from bench.tables import schema, store
from bench.tables.store import Tables

NULL = lineup.label("reinforce_loo", "null_reward")


def of(*tables: Tables) -> Slices:
    """Slices as the front page takes them, each with a section of its own."""
    return {key: (f"{key[0]}-{key[1]}-{key[3]}", part) for each in tables for key, part in stats.slices(each)}


def together(*tables: Tables) -> Tables:
    return Tables(*(pd.concat([each[place] for each in tables], ignore_index=True) for place in (0, 1)), [])


def about(tables: Tables, what: str) -> str:
    """The answers that begin with these words."""
    return " ".join(a.text for a in frozen_answers.sentences(tables) if a.about.startswith(what))


def row_of(table: summary.Table, estimator: str, reward: str = "d79") -> pd.Series:
    rows = table.words[(table.words["estimator"] == estimator) & (table.words["reward"] == reward)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_slice_s_table_has_every_estimator_once_between_floor_and_ceiling():
    table = frozen.table(made())
    mine = table.words[table.words["reward"] == "d79"]["estimator"].tolist()
    assert mine[:2] == [lineup.label("exact"), "local expectation"]
    assert mine.count("REINFORCE, leave-one-out") == 1
    assert mine.index(NULL) > mine.index("REINFORCE")
    assert mine[-1] == "REINFORCE, leave-one-out, sgd"
    assert table.words["reward"].tolist()[-1] == "match"
    assert len(table.words) == len(table.numbers) == len(frozen.numbered(frozen.climbs.read(made())))
    assert {"stable_factor", "discriminator_calls_mean", "seconds_rate", "lost"} <= set(table.numbers)


def test_a_row_tells_the_rate_the_knob_and_how_stable_they_are():
    table = frozen.table(made())
    row = row_of(table, "Gumbel-softmax")
    assert row["best rate"] == "1 (highest), temperature = 0.3"
    assert row["stable rates"] == "0.1 to 1 (≥ 10 times)"
    assert row["J"].startswith("0.7")
    assert "[" in row["J"]
    assert row_of(table, "REINFORCE")["stable rates"] == "0.1 alone"
    local = row_of(table, "local expectation")
    assert float(local["J"][:5]) > float(local["J, equal discriminator calls"][:5]) + 0.2


def test_lost_sessions_are_told_of_in_the_table_and_in_a_sentence():
    lost = {("relax", "d79 rate=0.1"): 4, ("relax", "d79 rate=1"): 4, ("exact", "d79 rate=1"): 1}
    tables = made(lost=lost)
    assert row_of(frozen.table(tables), lineup.label("relax"))["sessions"] == "12 (4 lost)"
    assert row_of(frozen.table(tables), lineup.label("relax"))["stable rates"] == "none"
    text = about(tables, "Lost sessions")
    assert "RELAX (per step) 8 diverged at rate 0.1, 1 of 40" in text
    assert "exact gradient (ceiling) 1 diverged at rate 1 of 40" in text
    assert about(made(), "Lost sessions") == ""


def test_sentences_say_who_may_be_best_for_each_kind_of_reward():
    tables = made()
    box = about(tables, "May be best under d79 as a black box reward, equal updates")
    assert box.startswith("REINFORCE, leave-one-out (1 of 2).")
    every = about(tables, "May be best under d79 as a differentiable reward, equal updates")
    assert every.startswith("local expectation (1 of 5). local expectation, the leader")
    assert "80% of studies" in every
    assert about(tables, "May be best under match as a black box").startswith("REINFORCE, leave-one-out")
    assert about(tables, "J of d79").startswith("0.3")
    swapped = ENDS | {("reinforce", "d79"): {0.1: 0.9, 1.0: 0.2}}
    box = about(made(swapped), "May be best under d79 as a black box reward, equal updates")
    assert box.startswith("REINFORCE (1 of 2).")


def test_sentences_say_what_is_unstable_and_what_knobs_and_optimisers_change():
    tables = made()
    text = about(tables, "Unstable")
    assert "From rate 1 on: REINFORCE." in text
    assert "From rate 50 on: REINFORCE, leave-one-out, sgd" in text
    assert "Nowhere: " in text
    assert "local expectation" in text.partition("Nowhere: ")[2]
    assert "REINFORCE, leave-one-out, sgd −0.2" in about(tables, "Other optimisers")
    knobs = about(tables, "Other knobs")
    assert "Gumbel-softmax, temperature = 0.3 +0." in knobs
    assert "REINFORCE, leave-one-out, samples = 2 −0." in knobs
    assert "Undecided" not in knobs
    quiet = made({("reinforce_loo", "d79"): {0.1: 0.8, 1.0: 0.9}})
    assert about(quiet, "Unstable") == "Nowhere: REINFORCE, leave-one-out."
    assert about(quiet, "Other") == about(quiet, "Planned pairs") == ""


def test_without_sessions_that_choose_it_is_said_that_nothing_can_be():
    tables = made(sessions=4, reported=4)
    assert "nothing can be said" in about(tables, "Rates")
    assert frozen.table(tables).words.empty
    assert frozen_front.answers(of(tables)) == []
    assert frozen_front.planned(of(tables)) == []


def test_the_front_has_a_row_for_every_length_generator_kind_and_budget():
    found = frozen_front.answers(of(made(), made(task="chain", length=15), made(length=15)))
    keys = [(a.length, a.generator, a.kind, a.budget) for a in found]
    assert len(set(keys)) == len(keys) == 3 * 2 * 3
    assert [key[0] for key in keys] == sorted(key[0] for key in keys)
    assert {key[:2] for key in keys} == {(3, "LSTM, d79"), (15, "LSTM, d79"), (15, "chain, d79")}
    first = found[keys.index((3, "LSTM, d79", "black box", "updates"))]
    assert first.best == "REINFORCE, leave-one-out (1 of 2)"
    assert first.exact.startswith("0.9")
    assert first.null[:3] in ("0.2", "0.3")
    assert first.section == "frozen-grammar-3"
    assert "at most" in first.detectable
    calls = found[keys.index((3, "LSTM, d79", "differentiable", "discriminator calls"))]
    assert calls.best.startswith("Gumbel-softmax")


def test_many_that_may_be_best_are_counted():
    names = ["reinforce_loo", *(f"mine{place}" for place in range(8))]
    ends = {(name, "d79"): {0.1: 0.7, 1.0: 0.1} for name in names}
    found = frozen_front.answers(of(made(ends, noise=0.05)))
    assert found[0].best.endswith("and 3 others (9 of 9)")
    assert found[0].exact == found[0].null == "–"


def test_planned_pairs_are_one_family_over_all_lengths():
    told = frozen_front.planned(of(made(), made(task="chain", length=15)))
    assert [text.partition(":")[0] for text in told] == [
        "REINFORCE, leave-one-out less REINFORCE, length 3, LSTM",
        "REINFORCE, leave-one-out less REINFORCE, length 15, chain",
        "local expectation less REINFORCE, leave-one-out, length 3, LSTM",
        "local expectation less REINFORCE, leave-one-out, length 15, chain",
    ]
    assert "at equal updates and discriminator calls and seconds above, +0.1" in told[0]
    assert "at equal discriminator calls below, −0." in told[2]
    assert "of 12 sessions" in told[0]


def test_a_difference_that_is_not_significant_over_the_whole_family_is_undecided(monkeypatch):
    tables = made()
    assert (frozen_front.pairs(frozen.climbs.read(tables))["p"] < 0.001).all()
    assert "above" in frozen_front.planned(of(tables))[0]
    monkeypatch.setattr(frozen_front.stats, "holm", lambda p: p * 0 + 0.06)
    assert all("undecided" in text for text in frozen_front.planned(of(tables)))


def test_both_generators_of_a_length_keep_their_choices_by_the_error_of_the_gradient():
    chain = measured(length=15)
    chain = Tables(*(part.assign(task="chain") for part in chain[:2]), [])
    found = choices.choices(of(measured(length=15), chain))
    assert {(c.generator, c.section) for c in found} == {
        ("LSTM", "gradient_quality-grammar-15"),
        ("chain", "gradient_quality-chain-15"),
    }
    assert len(found) == 6
    assert list(front.CHOICE)[:2] == ["length", "generator"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of climbs of two generators at one length."""
    folder = tmp_path_factory.mktemp("frozen")
    both = together(made(length=15), made(task="chain", length=15))
    store.write(folder / "results", "all", both.metrics, both.trials)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "available", list)
        return report.write(folder / "results", folder / "reports")


def test_the_page_begins_with_who_may_climb_best(page: Path):
    text = page.read_text(encoding="utf-8")
    places = [
        text.index(part) for part in ("may be best", "The pairs that were to be compared", 'id="answers"')
    ]
    assert places == sorted(places)
    assert 'href="#frozen-chain-15"' in text
    tables = {path.name for path in (page.parent / "tables").iterdir()}
    assert {"front-climbs.csv", "front-climbs.md"} <= tables
    assert not any("differences" in name for name in tables)
    numbers = pd.read_csv(page.parent / "tables" / "frozen-chain-15-summary.csv")
    assert numbers[schema.SECONDS + "_mean"].between(0, 1).all()


def test_what_is_read_on_the_page_has_no_numbers_that_are_none(page: Path):
    text = page.read_text(encoding="utf-8")
    assert " nan" not in text
    assert "None" not in text
