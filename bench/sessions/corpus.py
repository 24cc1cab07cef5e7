"""What is measured of generated strings as a body: their lengths, their tokens, and whether they are new.

`measure` judges sequences one by one; here a session's strings are compared with real ones, and with the
training set, whose strings a generator might merely repeat. Real strings that training has not seen, put
in the generated ones' place, show what a measure can come to: two samples of one language differ as
well, and of a small language the training set leaves little that is new.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from bench.sessions.measure import Row
from bench.tables import schema
from discgan_core.tasks import Task


class Corpus:
    """Compares sessions' strings with real ones; every session by itself, whatever stack it is in.

    Args:
        task: whose strings.
        training_sets: the sessions' own [sessions, k, T].
    """

    def __init__(self, task: Task, training_sets: Tensor) -> None:
        self.task = task
        self.known = [set(strings(tokens)) for tokens in training_sets]

    def compare(self, tokens: Tensor, real: Tensor) -> Iterator[Row]:
        """Give every row about generated strings [sessions, n, T] beside real ones [sessions, m, T]."""
        tokens, real = tokens.cpu(), real.cpu()
        yield from length_shares(self.task, tokens)
        found = [
            {**distances(self.task, ours, data), **novelty(self.task, ours, known)}
            for ours, data, known in zip(tokens, real, self.known, strict=True)
        ]
        for metric in found[0]:
            yield Row(metric, "", torch.tensor([one[metric] for one in found], dtype=torch.float64))

    def reference(self, real: Tensor, other: Tensor) -> Iterator[Row]:
        """Give the same rows, named as the data's, of two real samples that training has not seen."""
        return (row._replace(metric=row.metric + schema.DATA_SUFFIX) for row in self.compare(real, other))


def strings(tokens: Tensor) -> list[bytes]:
    """Turn sequences [n, T] into what a set can hold; integers of one size, or equal ones would differ."""
    return [row.tobytes() for row in tokens.cpu().numpy().astype(np.int32)]


def length_shares(task: Task, tokens: Tensor) -> Iterator[Row]:
    """Give the fraction of each length among [sessions, n, T]; not a number for a session without it."""
    lengths = task.lengths(tokens.flatten(0, 1)).reshape(tokens.shape[:2])
    for length in lengths.unique().tolist():
        share = (lengths == length).double().mean(1)
        yield Row(schema.LENGTH, str(length), share.where(share > 0, torch.nan))


def distances(task: Task, tokens: Tensor, real: Tensor) -> dict[str, float]:
    """Compare the lengths, tokens and neighbouring tokens of one session's [n, T] with real ones' [m, T].

    Padding is a token like any other: where strings are short, it is most of what there is.
    """
    pairs = [(t[:, :-1] * task.vocabulary + t[:, 1:]).flatten() for t in (tokens, real)]
    values, seen = torch.cat(pairs).unique(return_inverse=True)  # of V^2 pairs few occur
    ours, data = seen.split([len(p) for p in pairs])
    return {
        schema.LENGTH_DISTANCE: wasserstein(task.lengths(tokens), task.lengths(real), task.length + 1),
        schema.UNIGRAM_DISTANCE: total_variation(tokens.flatten(), real.flatten(), task.vocabulary),
        schema.BIGRAM_DISTANCE: total_variation(ours, data, len(values)),
    }


def total_variation(ours: Tensor, real: Tensor, size: int) -> float:
    """Give sum_v |p_v - q_v| / 2: 0 for equal frequencies, 1 for no value in common, NaN of nothing."""
    return (gaps(ours, real, size).abs().sum() / (2 * len(ours) * len(real))).item()


def wasserstein(ours: Tensor, real: Tensor, size: int) -> float:
    """Give sum_v |P(<= v) - Q(<= v)|: the mean distance between values, matched as closely as can be."""
    return (gaps(ours, real, size).cumsum(0).abs().sum() / (len(ours) * len(real))).item()


def gaps(ours: Tensor, real: Tensor, size: int) -> Tensor:
    """Give (p_v - q_v) n m, v < size, for the frequencies p in `ours` [n] and q in `real` [m].

    These are whole numbers: sums of them are exact, and equal frequencies differ by nothing at all.
    """
    p, q = (sample.bincount(minlength=size) for sample in (ours, real))
    return (p * len(real) - q * len(ours)).double()


def novelty(task: Task, tokens: Tensor, known: set[bytes]) -> dict[str, float]:
    """Tell how much of one session's [n, T] is new, and how much of the training set is among it."""
    ours, judged = strings(tokens), task.quality(tokens)
    distinct, new = set(ours), torch.tensor([string not in known for string in ours])
    found = {
        schema.DISTINCT_FRACTION: len(distinct) / len(ours),
        schema.NOVEL_FRACTION: new.double().mean().item(),
        schema.MODE_COVERAGE: len(distinct & known) / len(known),
    }
    if schema.VALID_FRACTION in judged:
        found[schema.NOVEL_VALID_FRACTION] = (new * judged[schema.VALID_FRACTION]).mean().item()
    return found
