"""Tables as a run would leave them, made up: realistic numbers, known truths, no training."""

import json
from itertools import product

import numpy as np
import pandas as pd

from bench.tables import schema
from bench.tables.store import Tables

TOKENS = ["x", "+", "-", "*", "/"]
TENSORS = ["lstm.input", "lstm.recurrent", "lstm.bias", "out.weight", "out.bias"]
PHASES = {
    "sampling": 0.15,
    "generator": 0.3,
    "discriminator": 0.35,
    "variance": 0.15,
    "evaluation": 0.05,
}
# final goodness as a fraction, natural log of the gradient's variance, relative bias, seconds
TRUTH = {
    ("maximum_likelihood", "default"): (0.96, -7.0, None, 0.6),
    ("exact", "default"): (0.975, None, 0.0, 1.4),
    ("reinforce", "default"): (0.93, -2.0, 0.0, 1.0),
    ("reinforce_loo", "default"): (0.965, -5.5, 0.0, 1.0),
    ("reinforce_loo", "null_reward"): (0.84, -5.0, None, 1.0),
    ("rebar", "default"): (0.97, -6.0, 0.0, 1.7),
    ("rebar_sequence", "default"): (0.95, -6.3, 0.18, 1.5),
    ("relax", "default"): (0.967, -6.2, 0.0, 2.0),
    ("relax_sequence", "default"): (0.94, -6.4, 0.2, 1.9),
}
LAMBDAS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]
STEPS = list(range(0, 101, 10))


def make(
    sessions: int = 30,
    lengths: tuple[int, ...] = (3, 15),
    steps: list[int] = STEPS,
    lambdas: list[float] = LAMBDAS,
    diverged: int = 0,
) -> Tables:
    """Both experiments; some sessions of whole-sequence REBAR at the longest length diverge."""
    random = np.random.default_rng(0)
    parts: list[pd.DataFrame] = []
    trials: list[dict[str, object]] = []
    for where, truth in conditions(lengths, lambdas):
        lost = diverged if where[3:] == (max(lengths), "rebar_sequence", "default") else 0
        found = condition_metrics(where[3], truth, sessions, steps, random)
        found = found[(found["session"] >= lost) | (found["step"] <= steps[len(steps) // 2])]
        parts.append(found.assign(**dict(zip(schema.CONDITION, where, strict=True))))
        trials += [trial(where, session, session < lost, truth[3], sessions) for session in range(sessions)]
    metrics = pd.concat(parts, ignore_index=True)[list(schema.METRICS)].astype(schema.METRICS)
    return Tables(metrics, pd.DataFrame(trials)[list(schema.TRIALS)].astype(schema.TRIALS), [])


def conditions(lengths: tuple[int, ...], lambdas: list[float]) -> list[tuple[tuple, tuple]]:
    found = [
        (("grammar", "grammar", "synthetic", length, *condition), truth)
        for length, (condition, truth) in product(lengths, TRUTH.items())
        if length == 3 or condition[0] != "exact"
    ]
    for estimator, value in product(["rebar", "rebar_sequence"], lambdas):
        off = abs(np.log10(value)) - (0.2 if estimator == "rebar" else 0)
        truth = (0.97 - 0.08 * max(off, 0), -6.0 + 1.5 * off, 0.0, 1.7)
        found.append((("temperature", "grammar", "synthetic", 3, estimator, f"lambda={value:g}"), truth))
    return found


def condition_metrics(
    length: int, truth: tuple, sessions: int, steps: list[int], random: np.random.Generator
) -> pd.DataFrame:
    """Rows of all sessions of a condition: every series is an array of sessions x steps."""
    final, log_variance, bias, seconds = truth
    shape = (sessions, len(steps))
    done = np.broadcast_to(np.array(steps) / max(steps[-1], 1), shape)
    progress = 1 - np.exp(-4 * done)
    begin = 0.82 if length > 3 else 0.5
    fraction = begin + (final - begin) * progress + random.normal(0, 0.008, shape)
    columns = {
        (schema.GOODNESS, ""): fraction * (length - 2),
        (schema.GOODNESS_FRACTION, ""): fraction,
        (schema.PERFECT_FRACTION, ""): fraction ** (length / 2),
        (schema.VALID_FRACTION, ""): fraction ** (length / 2) * 0.8,
        (schema.BIGRAM_KL, ""): (1 - fraction) * 2,
        (schema.CROSS_ENTROPY, ""): 0.7 + (1 - fraction),
        (schema.DISCRIMINATOR_LOSS, ""): random.normal(0.6, 0.05, shape),
        (schema.DISCRIMINATOR_ACCURACY, ""): random.normal(0.6, 0.05, shape),
        (schema.GENERATOR_CALLS, ""): np.broadcast_to(np.array(steps) * 128.0, shape),
        (schema.DISCRIMINATOR_CALLS, ""): np.broadcast_to(np.array(steps) * 1408.0, shape),
    }
    x = share_of_x(length) - 0.1 * (1 - progress) + random.normal(0, 0.01, shape)
    columns |= {(schema.UNIGRAM, token): (1 - x) / 4 + random.normal(0, 0.004, shape) for token in TOKENS}
    columns[schema.UNIGRAM, "x"] = x
    for place, name in enumerate(["out.weight[0,0]", *TENSORS, "total"]):
        level = np.nan if log_variance is None else log_variance + place / 3
        columns[schema.GRADIENT_LOG_VARIANCE, name] = level + progress + random.normal(0, 0.3, shape)
    for phase, share in PHASES.items():
        columns[schema.SECONDS, phase] = seconds * length / 9 * share * done
    index = pd.MultiIndex.from_product([range(sessions), steps], names=["session", "step"])
    wide = pd.DataFrame({name: series.ravel() for name, series in columns.items()}, index=index)
    wide.columns.names = ["metric", "parameter"]
    long = wide.melt(ignore_index=False).reset_index()
    return pd.concat([long, extras(length, bias, sessions, steps, random)], ignore_index=True)


def share_of_x(length: int) -> float:
    return (length + 1) // 2 / length


def extras(
    length: int, bias: float | None, sessions: int, steps: list[int], random: np.random.Generator
) -> pd.DataFrame:
    """What is there at the first or last step only."""
    found: list[tuple] = []
    for session in range(sessions):
        x, end = share_of_x(length), steps[-1]
        found += [(session, 0, schema.UNIGRAM_DATA, t, x if t == "x" else (1 - x) / 4) for t in TOKENS]
        for valid in random.random(3) > 0.4:
            operators = random.choice(TOKENS[1:], length // 2)
            text = "x" + "".join(f"{operator}x" for operator in operators)
            found.append(
                (
                    session,
                    end,
                    schema.STRING,
                    text if valid else "x" + text[:-1],
                    length - 2.0 - (not valid),
                )
            )
        if length == 3 and bias is not None:
            squared = 0.04 * bias**2 + random.normal(0, 2e-5)
            found.append((session, end, schema.GRADIENT_BIAS_SQUARED, "", squared))
            found.append((session, end, schema.GRADIENT_NORM_SQUARED, "", random.uniform(0.036, 0.044)))
            found.append((session, end, schema.GRADIENT_COSINE, "", 1 - bias**2 / 2))
    return pd.DataFrame(found, columns=["session", "step", "metric", "parameter", "value"])


def trial(where: tuple, session: int, lost: bool, seconds: float, sessions: int) -> dict[str, object]:
    config = {
        "sessions": sessions,
        "lengths": [3, 15],
        "stack": 15,
        "generator_updates": 100,
        "learning_rate": 0.001,
    }
    return dict(zip(schema.CONDITION, where, strict=True)) | {
        "session": session,
        "status": schema.DIVERGED if lost else schema.OK,
        "seconds": seconds * where[3] / 9,
        "sessions_stacked": 15,
        "device": "cpu",
        "threads": 1,
        "torch": "2.13.0",
        "commit": "0123456789ab",
        "code": "1a2b3c4d-5e6f7a8b",
        "version": "0.1.0",
        "config_hash": "0a1b2c3d",
        "error": "parameters are not finite after update 57" if lost else "",
        "preset": "standard",
        "config": json.dumps(config | ({"lambdas": LAMBDAS} if where[0] == "temperature" else {})),
        "python": "3.11.7",
        "machine": "Linux x86_64, 2 cores",
        "finished": f"2026-01-01T00:{session % 60:02d}:00+00:00",
    }


# The Gumbel-softmax paper's strings: final fraction that parses, generator's final loss in nats.
VARIANTS = {
    "annealed": (0.45, 2.0),
    "generated_1000": (0.55, 1.2),
    "input_annealed": (0.05, 4.0),
    "hidden_noise": (0.3, 2.5),
    "tuned": (0.85, 0.4),
}
CFG = {
    ("maximum_likelihood", "default"): (0.97, 0.3),
    **{("gumbel_softmax", setting): truth for setting, truth in VARIANTS.items()},
    ("reinforce_loo", "null_reward"): (0.06, 5.0),
    ("reinforce", "default"): (0.2, 3.0),
    ("reinforce_loo", "default"): (0.93, 0.3),
    ("rebar", "default"): (0.9, 0.3),
    ("rebar_sequence", "default"): (0.8, 0.5),
    ("relax", "default"): (0.92, 0.3),
    ("relax_sequence", "default"): (0.7, 0.6),
    ("straight_through", "default"): (0.75, 0.7),
    ("gumbel_rao", "default"): (0.78, 0.6),
    ("reinmax", "default"): (0.8, 0.5),
    ("gapped_straight_through", "default"): (0.76, 0.6),
}
CFG_STEPS = [0, 500, 1000, 2000]
LENGTHS = {1: 0.2, 3: 0.032, 5: 0.01, 7: 0.004, 9: 0.002, 11: 0.752}
CORPUS = {  # at the start, at best, of a fresh real sample
    "length_distance": (4.0, 0.3, 0.2),
    "unigram_distance": (0.4, 0.02, 0.01),
    "bigram_distance": (0.6, 0.05, 0.02),
    "distinct_fraction": (0.99, 0.7, 0.75),
    "novel_fraction": (0.99, 0.4, 0.35),
    "novel_valid_fraction": (0.02, 0.38, 0.35),
    "mode_coverage": (0.01, 0.06, 0.07),
}
RELAXATIONS = {  # squared bias and variance at temperature 1, relative to the squared gradient
    "gumbel_softmax": (0.3, 0.2),
    "straight_through": (0.2, 0.3),
    "gumbel_rao": (0.2, 0.15),
    "reinmax": (0.08, 0.4),
    "gapped_straight_through": (0.18, 0.2),
    "rebar": (0.0, 2.0),
    "rebar_sequence": (0.04, 1.5),
}


def everything(sessions: int = 6, **options: object) -> Tables:
    """All experiments in one."""
    parts = [
        make(sessions, **options),
        cfg(sessions),
        relaxation(sessions),
        names(sessions),
        coverage(sessions),
        scaling(sessions),
        pretraining(sessions),
        schedule(sessions),
        oracle(sessions),
        gradients(sessions),
        frozen(sessions),
    ]
    metrics, trials = (pd.concat([part[place] for part in parts], ignore_index=True) for place in (0, 1))
    return Tables(metrics, trials, [])


def tables_of(parts: dict[tuple, tuple[pd.DataFrame, float]], sessions: int) -> Tables:
    """Tables of some conditions' rows and seconds."""
    metrics = [rows.assign(**dict(zip(schema.CONDITION, at, strict=True))) for at, (rows, _) in parts.items()]
    trials = [
        trial(at, session, False, seconds, sessions)
        for at, (_, seconds) in parts.items()
        for session in range(sessions)
    ]
    frames = pd.concat(metrics, ignore_index=True), pd.DataFrame(trials)
    types = (schema.METRICS, schema.TRIALS)
    return Tables(*(f[list(t)].astype(t) for f, t in zip(frames, types, strict=True)), [])


def cfg(sessions: int = 6) -> Tables:
    """The context-free grammar at length 12, trained from scratch; every condition but (d) starts alike."""
    random = np.random.default_rng(1)
    begin = random.normal(0.02, 0.003, (2, sessions))
    parts = {}
    for place, (condition, (final, loss)) in enumerate(CFG.items()):
        first = begin[int(condition[1] == "hidden_noise")]
        rows = cfg_rows(first, final, loss, random, place)
        parts[("cfg", "cfg", "synthetic", 12, *condition)] = (rows, 2 + place / 4)
    return tables_of(parts, sessions)


def cfg_rows(
    begin: np.ndarray, final: float, loss: float, random: np.random.Generator, place: int
) -> pd.DataFrame:
    """Rows of all sessions of a condition."""
    found: list[tuple] = []
    end = CFG_STEPS[-1]
    for session, first in enumerate(begin):
        for step in CFG_STEPS:
            gone = 1 - np.exp(-3 * step / end)
            valid = first + (final - first) * gone + random.normal(0, 0.01) * (step > 0)
            columns = {name: a + (b - a) * valid for name, (a, b, _) in CORPUS.items()}
            columns |= {
                schema.VALID_FRACTION: valid,
                schema.CROSS_ENTROPY: 1.8 - valid,
                schema.BIGRAM_KL: 1 - valid,
                schema.GENERATOR_LOSS: loss * gone + random.normal(0, 0.1),
                schema.DISCRIMINATOR_LOSS: np.log(2) / (1 + loss * gone / 2) + random.normal(0, 0.01),
                schema.DISCRIMINATOR_ACCURACY: 0.5 + 0.1 * loss * gone,
                schema.GENERATOR_CALLS: 200.0 * step,
                schema.DISCRIMINATOR_CALLS: 600.0 * step,
            }
            found += [(session, step, name, "", value) for name, value in columns.items()]
            found += [(session, step, *row) for row in cfg_named(valid, place, step / end, random)]
        data = {name: value for name, (_, _, value) in CORPUS.items()} | {schema.VALID_FRACTION: 1.0}
        found += [(session, 0, name + "_data", "", value) for name, value in data.items()]
        found += [(session, 0, "length_data", str(n), share) for n, share in LENGTHS.items()]
        found += [(session, 0, schema.UNIGRAM_DATA, t, p) for t, p in cfg_tokens(1.0).items()]
        found += [(session, end, schema.STRING, *row) for row in cfg_strings(final, random)]
    return pd.DataFrame(found, columns=["session", "step", "metric", "parameter", "value"])


def cfg_named(
    valid: float, place: int, done: float, random: np.random.Generator
) -> list[tuple[str, str, float]]:
    """Metrics of one moment that are about something named: tokens, tensors, lengths, phases."""
    rows = [(schema.UNIGRAM, token, share) for token, share in cfg_tokens(valid).items()]
    for tensor, name in enumerate(["out.weight[0,0]", *TENSORS, "total"]):
        level = -6 + (place + tensor) / 3 + done + random.normal(0, 0.3)
        rows.append((schema.GRADIENT_LOG_VARIANCE, name, level))
    spread = {n: valid * LENGTHS.get(n, 0) + (1 - valid) / 12 for n in range(1, 13)}
    rows += [(schema.LENGTH, str(n), share) for n, share in spread.items() if share > 0.004]
    return rows + [(schema.SECONDS, phase, (2 + place / 4) * share * done) for phase, share in PHASES.items()]


def cfg_tokens(valid: float) -> dict[str, float]:
    """Frequencies of x, the operators and the space."""
    x, space = 0.3 * valid + 0.1, 0.18
    return {"x": x, **dict.fromkeys(TOKENS[1:], (1 - x - space) / 4), " ": space}


def cfg_strings(final: float, random: np.random.Generator) -> list[tuple[str, float]]:
    """Six strings of 12 characters, spaces at the end or, in broken ones, anywhere; each once."""
    found = {}
    for _ in range(6):
        size = int(random.choice(list(LENGTHS), p=list(LENGTHS.values())))
        text = "x" + "".join(f"{operator}x" for operator in random.choice(TOKENS[1:], size // 2))
        valid = bool(random.random() < final)
        found[(text if valid else " " + text[:-2] + "+").ljust(12)] = float(valid)
    return list(found.items())


def relaxation(sessions: int = 6) -> Tables:
    """Bias and variance of relaxations at the same parameters; the flat ones biased, the sharp ones noisy."""
    random = np.random.default_rng(2)
    norms = random.uniform(0.03, 0.05, sessions)
    values = (0.01, 0.1, 0.3, 1, 3, 10, 100)
    parts = {}
    for (estimator, truth), value in product(RELAXATIONS.items(), values):
        if (estimator, value) == ("gapped_straight_through", 0.01):  # saturated: it never varies
            truth = truth[0], 1e-86
        rows = relaxation_rows(truth, value, norms, random)
        parts["relaxation", "grammar", "synthetic", 3, estimator, f"lambda={value:g}"] = (rows, 0.5)
    return tables_of(parts, sessions)


def relaxation_rows(
    truth: tuple[float, float], temperature: float, norms: np.ndarray, random: np.random.Generator
) -> pd.DataFrame:
    """Rows of all sessions of an estimator at a temperature."""
    bias, variance = truth[0] * min(temperature, 3) ** 0.7, truth[1] / min(temperature, 3)
    found: list[tuple] = []
    for session, norm in enumerate(norms):
        squared = norm * bias * random.normal(1, 0.1) + norm * variance * random.normal(0, 1e-3)
        found += [
            (session, 0, schema.GRADIENT_BIAS_SQUARED, "", squared),
            (session, 0, schema.GRADIENT_NORM_SQUARED, "", norm),
            (session, 0, schema.GRADIENT_VARIANCE, "", norm * variance * random.normal(1, 0.1)),
            (session, 0, schema.GRADIENT_COSINE, "", 1 - bias / 2),
            (session, 0, schema.GRADIENT_LOG_VARIANCE, "total", np.log(norm * variance)),
            (session, 0, schema.GOODNESS, "", 0.5),
            (session, 0, schema.GENERATOR_CALLS, "", 0.0),
        ]
    return pd.DataFrame(found, columns=["session", "step", "metric", "parameter", "value"])


# Names: final bigram distance, mean length, share of "a" without an end, final value of the surrogate.
NAMES = {
    ("maximum_likelihood", "default"): (0.27, 5.2, 0.16, -17.0),
    ("likelihood", "default"): (0.45, 3.1, 0.35, -13.5),
    ("likelihood", "eq5"): (0.77, 8.2, 0.04, 3e-14),
    ("self_normalised", "default"): (0.7, 6.4, 0.08, 3.4),
    ("maligan", "default"): (0.38, 5.3, 0.2, None),
    ("reinforce_loo", "default"): (0.37, 5.1, 0.2, None),
    ("reinforce_loo", "null_reward"): (0.79, 8.3, 0.04, None),
    ("gumbel_softmax", "default"): (0.42, 5.6, 0.14, 0.4),
}
NAMES_STEPS = [0, 20, 40]
REAL_LENGTHS = {4: 0.1, 5: 0.4, 6: 0.3, 7: 0.2}  # 5.6 on average
LETTERS = {"a": 0.14, "e": 0.13, "n": 0.085, "l": 0.645}  # of real names without their ends
ENDS = 0.4
NAMES_DATA = {  # of other real names
    "valid_fraction": 1.0,
    "bigram_distance": 0.14,
    "unigram_distance": 0.04,
    "length_distance": 0.15,
    "distinct_fraction": 0.8,
}


def names(sessions: int = 6, source: str = "kantrowitz") -> Tables:
    """Names of at most nine letters, trained from scratch; the data's are held out."""
    random = np.random.default_rng(3)
    begin = random.normal(0.8, 0.01, sessions)
    parts = {
        ("names", "names", source, 10, *condition): (names_rows(begin, truth, random), 0.5)
        for condition, truth in NAMES.items()
    }
    return tables_of(parts, sessions)


def names_rows(begin: np.ndarray, truth: tuple, random: np.random.Generator) -> pd.DataFrame:
    """Rows of all sessions of a condition."""
    found: list[tuple] = []
    for session, first in enumerate(begin):
        for step in NAMES_STEPS:
            rows = names_moment(first, truth, step / NAMES_STEPS[-1], random)
            found += [(session, step, *row) for row in rows]
        end = [(schema.FORCED_UNIGRAM, letter, p) for letter, p in forced_letters(truth[2], random).items()]
        end += [(schema.STRING, text, float(text.isalpha())) for text in ("anna", "elan", "an.na", "")]
        end += [(schema.FORCED_STRING, "annalannna", 0.0), (schema.FORCED_STRING, "lennaaalan", 0.0)]
        found += [(session, NAMES_STEPS[-1], *row) for row in end]
        data = [(f"{name}_data", "", value) for name, value in NAMES_DATA.items()]
        data += [("length_data", str(n), share) for n, share in REAL_LENGTHS.items()]
        data += [("unigram_data", letter, p * (1 - ENDS)) for letter, p in LETTERS.items()]
        found += [(session, 0, *row) for row in [*data, ("unigram_data", ".", ENDS)]]
    return pd.DataFrame(found, columns=["session", "step", "metric", "parameter", "value"])


def names_moment(
    first: float, truth: tuple, done: float, random: np.random.Generator
) -> list[tuple[str, str, float]]:
    """Metrics of one moment; the two lengths next to the mean one are all that there are."""
    distance, length, _, surrogate = truth
    bigram = first + (distance - first) * done + random.normal(0, 0.01) * (done > 0)
    size = 8.5 + (length - 8.5) * done + random.normal(0, 0.1)
    floor = int(size)
    columns = {
        schema.VALID_FRACTION: 1 - bigram,
        schema.BIGRAM_DISTANCE: bigram,
        schema.UNIGRAM_DISTANCE: bigram / 2,
        schema.LENGTH_DISTANCE: abs(size - 5.6),
        schema.DISTINCT_FRACTION: 0.9,
        schema.REAL_FRACTION: 0.09 * (0.8 - bigram) + random.normal(0, 1e-3),
        schema.HELD_OUT_FRACTION: 0.01 * (0.8 - bigram) + random.normal(0, 1e-4),
        schema.CROSS_ENTROPY: 1.5 + 2 * bigram,
        schema.DISCRIMINATOR_ACCURACY: 0.5 + 0.5 * bigram * done,
        schema.DISCRIMINATOR_LOSS: np.log(2) * (1 - 0.9 * bigram * done) * random.normal(1, 0.05),
        schema.GENERATOR_LOSS: 4 * bigram * done + random.normal(0, 0.1),
    }
    if surrogate is not None:
        columns[schema.SURROGATE] = (-33 + (surrogate + 33) * done if surrogate < -1 else surrogate) * (
            random.normal(1, 0.01)
        )
    rows = [(name, "", value) for name, value in columns.items()]
    rows += [(schema.LENGTH, str(floor), 1 - (size - floor)), (schema.LENGTH, str(floor + 1), size - floor)]
    rows += [(schema.UNIGRAM, letter, p * 0.6) for letter, p in forced_letters(0.14, random).items()]
    rows += [(schema.UNIGRAM, ".", 0.4), (schema.SECONDS, "sampling", 0.5 * done)]
    level = -64.0 if surrogate is not None and 0 < surrogate < 1e-9 else -2.0
    names = ("out.weight[0,0]", "total")
    return rows + [(schema.GRADIENT_LOG_VARIANCE, name, level + random.normal(0, 0.3)) for name in names]


def forced_letters(share: float, random: np.random.Generator) -> dict[str, float]:
    """Frequencies of letters where "a" has that share and "n" two thirds of it."""
    a = share + random.normal(0, 0.005)
    return {"a": a, "n": 2 * a / 3, "e": 0.13, "l": 0.87 - 5 * a / 3}


MASSES = {0.03: 0.01, 0.1: 0.07, 0.3: 0.5, 1: 1.0}
COVERAGE = {  # cosine at no and at full coverage, relative bias at full coverage, added to without it
    ("maximum_likelihood", ""): (-0.8, -0.8, 20.0, 3.0),
    ("likelihood", ""): (-0.7, 0.9, 1.5, 15.0),
    ("likelihood", "eq5 "): (-0.7, 0.98, 0.0, 1.0),
    ("self_normalised", ""): (0.65, 0.95, 0.3, 0.6),
    ("maligan", ""): (0.6, 0.6, 2.0, 0.0),
}


def coverage(sessions: int = 6) -> Tables:
    """Gradients from data that hold some of the sequences, at the same parameters."""
    random = np.random.default_rng(4)
    parts = {}
    for (estimator, form), truth in COVERAGE.items():
        for fraction, mass in MASSES.items():
            rows = [(s, 0, *row) for s in range(sessions) for row in coverage_rows(truth, mass, random)]
            table = pd.DataFrame(rows, columns=["session", "step", "metric", "parameter", "value"])
            setting = f"{form}covered={fraction:g}"
            parts["coverage", "grammar", "synthetic", 3, estimator, setting] = (table, 0.1)
    return tables_of(parts, sessions)


def coverage_rows(truth: tuple, mass: float, random: np.random.Generator) -> list[tuple[str, str, float]]:
    """One session's."""
    empty, full, bias, more = truth
    return [
        (schema.COVERED_MASS, "", mass * (1 if mass == 1 else random.normal(1, 0.05))),
        (schema.GRADIENT_COSINE, "", empty + (full - empty) * mass + random.normal(0, 0.02)),
        (schema.GRADIENT_BIAS_SQUARED, "", 0.04 * (bias + more * (1 - mass)) ** 2 + random.normal(0, 1e-4)),
        (schema.GRADIENT_NORM_SQUARED, "", random.uniform(0.036, 0.044)),
        (schema.GRADIENT_VARIANCE, "", random.uniform(0.1, 0.2)),
    ]


SCALED = {"T": (3, 10, 30, 100), "V": (5, 50, 500, 5000), "sessions": (1, 10, 100)}
SCALING = {  # milliseconds at T = 10, V = 5 of an update and of its variance, bytes of the noise for a word
    "reinforce_loo": (4.0, 6.0, 0.0),
    "rebar": (6.0, 18.0, 1e4),
}


def scaling(sessions: int = 6) -> Tables:
    """Costs of single updates: proportional to T, constant up to V = 100 or so, shared by sessions."""
    random = np.random.default_rng(5)
    parts = {}
    for estimator, truth in SCALING.items():
        for axis, at in [(axis, at) for axis, values in SCALED.items() for at in values]:
            rows = [
                (s, 0, *row) for s in range(sessions) for row in scaling_rows(truth, random, **{axis: at})
            ]
            table = pd.DataFrame(rows, columns=["session", "step", "metric", "parameter", "value"])
            parts["scaling", "uniform", "synthetic", 10, estimator, f"{axis}={at}"] = (table, 0.3)
    return tables_of(parts, sessions)


def scaling_rows(
    truth: tuple[float, float, float],
    random: np.random.Generator,
    T: int = 10,
    V: int = 5,
    sessions: int = 2,
) -> list[tuple[str, str, float]]:
    """One repetition's."""
    update, variance, noise = truth
    size = T / 10 * (1 + V / 100) * (0.1 + 1 / sessions)
    seconds = {"generator": update * size, "discriminator": 4 * T / 10, "variance": variance * size}
    memory = 1e5 * T
    return [
        *((schema.UPDATE_SECONDS, n, 1e-3 * ms * random.normal(1, 0.02)) for n, ms in seconds.items()),
        (schema.PEAK_MEMORY, "generator", memory + noise * V),
        (schema.PEAK_MEMORY, "discriminator", memory),
        (schema.PEAK_MEMORY, "variance", 2 * memory + noise * V),
        (schema.GRADIENT_LOG_VARIANCE, "total", np.log(1e-5 * T) + random.normal(0, 0.1)),
    ]


BEGUN = {0: 0.16, 1: 0.5, 3: 0.9}
PRETRAINED = {  # goodness at the end, after 0, 1 and 3 epochs
    ("maximum_likelihood", ""): (0.7, 0.96, 0.99),
    ("reinforce_loo", ""): (0.01, 0.97, 0.95),
    ("rebar", ""): (0.02, 0.98, 0.97),
    ("reinforce_loo", "null_reward "): (0.15, 0.45, 0.85),
    ("reinforce_loo", "shuffled_reward "): (0.14, 0.4, 0.8),
}
RATIOS = {0.2: 25, 1: 15, 5: 5}  # updates in 30 batches
SCHEDULED = {  # goodness after 5 updates, and at the end
    ("maximum_likelihood", ""): ((0.8, 0.8, 0.8), (0.98, 0.95, 0.8)),
    ("reinforce_loo", ""): ((0.2, 0.3, 0.7), (0.9, 0.97, 0.7)),
    ("reinforce_loo", "null_reward "): ((0.45, 0.45, 0.45), (0.3, 0.4, 0.45)),
}


def pretraining(sessions: int = 6) -> Tables:
    """What training comes to after epochs of pre-training: without any, the estimators unlearn."""
    random = np.random.default_rng(6)
    parts = {}
    for (estimator, control), ends in PRETRAINED.items():
        for (epochs, begin), end in zip(BEGUN.items(), ends, strict=True):
            rows = swept_rows({0: begin, 36: end}, sessions, random)
            parts["pretraining", "grammar", "synthetic", 3, estimator, f"{control}epochs={epochs}"] = (
                rows,
                0.1,
            )
    return tables_of(parts, sessions)


def schedule(sessions: int = 6) -> Tables:
    """What it comes to with other ratios: the order at equal updates is another than at equal cost."""
    random = np.random.default_rng(7)
    parts = {}
    for (estimator, control), (common, ends) in SCHEDULED.items():
        for (ratio, updates), early, end in zip(RATIOS.items(), common, ends, strict=True):
            rows = swept_rows({0: 0.5, 5: early, updates: end}, sessions, random)
            parts["schedule", "grammar", "synthetic", 3, estimator, f"{control}d_per_g={ratio}"] = rows, 0.1
    return tables_of(parts, sessions)


def swept_rows(course: dict[int, float], sessions: int, random: np.random.Generator) -> pd.DataFrame:
    """Goodness of every session at some steps; the start is every condition's."""
    found = [
        (session, step, schema.GOODNESS, "", value + random.normal(0, 0.005) * (step > 0))
        for session in range(sessions)
        for step, value in course.items()
    ]
    return pd.DataFrame(found, columns=["session", "step", "metric", "parameter", "value"])


def frozen(sessions: int = 6) -> Tables:
    """Climbs under rewards that stand still, of both generators."""
    from synthetic_climbs import everything

    return everything(sessions)


def gradients(sessions: int = 6) -> Tables:
    """The grammar's estimators at the same parameters."""
    from synthetic_gradients import CONDITIONS, measured

    more = {
        ("relax", "default"): (-0.5, 0.0, 0.04, 3.0),
        ("rebar_sequence", "default"): (0.3, 0.1, 0.03, 2.0),
    }
    return measured(CONDITIONS | more, sessions)


JUDGED = {  # the oracle's NLL of what is generated, and the generator's of the oracle's own, at the end
    ("maximum_likelihood", "default"): (9.0, 8.6),
    ("reinforce_loo", "default"): (8.7, 9.1),
    ("reinforce_loo", "null_reward"): (9.1, 8.9),
}


def oracle(sessions: int = 6) -> Tables:
    """SeqGAN's task: what is generated gets better by the oracle's judgement, and less varied."""
    random = np.random.default_rng(8)
    parts = {}
    for (estimator, setting), (judged, fresh) in JUDGED.items():
        found: list[tuple] = []
        for session in range(sessions):
            found += [(session, 0, schema.ORACLE_NLL, "", 9.05), (session, 0, schema.CROSS_ENTROPY, "", 8.5)]
            found += [
                (session, 0, "oracle_nll_untrained", "", 11.1),
                (session, 0, "oracle_nll_data", "", 6.0),
            ]
            found.append((session, 150, schema.ORACLE_NLL, "", judged + random.normal(0, 0.02)))
            found.append((session, 150, schema.CROSS_ENTROPY, "", fresh + random.normal(0, 0.02)))
        rows = pd.DataFrame(found, columns=["session", "step", "metric", "parameter", "value"])
        parts["oracle", "oracle", "synthetic", 20, estimator, setting] = rows, 3.0
    return tables_of(parts, sessions)
