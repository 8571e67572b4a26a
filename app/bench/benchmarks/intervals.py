"""Intervals for the figures that are no ratio of pairs (those are in `app.bench.compare`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

_CONFIDENCE = 0.95
SAMPLES_FOR_P95 = 100


def mean_interval(samples: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Mean with its 95 % interval (Student's t); one sample alone has none."""
    n = len(samples)
    mean = math.fsum(samples) / n
    if n == 1:
        return mean, None, None
    from scipy.special import stdtrit

    variance = math.fsum((sample - mean) ** 2 for sample in samples) / (n - 1)
    half = float(stdtrit(n - 1, (1 + _CONFIDENCE) / 2)) * math.sqrt(variance / n)
    return mean, mean - half, mean + half


def quantile_interval(samples: Sequence[float], q: float) -> tuple[float, float, float]:
    """The smallest sample that at least `q` of all do not exceed, with its 95 % interval.

    The interval's ends are samples too: how many lie below the true quantile is binomial, whatever
    the distribution. Where the samples are too few for an end, it is the outermost one.
    """
    ordered, n = sorted(samples), len(samples)
    rank = max(1, math.ceil(q * n))
    low = max(1, _binomial_quantile((1 - _CONFIDENCE) / 2, n, q))
    high = min(n, _binomial_quantile((1 + _CONFIDENCE) / 2, n, q) + 1)
    return ordered[rank - 1], ordered[low - 1], ordered[high - 1]


def share_interval(hits: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of `n` (Clopper and Pearson, Biometrika 26, 1934). Fractions
    are for numbers of samples that are effective ones."""
    from scipy.special import betaincinv

    tail = (1 - _CONFIDENCE) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def _binomial_quantile(share: float, n: int, q: float) -> int:
    """As `scipy.stats.binom.ppf`, whose module takes a second to import."""
    from scipy.special import bdtr, bdtrik

    high = math.ceil(float(bdtrik(share, n, q)))
    below = max(0, high - 1)
    return below if bdtr(below, n, q) >= share else high
