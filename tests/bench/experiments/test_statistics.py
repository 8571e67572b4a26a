"""Conclusions are right on made-up records, and honest about few, failed and disturbed runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from app.bench.compare import corrected_confidence, paired_ratio
from app.bench.experiments.sample_table import SampleTable
from app.bench.experiments.samples import sample_of
from app.bench.experiments.statistics import (
    Conclusion,
    conclude,
    median_interval,
    moves,
    unpaired_ratio,
)
from app.bench.record import ErrorNote, ExperimentPlace, RunRecord, Timeline, TokenUsage
from tests.bench.samples import MS, make_run, stamps


def run_of(setup: int, round_: int, gap_ms: float, **changes: Any) -> RunRecord:
    """Accepted at 10 ms, first of three tokens at 30 ms, the others each `gap_ms` later."""
    last = 30 * MS + round(2 * gap_ms * MS)
    chunks = tuple(
        chunk.model_copy(update={"t_ns": 30 * MS + round(index * gap_ms * MS)})
        for index, chunk in enumerate(stamps((0, 1), (0, 1), (0, 1)))
    )
    place = {"round": round_, "conversation": 0, "turn": 0, "setup": setup}
    timeline = Timeline(queued_ns=0, accepted_ns=10 * MS, ended_ns=last + MS)
    fields = {"chunks": chunks, "timeline": timeline} | changes
    attempt = fields.pop("attempt", 1)
    return make_run(experiment=ExperimentPlace(id="e", attempt=attempt, **place), **fields)


def experiment(a: list[float], b: list[float]) -> list[RunRecord]:
    runs = [run_of(0, index, gap) for index, gap in enumerate(a, 1)]
    return runs + [run_of(1, index, gap) for index, gap in enumerate(b, 1)]


def concluded(records: list[RunRecord]) -> Conclusion:
    samples = [sample_of(record) for record in records]
    return conclude(["A", "B"], ["id-a", "id-b"], samples)


def tpot_ratio(conclusion: Conclusion, setup: int = 1) -> Any:
    return next(one for one in conclusion.setups[setup].ratios if one.metric == "tpot_ns")


NOISE = [1.0, 1.02, 0.99, 1.01, 0.98, 1.0, 1.01, 0.99]
SLOWER = [gap * 10 for gap in NOISE]
FASTER = [gap * 5 for gap in reversed(NOISE)]


def test_a_clear_difference_is_proven_with_its_direction() -> None:
    ratio = tpot_ratio(concluded(experiment(SLOWER, FASTER)))
    assert ratio.verdict == "better"
    assert ratio.low < 0.5 < ratio.high < 1
    assert tpot_ratio(concluded(experiment(FASTER, SLOWER))).verdict == "worse"


def test_equal_setups_show_no_difference() -> None:
    ratio = tpot_ratio(concluded(experiment(SLOWER, list(reversed(SLOWER)))))
    assert ratio.verdict == "no difference shown"
    assert ratio.low < 1 < ratio.high


def test_five_pairs_prove_nothing_however_far_apart() -> None:
    ratio = tpot_ratio(concluded(experiment(SLOWER[:5], FASTER[:5])))
    assert ratio.verdict == "not compared"
    assert "6 pairs" in ratio.reason


def test_the_interval_is_that_of_the_pairs_at_the_corrected_confidence() -> None:
    conclusion = concluded(experiment(SLOWER, FASTER))
    confidence = corrected_confidence(conclusion.comparisons)
    expected = paired_ratio(FASTER, SLOWER, confidence)
    ratio = tpot_ratio(conclusion)
    assert (ratio.low, ratio.high) == pytest.approx((expected.low, expected.high))
    uncorrected = paired_ratio(FASTER, SLOWER)
    assert uncorrected.low is not None
    assert ratio.low < uncorrected.low


def test_only_what_was_measured_counts_as_a_comparison() -> None:
    conclusion = concluded(experiment(SLOWER, FASTER))
    assert conclusion.comparisons == 4  # ttft, tpot, e2e, memory; there was no price
    cost = next(one for one in conclusion.setups[1].ratios if one.metric == "cost_dollars")
    assert (cost.ratio, cost.verdict) == (None, "not compared")
    median = next(one for one in conclusion.setups[1].medians if one.metric == "cost_dollars")
    assert (median.median, median.reason) == (None, "no price set")


def test_answers_of_different_lengths_are_not_compared_by_their_whole_time() -> None:
    usage = TokenUsage(prompt_tokens=8, prompt_tokens_computed=8, output_tokens=9)
    records = [run_of(0, n, 10) for n in range(1, 8)]
    records += [run_of(1, n, 5, usage=usage) for n in range(1, 8)]
    ratios = {one.metric: one for one in concluded(records).setups[1].ratios}
    assert ratios["e2e_ns"].n == 0
    assert "equal length" in ratios["e2e_ns"].reason
    assert ratios["tpot_ns"].n == 7


def test_warm_ups_and_failed_runs_are_in_no_figure() -> None:
    error = ErrorNote(type="X", message="broke")
    records = experiment(SLOWER, FASTER)
    records.append(run_of(1, 0, 900))
    records.append(run_of(1, 9, 900, status="failed", error=error))
    conclusion = concluded(records)
    of_b = conclusion.setups[1]
    assert (of_b.finished, of_b.failed, of_b.disturbed) == (8, 1, 0)
    assert tpot_ratio(conclusion) == tpot_ratio(concluded(experiment(SLOWER, FASTER)))


def test_a_run_made_again_takes_the_place_of_the_disturbed_one() -> None:
    records = experiment(SLOWER, FASTER)
    records.insert(0, run_of(0, 9, 900, disturbed="other work"))
    records += [run_of(0, 9, 10, attempt=2), run_of(1, 9, 5)]
    assert tpot_ratio(concluded(records)).n == 9
    assert concluded(records).setups[0].disturbed == 0
    assert 900 * MS not in concluded(records).setups[0].medians[1].samples


def test_what_was_disturbed_twice_counts_by_its_last_run_and_is_told() -> None:
    records = experiment(SLOWER, FASTER)
    records += [run_of(0, 9, 900, disturbed="other work"), run_of(1, 9, 5)]
    records += [run_of(0, 9, 11, disturbed="other work", attempt=2)]
    of_a = concluded(records).setups[0]
    assert of_a.disturbed == 1
    assert of_a.medians[1].samples[-1] == 11 * MS


def test_without_any_run_there_is_a_reason_and_no_number() -> None:
    conclusion = concluded([])
    assert conclusion.setups[1].medians[0].median is None
    assert conclusion.setups[1].medians[0].reason
    assert tpot_ratio(conclusion).verdict == "not compared"


def test_few_runs_have_a_median_and_no_interval() -> None:
    assert median_interval([1.0, 3.0, 2.0]) == (2.0, None, None)


@pytest.mark.parametrize("n", [6, 7, 12, 25])
def test_the_interval_of_a_median_holds_the_true_one_at_least_as_often_as_it_says(n: int) -> None:
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(500):
        _, low, high = median_interval(rng.lognormal(0.0, 0.1, n).tolist())
        assert low is not None
        assert high is not None
        held += low <= 1 <= high
    assert held / 500 >= 0.94


def test_six_equal_setups_are_called_different_in_no_more_experiments_than_stated() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    confidence = corrected_confidence(5)
    for _ in range(2_000):
        reference, *others = np.exp(rng.normal(0, 0.05, (6, 12))).tolist()
        wrong += any(paired_ratio(one, reference, confidence).proven for one in others)
    assert wrong / 2_000 <= 0.06


def test_two_experiments_are_compared_unpaired_by_setup() -> None:
    first, second = concluded(experiment(SLOWER, FASTER)), concluded(experiment(SLOWER, SLOWER))
    found = {(one.setup, one.metric): one for one in moves(first, second)}
    assert not found["A", "tpot_ns"].moved
    assert found["B", "tpot_ns"].moved
    assert found["B", "tpot_ns"].ratio == pytest.approx(2, rel=0.02)
    assert ("B", "cost_dollars") not in found


def test_too_few_runs_on_a_side_move_nothing() -> None:
    first, second = concluded(experiment(SLOWER, FASTER)), concluded(experiment(FASTER[:3], []))
    move = next(one for one in moves(first, second) if one.metric == "tpot_ns")
    assert not move.moved
    assert move.ratio is None
    assert move.reason


def test_the_unpaired_interval_is_welchs() -> None:
    from scipy import stats

    a, b = [1.0, 1.2, 0.9, 1.1, 1.05], [2.0, 2.5, 1.7, 2.2, 2.1, 1.9]
    ratio, low, high = unpaired_ratio(a, b, 0.9)
    test = stats.ttest_ind(np.log(a), np.log(b), equal_var=False)
    interval = test.confidence_interval(0.9)
    assert (math.log(low), math.log(high)) == pytest.approx((interval.low, interval.high))
    assert ratio == pytest.approx(math.exp(np.log(a).mean() - np.log(b).mean()))


def test_a_table_gives_back_each_of_its_samples() -> None:
    failed = run_of(0, 1, 1.0, status="failed", usage=None, error=ErrorNote(type="X", message="no"))
    again = run_of(1, 2, 2.0, attempt=2, disturbed="other work", warm=False)
    samples = [sample_of(record) for record in (failed, again)]
    table = SampleTable.of(samples)
    assert list(table) == samples
    assert table[-1:] == samples[-1:]
    assert conclude(["A", "B"], ["a", "b"], table) == conclude(["A", "B"], ["a", "b"], samples)
