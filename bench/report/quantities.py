"""The columns of the table of each slice: a line for each; what was not measured has none."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pandas as pd

from bench.report import words
from bench.statistics import headline, stats
from bench.tables import schema
from bench.tables.store import Tables

X = "x"
TOTAL = "total"


class Quantity(NamedTuple):
    """One column: what it is called, how many digits it has, where it comes from, how to read it."""

    name: str
    heading: str
    digits: int
    measure: Callable[[Tables], pd.DataFrame]  # estimator, setting, mean, low, high, n
    note: str = ""
    sign: bool = False


def means(
    metric: str, parameter: str = "", when: Callable[[pd.DataFrame], pd.DataFrame] = stats.last
) -> Callable[[Tables], pd.DataFrame]:
    """How to measure a metric at the last step, or at another."""

    def measure(tables: Tables) -> pd.DataFrame:
        return stats.mean_interval(when(stats.rows(tables, metric, parameter)), stats.COMPARED)

    return measure


def final(metric: str, heading: str, note: str = "", digits: int = 3) -> Quantity:
    """A metric of one number at the last step, under its own name."""
    return Quantity(metric, heading, digits, means(metric), note)


def scaled(metric: str, parameter: str, factor: float) -> Callable[[Tables], pd.DataFrame]:
    """How to measure a metric in another unit."""

    def measure(tables: Tables) -> pd.DataFrame:
        found = means(metric, parameter)(tables)
        return found.assign(**factor * found[["mean", "low", "high"]])

    return measure


def starts(tables: Tables) -> pd.DataFrame:
    """The headline before the first update; nothing where all conditions start alike."""
    begin = stats.start(headline.rows(tables))
    alike = begin.groupby("session", observed=True)["value"].nunique() < 2
    return stats.mean_interval(begin.iloc[:0] if alike.all() else begin, stats.COMPARED)


def token_excess(tables: Tables) -> pd.DataFrame:
    """Frequency of the token x, less the data's; only of a task whose x says something."""
    made = stats.last(stats.rows(tables, schema.UNIGRAM, X))
    real = stats.rows(tables, schema.UNIGRAM_DATA, X)
    both = made.merge(real, on=schema.SESSION, suffixes=("", "_data"))
    if headline.of(tables).metric != schema.GOODNESS:
        both = both.iloc[:0]
    excess = both.assign(value=both["value"] - both["value_data"])
    return stats.mean_interval(excess, stats.COMPARED)


def error(tables: Tables, part: str) -> pd.DataFrame:
    """A part of the gradient's squared error, all conditions at the same parameters."""
    found = stats.relative_errors(tables)
    return stats.mean_interval(found[found["part"] == part], stats.COMPARED)


def seconds(tables: Tables) -> pd.DataFrame:
    """A session's share of its stack's wall-clock time."""
    ok = tables.trials[tables.trials["status"] == schema.OK]
    return stats.mean_interval(ok.rename(columns={"seconds": "value"}), stats.COMPARED)


BEGUN = "Not all conditions start alike: start is what they are ordered by, before the first update."
DISTANCES = (
    "Distances are from real strings: of lengths, by how many characters the mean string would have "
    "to change (Wasserstein-1); of tokens and of neighbouring tokens, total variation, 0 to 1."
)
SHARES = (
    "Distinct strings, and novel ones, which are not in the training set, are fractions of those "
    "generated; the training set covered is the fraction of its strings that is among them."
)
VARIANCES = (
    "Log-variances are natural, of one gradient estimate per generated sample, all parameters "
    "together: at the start all estimators with the same networks are at the same parameters, at the "
    "end each is at its own."
)
ERRORS = (
    "Variance is of one draw per generated sample, summed over all parameters; with the squared bias it "
    "makes the mean squared error. Both are relative to the exact gradient's squared norm, its mean over "
    "the sessions; all conditions are at the same parameters."
)
LISTED = (
    "Names listed are in the list that training sets are drawn from; held-out ones are real too, but no "
    "training set has them. Cross-entropy is the generator's, of held-out names, in nats per token."
)
TOLD_APART = "The accuracy is the discriminator's: 0.5 is chance."
BEFORE = "Untrained and pre-trained are the oracle NLL before pre-training and after it."
FRESH = (
    "NLL of fresh sequences is the generator's, of the oracle's own, in nats per token: it rises where a "
    "generator forgets what it could write."
)
CALLS = "Calls count sequences."
UNDECLARED = (
    "Nothing says whether more or less of {} is better (`MEASURES`, of its task or experiment, would), so "
    "nothing is judged by it."
)

COVERED = "Covered is the probability that the generator gives to the sequences in the data."
SHARE = (
    "Milliseconds, and megabytes of tensors at the peak, are a session's share of a generator update, of a "
    "discriminator update, and of measuring the variance of the generator's gradient."
)
PARTS = {"generator": "update", "discriminator": "discriminator", "variance": "variance"}

BIAS = Quantity("relative_bias", "relative bias", 3, stats.relative_bias)
SECONDS = Quantity("seconds", "seconds per session", 2, seconds)

QUALITY = [
    final(schema.GOODNESS, "goodness"),
    final(schema.PERFECT_FRACTION, "perfect strings", "A perfect string scores in every window of three."),
    final(schema.VALID_FRACTION, "valid strings", "A valid string belongs to the data's language."),
    Quantity("start", "start", 3, starts, BEGUN),
    final(schema.LENGTH_DISTANCE, "length distance", DISTANCES, digits=2),
    final(schema.UNIGRAM_DISTANCE, "unigram distance", DISTANCES),
    final(schema.BIGRAM_DISTANCE, "bigram distance", DISTANCES),
    final(schema.DISTINCT_FRACTION, "distinct", SHARES, digits=2),
    final(schema.NOVEL_FRACTION, "novel", SHARES, digits=2),
    final(schema.NOVEL_VALID_FRACTION, "novel and valid", SHARES, digits=2),
    final(schema.MODE_COVERAGE, "training set covered", SHARES),
    Quantity("x_excess", "x less the data's", 3, token_excess, "x is that token's frequency.", sign=True),
]
OF_NAMES = [
    final(schema.REAL_FRACTION, "names listed", LISTED),
    final(schema.HELD_OUT_FRACTION, "names held out", LISTED, digits=4),
    final(schema.CROSS_ENTROPY, "cross-entropy", LISTED),
    final(schema.DISCRIMINATOR_ACCURACY, "discriminator accuracy", TOLD_APART),
]
OF_ORACLE = [
    Quantity(
        "untrained",
        "untrained",
        3,
        means(schema.ORACLE_NLL + schema.UNTRAINED_SUFFIX, when=stats.start),
        BEFORE,
    ),
    Quantity("pretrained", "pre-trained", 3, means(schema.ORACLE_NLL, when=stats.start)),
    final(schema.CROSS_ENTROPY, "NLL of fresh sequences", FRESH),
    final(schema.DISCRIMINATOR_ACCURACY, "discriminator accuracy", TOLD_APART),
]
EFFORT = [
    Quantity(
        "log_variance_start",
        "log-variance, start",
        2,
        means(schema.GRADIENT_LOG_VARIANCE, TOTAL, stats.start),
        VARIANCES,
    ),
    Quantity(
        "log_variance",
        "log-variance, end",
        2,
        means(schema.GRADIENT_LOG_VARIANCE, TOTAL),
        VARIANCES,
    ),
    BIAS,
    SECONDS,
    final(schema.GENERATOR_CALLS, "generator calls", CALLS, digits=0),
    final(schema.DISCRIMINATOR_CALLS, "discriminator calls", CALLS, digits=0),
]
UNTRAINED = [
    Quantity(schema.COVERED_MASS, "covered mass", 3, means(schema.COVERED_MASS), COVERED),
    BIAS,
    Quantity("relative_variance", "relative variance", 3, partial(error, part="variance"), ERRORS),
    Quantity("relative_error", "bias² + variance", 3, partial(error, part="error"), ERRORS),
    Quantity("cosine", "cosine", 3, means(schema.GRADIENT_COSINE)),
    SECONDS,
]
SCALING = [
    *(
        Quantity(f"{part}_ms", f"{name}, ms", 2, scaled(schema.UPDATE_SECONDS, part, 1e3), SHARE)
        for part, name in PARTS.items()
    ),
    *(
        Quantity(f"{part}_mb", f"{name}, MB", 2, scaled(schema.PEAK_MEMORY, part, 1e-6), SHARE)
        for part, name in PARTS.items()
    ),
    Quantity("log_variance", "log-variance", 2, means(schema.GRADIENT_LOG_VARIANCE, TOTAL), VARIANCES),
]


def columns(tables: Tables) -> list[Quantity]:
    """The columns of a slice, those of its task's or its experiment's own measures first."""
    own = [final(head.metric, head.name) for head in headline.declared(tables)]
    others = headline.undeclared(tables)
    note = UNDECLARED.format(words.listed(map(headline.in_words, others)))
    own += [final(name, headline.in_words(name), note) for name in others]
    taken = {quantity.name for quantity in own}
    return [*own, *(quantity for quantity in known(tables) if quantity.name not in taken)]


def known(tables: Tables) -> list[Quantity]:
    """The columns of what several experiments measure; a headline that has no line above leads them."""
    if not stats.rows(tables, schema.UPDATE_SECONDS).empty:
        return SCALING
    if not headline.trained(tables):
        return UNTRAINED
    head = headline.of(tables)
    own = OF_NAMES if headline.of_names(tables) else OF_ORACLE if head.metric == schema.ORACLE_NLL else []
    found = [*QUALITY, *own, *EFFORT]
    listed = any(quantity.name == head.metric for quantity in found)
    return found if listed else [final(head.metric, head.name), *found]
