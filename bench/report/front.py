"""The front page: what to use, whether a better gradient trains better, and what became of the claims."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bench.report import choices, frozen_front, verdict
from bench.report.summary import Table, save
from bench.report.verdict import Slices
from bench.statistics import inference
from bench.tables.store import Tables

CHOSEN = (
    "The least mean squared error of the gradient for a budget, all estimators at the same parameters (an "
    "estimate of zero has 1), and the best end of training for a number of updates. Of those that may be as "
    "good it is undecided, by paired t-tests with Holm's correction, whether they are worse; in brackets, an "
    "order of magnitude, with how many sessions it would be decided in "
    f"{inference.POWER:.0%} of studies, were the effect as measured."
)
CLAIMED = (
    "Decided by tests over the sessions, corrected within each claim: holds, refuted, or undecided where the "
    "data decide neither way."
)


class Front(NamedTuple):
    """What the front page shows; None or empty where no table bears on it."""

    climbs: Table | None
    planned: list[str]
    choices: Table | None
    claims: Table | None
    transfers: list[str]


def page(slices: Slices, tables: Tables, reports: Path) -> Front:
    """Gather it, and write its files."""
    climbed = as_table(frozen_front.answers(slices), frozen_front.CAPTION, frozen_front.HEADINGS)
    chosen = as_table(choices.choices(slices), CHOSEN, CHOICE)
    claimed = as_table(verdict.findings(slices), CLAIMED, CLAIM)
    for name, table in (("climbs", climbed), ("choices", chosen), ("claims", claimed)):
        if table is not None:
            save(table, reports / "tables" / f"front-{name}")
    return Front(climbed, frozen_front.planned(slices), chosen, claimed, choices.transfers(tables))


CHOICE = {
    "length": "length",
    "generator": "generator",
    "budget": "for",
    "best": "take",
    "evidence": "which has",
    "equal": "may be as good",
    "section": "shown in",
}
CLAIM = {
    "paper": "paper",
    "claim": "claim",
    "verdict": "here",
    "evidence": "numbers",
    "section": "shown in",
}


def as_table(rows: Sequence[NamedTuple], caption: str, names: dict[str, str]) -> Table | None:
    """Rows as a table under these headings, or None."""
    if not rows:
        return None
    found = pd.DataFrame(rows)[list(names)]
    return Table(found, found.rename(columns=names), caption)
