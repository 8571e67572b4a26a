"""Simulated experiments find what was planted, about as often as the arithmetic says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.bench.benchmarks.intervals import share_interval
from app.bench.benchmarks.power import PAIRS, found_share

SPREAD = np.random.default_rng(0).normal(0, 0.05, 40)


def test_identical_setups_are_called_different_as_often_as_95_percent_allow() -> None:
    wrong = found_share(SPREAD, 0.0, 2_000, np.random.default_rng(1)) / 2_000
    assert 0.03 <= wrong <= 0.065


def test_power_grows_with_what_is_planted() -> None:
    rng = np.random.default_rng(2)
    found = [found_share(SPREAD, math.log(slow), 500, rng) / 500 for slow in (1.01, 1.03, 1.06)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.99
    # One-sided normal approximation: P(z > 1.96 - shift / (sd / sqrt(n))).
    shift = math.log(1.03) / (SPREAD.std(ddof=1) / math.sqrt(PAIRS))
    expected = 0.5 * math.erfc((1.96 - shift) / math.sqrt(2))
    assert found[1] == pytest.approx(expected, abs=0.06)


def test_the_interval_of_a_share_is_clopper_and_pearsons() -> None:
    from scipy.stats import binomtest

    for hits, n in ((0, 20), (7, 20), (20, 20), (101, 2_000)):
        interval = binomtest(hits, n).proportion_ci(method="exact")
        assert share_interval(hits, n) == pytest.approx((interval.low, interval.high))
