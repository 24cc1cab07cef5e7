"""What an estimator declares of its bias, against the enumerated gradient."""

from __future__ import annotations

from bench.contract.case import Broken
from bench.contract.referee import ALPHA, judge
from discgan_core.interface import Estimator

SIZES = [(4, 1), (3, 3), (2, 4)]
"""Vocabularies and lengths: a bias that later tokens make does not show at length 1."""
DRAWS = 50_000


def bias(vocabulary: int, length: int, estimator: Estimator) -> str:
    """Hold an estimator that declares no bias to it; of another, tell the bias."""
    if not estimator.supports(length, vocabulary):
        return "not tried: it supports no such length and vocabulary"
    verdict = judge(estimator, vocabulary, length, DRAWS)
    off = f"the mean of {DRAWS:,} draws is {verdict.relative_bias:.2g} |g| from the exact gradient g"
    chance = f"where sampling alone gives {verdict.relative_noise:.2g} (p = {verdict.p_value:.2g})"
    if not estimator.unbiased:
        return f"declares a bias; {off}, {chance}"
    if verdict.p_value < ALPHA:
        raise Broken(
            f"it declares no bias, but {off}, {chance}; without a bias p falls below {ALPHA:g} once in "
            f"{1 / ALPHA:,.0f} tries. Look for a term that is missing or detached, or declare unbiased=False"
        )
    return f"{off}, {chance}"
