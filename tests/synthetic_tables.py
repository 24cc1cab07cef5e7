"""Tables as a run would leave them, made up: realistic numbers, known truths, no training."""

import json
from itertools import product

import numpy as np
import pandas as pd

from bench import schema
from bench.store import Tables

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
        lost = diverged if where[2:] == (max(lengths), "rebar_sequence", "default") else 0
        found = condition_metrics(where[2], truth, sessions, steps, random)
        found = found[(found["session"] >= lost) | (found["step"] <= steps[len(steps) // 2])]
        parts.append(found.assign(**dict(zip(schema.CONDITION, where, strict=True))))
        trials += [trial(where, session, session < lost, truth[3], sessions) for session in range(sessions)]
    metrics = pd.concat(parts, ignore_index=True)[list(schema.METRICS)].astype(schema.METRICS)
    return Tables(metrics, pd.DataFrame(trials)[list(schema.TRIALS)].astype(schema.TRIALS), [])


def conditions(lengths: tuple[int, ...], lambdas: list[float]) -> list[tuple[tuple, tuple]]:
    found = [
        (("grammar", "grammar", length, *condition), truth)
        for length, (condition, truth) in product(lengths, TRUTH.items())
        if length == 3 or condition[0] != "exact"
    ]
    for estimator, value in product(["rebar", "rebar_sequence"], lambdas):
        off = abs(np.log10(value)) - (0.2 if estimator == "rebar" else 0)
        truth = (0.97 - 0.08 * max(off, 0), -6.0 + 1.5 * off, 0.0, 1.7)
        found.append((("temperature", "grammar", 3, estimator, f"lambda={value:g}"), truth))
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
        "seconds": seconds * where[2] / 9,
        "sessions_stacked": 15,
        "device": "cpu",
        "threads": 1,
        "torch": "2.13.0",
        "commit": "0123456789ab",
        "config_hash": "0a1b2c3d",
        "error": "parameters are not finite after update 57" if lost else "",
        "preset": "standard",
        "config": json.dumps(config | ({"lambdas": LAMBDAS} if where[0] == "temperature" else {})),
        "python": "3.11.7",
        "machine": "Linux x86_64, 2 cores",
        "finished": f"2026-01-01T00:{session % 60:02d}:00+00:00",
    }
