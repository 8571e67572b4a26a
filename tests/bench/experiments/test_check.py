"""A check fails for what is proven to lie beyond its bound, and passes what is proven not to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.bench.experiments.check import CheckLine, Moved, judged, paired, percent, unpaired
from app.bench.experiments.samples import RunSample, sample_of
from app.bench.experiments.words import check_words
from backends.errors import DynoError
from tests.bench.experiments.test_statistics import run_of

RNG = np.random.default_rng(0)
TPOT = ("tpot_ns",)


def slower_by(share: float, starts: int = 40, spread: float = 0.05) -> Moved:
    """Starts whose logarithms have exactly this mean and spread."""
    noise = RNG.normal(size=starts)
    noise = (noise - noise.mean()) / noise.std(ddof=1) * spread
    return Moved("A", "tpot_ns", tuple(noise + math.log1p(share)))


def line(moved: Moved, bound: float = 0.1, *, is_paired: bool = True) -> CheckLine:
    return judged([moved], {"tpot_ns": bound}, is_paired=is_paired)[0]


def sample(gap_ms: float, round_: int = 1, turn: int = 0) -> RunSample:
    made = sample_of(run_of(0, round_, gap_ms))
    return replace(made, place=made.place.model_copy(update={"turn": turn}))


@pytest.mark.parametrize(
    ("share", "verdict", "words"),
    [
        (-0.02, "within", "faster by 2 %, proven not to be slower by more than 10 %"),
        (0.06, "within", "slower by 6 %, proven not to be slower by more than 10 %"),
        (
            0.09,
            "cannot tell",
            "slower by 9 %; cannot tell whether it is slower by more than 10 %",
        ),
        (0.11, "cannot tell", "slower by 11 %; cannot tell whether it is slower by more than 10 %"),
        (0.2, "over", "slower by 20 %, proven to be more than 10 %"),
    ],
)
def test_the_whole_interval_must_lie_on_one_side_of_the_bound(
    share: float, verdict: str, words: str
) -> None:
    found = line(slower_by(share))
    assert found.verdict == verdict
    assert words in check_words(found)
    assert found.ratio == pytest.approx(1 + share)
    # Student's t with 39 degrees of freedom: 2.0227 · 0.05 / √40.
    assert found.high == pytest.approx((1 + share) * math.exp(0.01599), rel=1e-4)


def test_a_bound_of_nothing_asks_whether_it_is_slower_at_all() -> None:
    assert line(slower_by(0.03), 0.0).verdict == "over"
    assert line(slower_by(-0.03), 0.0).verdict == "within"
    assert line(slower_by(0.01), 0.0).verdict == "cannot tell"
    assert [line(slower_by(by), 0.1).differs for by in (0.03, 0.01)] == [True, False]


def test_an_unsure_line_says_how_many_starts_would_tell() -> None:
    # Half-width 0.01599, room ln(1.1 / 1.09) = 0.00913: (0.01599 / 0.00913)² times the starts.
    assert line(slower_by(0.09)).more == pytest.approx(3.07, abs=0.01)
    at_the_bound = line(slower_by(0.0999))
    assert at_the_bound.more is None
    assert "nothing short of many more" in check_words(at_the_bound)


def test_a_baseline_of_one_start_takes_an_interval_as_wide_as_starts_differ() -> None:
    beside, alone = (line(slower_by(0.0), is_paired=is_paired) for is_paired in (True, False))
    assert beside.high is not None
    assert alone.high is not None
    # s·√(1 + 1/n) in the place of s·√(1/n).
    assert math.log(alone.high) == pytest.approx(math.log(beside.high) * math.sqrt(41))
    assert (beside.verdict, alone.verdict) == ("within", "cannot tell")


def test_several_figures_are_corrected_together() -> None:
    alone = line(slower_by(0.05))
    three = judged([slower_by(0.05)] * 3, {"tpot_ns": 0.1}, is_paired=True)
    assert alone.confidence == pytest.approx(0.95)
    assert three[0].confidence == pytest.approx(1 - 0.05 / 3)


def test_few_starts_give_no_verdict() -> None:
    found = line(slower_by(0.5, starts=5, spread=0.001))
    assert (found.verdict, found.starts) == ("cannot tell", 5)
    assert "6 starts" in check_words(found)


def test_a_start_is_one_number_however_many_runs_it_has() -> None:
    then = [[sample(10, turn=0), sample(20, turn=1)], [sample(10, turn=0)]]
    now = [[sample(11, turn=0), sample(22, turn=1)], [sample(9, turn=0), sample(9, turn=1)]]
    (moved,) = paired("A", then, now, TPOT)
    assert moved.logs == pytest.approx([math.log(1.1), math.log(0.9)])


def test_without_the_other_version_its_runs_of_the_same_turn_are_the_measure() -> None:
    then = [sample(10, round_, turn) for round_ in (1, 2, 3) for turn in (0, 1)]
    now = [[sample(11, 1, 0), sample(11, 1, 1)], [sample(12, 1, 0), sample(50, 1, 7)]]
    (moved,) = unpaired("A", then, now, TPOT)
    assert moved.logs == pytest.approx([math.log(1.1), math.log(1.2)])


def test_what_neither_has_is_not_measured_and_what_one_has_lost_cannot_be_passed() -> None:
    had = replace(sample(1), values={"tpot_ns": 1.0}, reasons={"e2e_ns": "not read"})
    lost = replace(sample(1), values={}, reasons={"tpot_ns": "lost", "e2e_ns": "not read"})
    bounds = {"tpot_ns": 0.1, "e2e_ns": 0.1}
    tpot, e2e = judged(paired("A", [[had]], [[lost]], bounds), bounds, is_paired=True)
    assert tpot.verdict == "cannot tell"
    assert (e2e.verdict, e2e.reason) == ("not measured", "not read")


@pytest.mark.parametrize(
    ("text", "share"), [("10%", 0.1), ("10 %", 0.1), (" 2.5%", 0.025), ("0.1", 0.1), ("0%", 0.0)]
)
def test_shares_are_read_with_and_without_a_per_cent_sign(text: str, share: float) -> None:
    assert percent(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["ten", "-5%", "nan", "inf%", "10", ""])
def test_what_is_no_share_is_a_sentence(text: str) -> None:
    with pytest.raises(DynoError) as refused:
        percent(text)
    assert refused.value.remedy
