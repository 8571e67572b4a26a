"""A check fails for what is proven to lie beyond its bound, and passes what is proven not to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.bench.experiments.check import MEMORY, CheckLine, Figures, figures_of, judged, percent
from app.bench.experiments.samples import RunSample, sample_of
from backends.errors import DynoError
from tests.bench.experiments.test_statistics import run_of

RNG = np.random.default_rng(0)


def slower_by(share: float, pairs: int = 40, spread: float = 0.05) -> Figures:
    """Pairs whose logarithms have exactly this mean and spread."""
    noise = RNG.normal(size=pairs)
    noise = (noise - noise.mean()) / noise.std(ddof=1) * spread
    return Figures("A", "tpot_ns", [(math.exp(x), 1.0) for x in noise + math.log1p(share)])


def sample(round_: int, gap_ms: float = 1.0) -> RunSample:
    return sample_of(run_of(0, round_, gap_ms))


def line(figures: Figures, bound: float = 0.1, *, paired: bool = True) -> CheckLine:
    return judged([figures], {"tpot_ns": bound}, paired=paired)[0]


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (0.0, "within"),
        (0.06, "within"),
        (0.09, "cannot tell"),
        (0.11, "cannot tell"),
        (0.2, "over"),
    ],
)
def test_the_whole_interval_must_lie_on_one_side_of_the_bound(share: float, verdict: str) -> None:
    found = line(slower_by(share))
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(1 + share)
    # Student's t with 39 degrees of freedom: 2.0227 · 0.05 / √40.
    assert found.high == pytest.approx((1 + share) * math.exp(0.01599), rel=1e-4)


def test_a_bound_of_nothing_asks_whether_it_is_slower_at_all() -> None:
    assert line(slower_by(0.03), 0.0).verdict == "over"
    assert line(slower_by(-0.03), 0.0).verdict == "within"
    assert line(slower_by(0.01), 0.0).verdict == "cannot tell"


def test_an_unsure_line_says_how_many_repeats_would_tell() -> None:
    found = line(slower_by(0.09))
    # Half-width 0.01599, room ln(1.1 / 1.09) = 0.00913: (0.01599 / 0.00913)² times the repeats.
    assert found.more == pytest.approx(3.07, abs=0.01)
    assert line(slower_by(0.0999)).more is None
    assert line(slower_by(0.0)).more is None


def test_unpaired_runs_take_a_wider_interval_for_the_same() -> None:
    prompts = np.exp(RNG.normal(0, 0.3, 40))
    pairs = [(1.02 * x * y, x) for x, (y, _) in zip(prompts, slower_by(0.0).pairs, strict=True)]
    figures = Figures("A", "tpot_ns", pairs)
    assert line(figures).verdict == "within"
    found = line(figures, paired=False)
    assert found.verdict == "cannot tell"
    assert found.ratio == pytest.approx(1.02)


def test_several_figures_are_corrected_together() -> None:
    alone = line(slower_by(0.05))
    three = judged([slower_by(0.05)] * 3, {"tpot_ns": 0.1}, paired=True)
    assert alone.confidence == pytest.approx(0.95)
    assert three[0].confidence == pytest.approx(1 - 0.05 / 3)
    assert alone.high is not None
    assert three[0].high is not None
    assert three[0].high > alone.high


def test_few_pairs_give_no_verdict() -> None:
    found = line(slower_by(0.5, pairs=5, spread=0.001))
    assert (found.verdict, found.n) == ("cannot tell", 5)
    assert "6 pairs" in found.reason


def test_runs_in_the_same_place_are_a_pair() -> None:
    then = [sample(round_, 10.0) for round_ in (1, 2)]
    now = [sample(round_, 11.0) for round_ in (1, 2, 3)]
    (tpot,) = figures_of("A", then, now, ("tpot_ns",))
    assert list(tpot.pairs) == [(11e6, 10e6)] * 2  # what stands alone is none


def test_what_neither_has_is_not_measured_and_what_one_has_lost_cannot_be_passed() -> None:
    then = [replace(sample(1), values={"tpot_ns": 1.0}, reasons={MEMORY: "not read"})]
    lost = [replace(sample(1), values={}, reasons={"tpot_ns": "lost", MEMORY: "not read"})]
    tpot, memory = judged(
        figures_of("A", then, lost, ("tpot_ns", MEMORY)), {"tpot_ns": 0.1, MEMORY: 0.1}, paired=True
    )
    assert tpot.verdict == "cannot tell"
    assert (memory.verdict, memory.reason) == ("not measured", "not read")


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
