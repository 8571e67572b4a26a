"""Simulated experiments find what was planted, about as often as the arithmetic says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.bench.benchmarks.intervals import share_interval
from app.bench.benchmarks.power import PAIRS, simulated, spread_of

# Times of one run go up and down together: here all three are one.
LOGS = np.random.default_rng(0).normal(0, 0.05, (40, 1)).repeat(3, axis=1)


def found_share(planted: float, simulations: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    checks = list(simulated(LOGS, planted, simulations, rng))
    return sum(any(line.verdict == "over" for line in lines) for lines in checks) / simulations


def test_the_same_version_is_called_different_as_seldom_as_95_percent_allow() -> None:
    checks = simulated(LOGS, 0.0, 2_000, np.random.default_rng(1))
    wrong = sum(any(line.differs for line in lines) for lines in checks) / 2_000
    # Three figures that are one, each at 1 − 0.05 / 3.
    assert 0.008 <= wrong <= 0.028


def test_power_grows_with_what_is_planted() -> None:
    found = [found_share(math.log(slow), 500, 2) for slow in (1.01, 1.03, 1.06)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.99
    # One-sided, of t with 39 degrees of freedom at 1 − 0.05 / 3: P(z > 2.50 − shift / (sd / √n)).
    spread = math.sqrt((LOGS**2).mean())
    shift = math.log(1.03) / (spread / math.sqrt(PAIRS))
    expected = 0.5 * math.erfc((2.50 - shift) / math.sqrt(2))
    assert found[1] == pytest.approx(expected, abs=0.06)


def test_a_spread_of_few_pairs_has_a_wide_interval() -> None:
    spread, low, high = spread_of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert spread == pytest.approx(np.std(range(7), ddof=1))
    # Of chi squared with 6 degrees of freedom: √(6 / 14.449) and √(6 / 1.2373).
    assert (low / spread, high / spread) == pytest.approx((0.6444, 2.2021), abs=1e-3)


def test_the_interval_of_a_share_is_clopper_and_pearsons() -> None:
    from scipy.stats import binomtest

    for hits, n in ((0, 20), (7, 20), (20, 20), (101, 2_000)):
        interval = binomtest(hits, n).proportion_ci(method="exact")
        assert share_interval(hits, n) == pytest.approx((interval.low, interval.high))
