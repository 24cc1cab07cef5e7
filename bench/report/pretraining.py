"""The answer to REGAN's claim (section 5) that without pre-training its estimators do not learn.

From 0 epochs, an estimator that ends above its start and above every control whose reward says nothing has
learned, and refutes the claim; one that ends below its start or such a control has not. Maximum likelihood,
which shows that there is something to be learned from there, is told beside.
"""

from collections.abc import Iterator

import pandas as pd

from bench.report import words
from bench.report.answers import ALPHA, DIGITS, Answer, contenders
from bench.report.learned import START, compared, estimates, leads
from bench.report.words import HOLDS, REFUTED, UNDECIDED
from bench.statistics import headline, lineup, stats
from bench.statistics.headline import Headline
from bench.statistics.lineup import Condition
from bench.tables.store import Tables

EPOCHS = "epochs"
TOLD = {HOLDS: "it has not learned", REFUTED: "it has learned", UNDECIDED: "undecided whether it has learned"}


def sentences(tables: Tables) -> list[Answer]:
    """Say what became of the claim, and after how many epochs each estimator learns."""
    head, each = headline.of(tables), by_epochs(tables)
    found = {int(epochs): held(part, head) for epochs, part in each.items()}
    return [*without(each[0], found[0], head), *enough(found)] if 0 in found else []


def by_epochs(tables: Tables) -> dict[float, pd.DataFrame]:
    """The headline's rows for each number of epochs; what they are of is then the setting."""
    quality = lineup.points(headline.rows(tables), EPOCHS)
    return dict(list(quality.assign(setting=quality["variant"]).groupby(EPOCHS)))


def decided(tables: Tables) -> tuple[str, str] | None:
    """What became of the claim, and the numbers; None where nothing began without pre-training."""
    head, each = headline.of(tables), by_epochs(tables)
    if 0 not in each:
        return None
    found = held(each[0], head)
    told = (f"{lineup.label(*c)} {differences(found, c)}" for c in verdicts(found))
    return together(verdicts(found)), f"final {head.name} from 0 epochs: {words.listed(told)}"


def held(quality: pd.DataFrame, head: Headline) -> pd.DataFrame:
    """Hold every contender's end against its start and the controls whose reward says nothing."""
    begun = stats.changes(quality)
    rivals = [c for c in lineup.UNINFORMED if c in lineup.ordered(quality)]
    return compared({START: begun[contenders(begun)], **leads(stats.last(quality), rivals)}, head)


def verdicts(found: pd.DataFrame) -> dict[Condition, str]:
    """What each contender says of the claim."""
    told = {}
    for condition in lineup.ordered(found):
        rows = stats.among(found, [condition])
        worse = (rows["p_holm"] < ALPHA) & ~rows["better"]
        told[condition] = REFUTED if rows["better"].all() else HOLDS if worse.any() else UNDECIDED
    return told


def together(each: dict[Condition, str]) -> str:
    """What they say in all: one is enough to refute, it takes all to hold."""
    said = set(each.values())
    return REFUTED if REFUTED in said else UNDECIDED if UNDECIDED in said else HOLDS


def without(quality: pd.DataFrame, found: pd.DataFrame, head: Headline) -> Iterator[Answer]:
    """The claim itself, with the numbers that decide it."""
    each, final = verdicts(found), stats.last(quality)
    if not each:
        return
    told = [f"{end(final, c)} ({differences(found, c)}): {TOLD[word]}" for c, word in each.items()]
    rest = [c for c in lineup.CONTROLS if c not in lineup.UNINFORMED and c in lineup.ordered(final)]
    beside = f" From the same start: {words.listed(end(final, c) for c in rest)}." if rest else ""
    yield Answer(
        "No learning without pre-training",
        f"{together(each).capitalize()} with this schedule. Final {head.name} from 0 epochs: "
        f"{words.listed(told)}.{beside}",
    )


def end(final: pd.DataFrame, condition: Condition) -> str:
    """A condition with its mean at the end."""
    return estimates(stats.mean_interval(stats.among(final, [condition]), stats.COMPARED))


def differences(found: pd.DataFrame, condition: Condition) -> str:
    """By how much a condition ends apart from what it is held against."""
    rows = stats.among(found, [condition]).itertuples()
    return words.listed(f"{words.estimate(row, DIGITS, sign=True)} from {row.than}" for row in rows)


def enough(found: dict[int, pd.DataFrame]) -> Iterator[Answer]:
    """The epochs after which each contender learns by the same measure."""
    learns: dict[Condition, list[str]] = {}
    for epochs, rows in found.items():
        for condition, word in verdicts(rows).items():
            learns.setdefault(condition, []).extend([str(epochs)] if word == REFUTED else [])
    told = [f"{lineup.label(*c)}: {', '.join(epochs) or 'none measured'}" for c, epochs in learns.items()]
    if told:
        yield Answer(
            "Epochs after which it learns",
            "Those from which an estimator ends above its start and above the controls whose reward says "
            f"nothing. {words.listed(told)}.",
        )
