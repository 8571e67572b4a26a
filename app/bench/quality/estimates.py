"""Means with 95 % intervals whose unit is the text, never the token: neighbouring tokens of a text
share its difficulty, and counted one by one they would make every interval too narrow. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.bench.benchmarks.intervals import share_interval

TEXTS_FOR_AN_INTERVAL = 6
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, over `n` units; no interval where they are too few."""

    value: float
    low: float | None
    high: float | None
    n: int


def mean_per_token(sums: Sequence[float], tokens: Sequence[int]) -> Estimate:
    """Sum of all texts over tokens of all texts. Student's t on the texts' residuals, for a ratio
    of two sums (Cochran, Sampling Techniques, 3rd edition, 1977, chapter 6)."""
    n, all_tokens = len(sums), sum(tokens)
    mean = math.fsum(sums) / all_tokens
    if n < TEXTS_FOR_AN_INTERVAL:
        return Estimate(mean, None, None, n)
    half = _student_t(n - 1) * _standard_error(sums, tokens, mean)
    return Estimate(mean, mean - half, mean + half, n)


def exponential(estimate: Estimate) -> Estimate:
    """Of the value and of both ends: from nats to a perplexity, from a difference to a ratio."""
    low, high = (None if end is None else math.exp(end) for end in (estimate.low, estimate.high))
    return Estimate(math.exp(estimate.value), low, high, estimate.n)


def share_of_tokens(hits: Sequence[int], tokens: Sequence[int]) -> Estimate:
    """A share of all tokens. The interval is Clopper and Pearson's for as many tokens as would vary
    as much if they were independent (Korn and Graubard, Survey Methodology 24, 1998); where all
    texts are alike, as where every token hits, those are all tokens.
    """
    n, all_tokens = len(hits), sum(tokens)
    share = sum(hits) / all_tokens
    if n < TEXTS_FOR_AN_INTERVAL:
        return Estimate(share, None, None, n)
    error = _standard_error(hits, tokens, share)
    effective = float(all_tokens)
    if error > 0:
        freedom = _student_t(all_tokens - 1) / _student_t(n - 1)
        effective = min(effective, share * (1 - share) / error**2 * freedom**2)
    low, high = share_interval(share * effective, effective)
    return Estimate(share, low, high, n)


def _standard_error(sums: Sequence[float], tokens: Sequence[int], mean: float) -> float:
    n = len(sums)
    residuals = math.fsum((s - mean * t) ** 2 for s, t in zip(sums, tokens, strict=True))
    return math.sqrt(n / (n - 1) * residuals) / sum(tokens)


def _student_t(degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + _CONFIDENCE) / 2))
