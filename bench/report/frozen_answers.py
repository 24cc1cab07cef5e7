"""The answers of a slice of `frozen`: who may be best, what is unstable, what optimisers and knobs change."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.report import words
from bench.report.answers import ALPHA, DIGITS, Answer
from bench.report.frozen import name
from bench.report.frozen_front import at_budgets, detectable, difference, level, listed, names, pairs
from bench.report.words import UNDECIDED
from bench.statistics import climbs, contests, departures, inference, lineup, tuned
from bench.statistics.climbs import BUDGETS, NULL, UPDATES, Climbs
from bench.statistics.contests import Contest
from bench.tables import schema
from bench.tables.store import Tables

KINDS = (contests.BLACK_BOX, contests.DIFFERENTIABLE)


def sentences(tables: Tables) -> list[Answer]:
    """Say all that a slice can answer."""
    found = climbs.read(tables)
    reward = found.main
    others = sorted(set(found.sessions["reward"]) - {reward})
    return [
        *lost(tables.trials),
        *levels(found, reward),
        *(answer for budget in BUDGETS for answer in leaders(tables, found, budget, reward)),
        *(answer for other in others for answer in leaders(tables, found, UPDATES, other)),
        *planned(found),
        *unstable(found, reward),
        *changed(departures.departures(found, reward)),
    ]


def lost(trials: pd.DataFrame) -> Iterator[Answer]:
    """Sessions that did not end well, by estimator."""
    bad = trials[trials["status"] != schema.OK]
    if bad.empty:
        return
    counts = trials.groupby("estimator", observed=True).size()
    told = words.listed(
        f"{lineup.label(estimator)} {each(mine)} of {counts[estimator]}"
        for estimator, mine in bad.groupby("estimator", observed=True)
    )
    text = "Each counts as one that stayed at the J it started from, and as one that ended below its start."
    yield Answer("Lost sessions", f"{told}. {text}")


def each(mine: pd.DataFrame) -> str:
    """How many sessions are lost in which way, and at which rates."""
    counts = mine["status"].value_counts()
    told = " and ".join(f"{counts[s]} {s}" for s in (schema.DIVERGED, schema.FAILED) if s in counts)
    rates = sorted(climbs.parsed(mine["setting"])["rate"].unique())
    return f"{told} at rate {', '.join(f'{rate:g}' for rate in rates)}"


def levels(found: Climbs, reward: str) -> Iterator[Answer]:
    """Where all start, the floor and the ceiling."""
    told = tuned.best(found, UPDATES)
    if told.empty:
        text = "No session is there to choose rates, or none to tell of: nothing can be said."
        yield Answer("Rates", text)
        return
    begin = climbs.ends(found)
    begin = begin[(begin["reward"] == reward) & ~begin["tuning"]]["begin"].mean()
    at = {
        "by the exact gradient, the ceiling": level(told, reward, "exact", ""),
        "under a null reward, the floor": level(told, reward, climbs.YARDSTICK, NULL),
    }
    known = " and ".join(f"{value} {what}" for what, value in at.items() if value != words.NOTHING)
    ends = f"; after {found.steps.max():g} updates {known}, at the best rate" if known else ""
    yield Answer(f"J of {reward}", f"{words.number(begin, DIGITS)} at the start{ends}.")


def leaders(tables: Tables, found: Climbs, budget: str, reward: str) -> Iterator[Answer]:
    """Who may be best for each kind of reward."""
    for kind in KINDS:
        contest = contests.contest(found, budget, contests.contenders(tables, kind), reward)
        if contest:
            about = f"May be best under {reward} as a {kind} reward, equal {BUDGETS[budget]}"
            yield Answer(about, f"{listed(contest)}. {ahead(contest)}")


def ahead(contest: Contest) -> str:
    """The leader's J, and what difference from it could have been seen."""
    reached = words.estimate(contest.leader, DIGITS)
    text = f"{lineup.label(contest.leader.bare)}, the leader of the tuning sessions, reaches {reached}."
    seen = detectable(contest)
    if seen == words.NOTHING:
        return text
    return f"{text} A difference from it that is detected in {inference.POWER:.0%} of studies is {seen}."


def planned(found: Climbs) -> Iterator[Answer]:
    """The planned pairs, which are tested on the front page, over all lengths."""
    told = [
        f"{names(*pair)} {at_budgets(part, difference)}."
        for pair, part in pairs(found).groupby(["first", "second"], sort=False)
    ]
    if told:
        yield Answer("Planned pairs", " ".join([*told, "They are tested on the front page."]))


def unstable(found: Climbs, reward: str) -> Iterator[Answer]:
    """At which rates more than a few sessions end below their start, every knob being as it usually is."""
    rates = tuned.collapses(found)
    plain = rates["estimator"] == rates["estimator"].map(lineup.bare)
    mine = rates[(rates["reward"] == reward) & (rates["variant"] != NULL) & plain]
    told: dict[str, list[str]] = {}
    for (variant, estimator), part in mine.groupby(["variant", "estimator"], observed=True):
        told.setdefault(where(part), []).append(name(estimator, variant))
    stable = told.pop("", [])
    text = " ".join(f"{at.capitalize()}: {words.listed(of)}." for at, of in sorted(told.items()))
    start = f"More than {tuned.COLLAPSED:.0%} of sessions end below their start, by rate. "
    rest = f" Nowhere: {words.listed(stable)}." if stable else ""
    if len(mine):
        yield Answer("Unstable", f"{start if text else ''}{text}{rest}".strip())


def where(part: pd.DataFrame) -> str:
    """The rates at which an estimator is unstable; nothing if there are none."""
    ordered = part.sort_values("rate")
    bad = ordered.loc[~ordered["stable"], "rate"]
    if bad.empty:
        return ""
    if len(bad) == len(ordered):
        return "at all rates tried"
    if bad.tolist() == ordered["rate"].tolist()[-len(bad) :]:
        return f"from rate {bad.iloc[0]:g} on"
    return f"at rate {', '.join(f'{rate:g}' for rate in bad)}"


def changed(found: pd.DataFrame) -> Iterator[Answer]:
    """What another optimiser, and another knob, change at the best rates."""
    for about, part in (
        ("Other optimisers", found[found["variant"] != ""]),
        ("Other knobs", found[found["variant"] == ""]),
    ):
        if part.empty:
            continue
        clear = part["p_holm"] < ALPHA
        told = words.listed(departure(row) for row in part[clear].sort_values("mean").itertuples())
        text = "J at the best rate less that of the plain estimator at its best: "
        yield Answer(about, f"{text}{told or 'no difference shown'}.{unclear(part[~clear])}")


def unclear(part: pd.DataFrame) -> str:
    """Of what is undecided, that whose mean is off zero by its interval, and how many others there are."""
    off = (part["low"] > 0) | (part["high"] < 0)
    told = [departure(row) for row in part[off].itertuples()]
    more = [f"{'and ' if told else ''}{words.counted(int((~off).sum()), 'other')}"] if (~off).any() else []
    return f" {UNDECIDED.capitalize()}: {words.listed([*told, *more])}." if len(part) else ""


def departure(row: Any) -> str:
    """One of them, with its difference."""
    return f"{name(row.estimator, row.variant)} {difference(row)}"
