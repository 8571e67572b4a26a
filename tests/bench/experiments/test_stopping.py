"""An experiment may end once its intervals are narrow, and still holds with 95 % what it says."""

from __future__ import annotations

import math

import numpy as np

from app.bench.compare import PAIRS_FOR_A_VERDICT, paired_ratio
from app.bench.experiments.plan import STOPPING_CONFIDENCE
from app.bench.experiments.statistics import Conclusion, MetricRatio, SetupResult
from app.bench.experiments.stopping import is_narrow, narrow_enough

_MOST_PAIRS = 120


def ratio(high: float, n: int = 8) -> MetricRatio:
    """An interval that is symmetric around 2 on a logarithmic axis."""
    low, high = 2 / high, 2 * high
    return MetricRatio("tpot_ns", "TPOT", 2.0, low, high, n, 0.97, "worse")


UNKNOWN = MetricRatio("cost_dollars", "Cost", None, None, None, 0, 0.97, "not compared", "no price")


def conclusion(*setups: tuple[MetricRatio, ...]) -> Conclusion:
    results = [
        SetupResult(index, str(index), f"id-{index}", 8, 0, 0, (), ratios)
        for index, ratios in enumerate(((), *setups))
    ]
    return Conclusion(tuple(results), sum(map(len, setups)))


def test_all_intervals_must_be_narrow_whatever_the_ratio() -> None:
    assert narrow_enough(conclusion((ratio(1.02), ratio(1.03))), (), 3)
    assert not narrow_enough(conclusion((ratio(1.02), ratio(1.031))), (), 3)
    assert not narrow_enough(conclusion((ratio(1.01),), (ratio(1.05),)), (), 3)


def test_what_was_not_measured_and_who_was_left_out_is_not_waited_for() -> None:
    assert narrow_enough(conclusion((ratio(1.02), UNKNOWN)), (), 3)
    assert narrow_enough(conclusion((ratio(1.02),), (ratio(1.5),)), {2}, 3)
    assert not narrow_enough(conclusion((UNKNOWN,)), (), 3)
    assert not narrow_enough(conclusion((ratio(1.02),)), {1}, 3)


def test_five_pairs_are_too_few_however_narrow() -> None:
    assert not narrow_enough(conclusion((ratio(1.0, n=5),)), (), 3)


def test_the_reason_names_the_width() -> None:
    assert narrow_enough(conclusion((ratio(1.0),)), (), 2.5) == "Every interval is within ±2.5 %."


def test_equal_setups_are_called_different_no_more_often_by_ending_early() -> None:
    """The worst case: one comparison, which nothing else corrects, a look after every second pair,
    and an end at half a spread of the pairs, after some twenty of them."""
    rng, wrong, simulations = np.random.default_rng(1), 0, 2_000
    percent = 100 * math.expm1(0.5 * 0.05)
    for _ in range(simulations):
        pairs = np.exp(rng.normal(0, 0.05, _MOST_PAIRS)).tolist()
        for n in range(PAIRS_FOR_A_VERDICT, _MOST_PAIRS + 1, 2):
            seen = paired_ratio(pairs[:n], [1.0] * n, STOPPING_CONFIDENCE)
            if is_narrow(seen, percent):
                break
        wrong += seen.proven
    assert 0.02 <= wrong / simulations <= 0.055
