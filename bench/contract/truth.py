"""What an estimator declares of its bias, against the enumerated gradient."""

from __future__ import annotations

from bench.contract.case import Broken
from bench.contract.referee import judge
from bench.contract.verdict import ALPHA
from discgan_core.interface import Estimator

SIZES = [(4, 1), (3, 3), (2, 4), (2, 6)]
"""Vocabularies and lengths: a bias that later tokens make does not show at length 1."""
DRAWS, MOST = 50_000, 200_000
"""Draws, and how many are made at most for a bias to be seen."""
FEW = 5_000
"""Draws of an estimator with a bias, at least, if each takes many sequences."""


def bias(vocabulary: int, length: int, estimator: Estimator) -> str:
    """Hold an estimator that declares no bias to it; of another, tell the bias."""
    if not estimator.supports(length, vocabulary):
        return "not tried: it supports no such length and vocabulary"
    told = max(FEW, DRAWS // estimator.samples_per_draw)
    verdict = judge(estimator, vocabulary, length, *((DRAWS, MOST) if estimator.unbiased else (told, 0)))
    draws, p = f"{verdict.draws:,} draws", f"p = {verdict.p_value:.2g}"
    if not estimator.unbiased:
        return (
            f"declares a bias; the mean of {draws} is {verdict.relative_bias:.2g} |g| from the exact "
            f"gradient g, where sampling alone gives {verdict.relative_noise:.2g} ({p})"
        )
    if verdict.p_value < ALPHA:
        raise Broken(
            f"it declares no bias, but the mean of {draws} is {verdict.along:+.2g} |g| off along the exact "
            f"gradient g, {abs(verdict.z):.2g} standard errors, and {verdict.relative_bias:.2g} |g| in all "
            f"({p}); without a bias p falls below {ALPHA:g} once in {1 / ALPHA:,.0f} tries. Look for a term "
            "that is missing or detached, or declare unbiased=False"
        )
    return f"a bias above {verdict.power:.2g} of |g| along g would have been seen in {draws} ({p})"
