"""An experiment ends when every interval is narrow, and such an end fools nobody more often."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from app.bench.benchmarks import early_ends
from app.bench.benchmarks.early_ends import EARLY_STOP, Looks, false_alarms
from app.bench.compare import paired_ratio
from app.bench.experiments.early_stop import PAIRS_BEFORE_A_STOP, is_known_within
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.statistics import Conclusion, MetricRatio, SetupResult
from backends.setup import Setup


def ratio(metric: str, low: float | None, high: float | None, n: int = 20) -> MetricRatio:
    middle = None if low is None or high is None else math.sqrt(low * high)
    verdict = "no difference shown"
    return MetricRatio(metric, metric, middle, low, high, n, 0.95, verdict)  # type: ignore[arg-type]


def conclusion(*ratios: MetricRatio) -> Conclusion:
    first = SetupResult(0, "A", "a", 20, 0, 0, (), ())
    return Conclusion((first, SetupResult(1, "B", "b", 20, 0, 0, (), ratios)), len(ratios))


def test_every_interval_must_be_narrow_whatever_it_says() -> None:
    narrow, wide = ratio("ttft_ns", 0.49, 0.51), ratio("tpot_ns", 0.9, 1.1)
    assert is_known_within(conclusion(narrow), 3)
    assert not is_known_within(conclusion(narrow), 1)
    assert not is_known_within(conclusion(narrow, wide), 3)
    assert is_known_within(conclusion(narrow, wide), 11)


def test_few_pairs_are_never_enough_and_what_has_none_is_left_aside() -> None:
    few = ratio("ttft_ns", 1.0, 1.0, PAIRS_BEFORE_A_STOP - 1)
    assert not is_known_within(conclusion(few), 3)
    none = ratio("cost_dollars", None, None, 0)
    assert not is_known_within(conclusion(none), 3)
    assert is_known_within(conclusion(none, ratio("ttft_ns", 1.0, 1.0)), 3)


def test_a_setup_that_was_left_out_holds_nobody_up() -> None:
    wide = conclusion(ratio("ttft_ns", 0.5, 2.0))
    assert not is_known_within(wide, 3, without={1})
    assert not is_known_within(wide, 3)
    two = Conclusion(
        (*wide.setups, SetupResult(2, "C", "c", 20, 0, 0, (), (ratio("ttft_ns", 1, 1),))), 2
    )
    assert is_known_within(two, 3, without={1})


# Of identical setups; at the numbers of pairs where an end comes early and the error is largest.
@pytest.mark.parametrize(("step", "wanted"), [(2, 10), (2, 14), (2, 20), (4, 20), (16, 20)])
def test_looking_again_and_again_calls_equal_setups_different_no_more_often(
    step: int, wanted: int
) -> None:
    assert false_alarms(Looks(step, wanted), 8_000, np.random.default_rng(3)) <= 0.055 * 8_000


def test_without_the_price_of_looking_it_would_be_more_often() -> None:
    rng = np.random.default_rng(3)
    assert false_alarms(Looks(2, 20), 8_000, rng, confidence=0.95) > 0.055 * 8_000


def test_the_benchmark_tells_the_worst_case_with_its_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(early_ends, "CASES", (Looks(4, 50), Looks(2, 54), Looks(8, 53)))
    monkeypatch.setattr(early_ends, "false_alarms", lambda case, n, _: case.wanted * n // 1_000)
    said = early_ends.measure(to_find=1_000, to_measure=2_000)
    assert (said.name, said.value, said.n) == (EARLY_STOP.name, 0.054, 2_000)
    assert "after every 2 pairs" in said.reason
    assert said.holds is False, "its interval reaches over the bar"


def test_the_simulation_has_the_interval_of_the_verdicts() -> None:
    logs = np.random.default_rng(0).normal(0.01, 0.05, 14)
    found = paired_ratio(np.exp(logs).tolist(), [1.0] * 14, 0.96)
    half = stdtrit(13, 0.98) * logs.std(ddof=1) / math.sqrt(14)
    assert found.low is not None
    assert found.low == pytest.approx(math.exp(logs.mean() - half))


def test_a_plan_that_may_end_early_asks_for_more_confidence() -> None:
    setups = tuple(PlannedSetup(setup=Setup(weights=w)) for w in ("fp32", "bf16"))
    assert Plan(name="a", setups=setups).confidence == 0.95
    assert Plan(name="a", setups=setups, stop_within_percent=3).confidence == 0.96
    with pytest.raises(ValueError, match="second setup"):
        Plan(name="a", setups=setups[:1], stop_within_percent=3)
