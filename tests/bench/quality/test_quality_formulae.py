"""Figures of quality against numbers computed by hand, and intervals that keep their word."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.bench.quality.distances import agreed, kl_nats
from app.bench.quality.estimates import exponential, mean_per_token, share_of_tokens
from app.bench.quality.figures import (
    IS_REFERENCE,
    OTHER_TOKENS,
    Beginning,
    accuracy,
    figures_of_beginnings,
    figures_of_text,
)
from app.bench.quality.right_answers import is_right
from app.bench.quality.scoring import PieceScore
from backends.scores import Ids, Scores
from backends.worker.scoring import scores_of


def told(*probabilities: list[float], top_k: int = 9, ids: Ids | None = None) -> Scores:
    """Scores of a model with these probabilities, one row a token; the token said is the first."""
    rows = np.log(np.array(probabilities, dtype=np.float32))
    return scores_of([rows], [0] * len(probabilities), top_k, ids)


def test_kl_of_distributions_computed_by_hand() -> None:
    p, q = told([0.5, 0.25, 0.25]), [0.25, 0.25, 0.5]
    expected = 0.5 * math.log(2) + 0.25 * math.log(1 / 2)
    assert kl_nats(p, told(q, ids=p.ids)) == pytest.approx([expected], rel=1e-5)


def test_kl_of_a_setup_to_itself_is_zero_exactly() -> None:
    p = told([0.5, 0.25, 0.25], [0.9, 0.05, 0.05], top_k=2)
    assert kl_nats(p, told([0.5, 0.25, 0.25], [0.9, 0.05, 0.05], ids=p.ids)).tolist() == [0, 0]
    assert agreed(p, p) == 2


def test_tokens_that_count_as_one_make_kl_a_lower_bound() -> None:
    p = told([0.5, 0.3, 0.2], top_k=1)
    q = [0.4, 0.2, 0.4]
    merged = 0.5 * math.log(0.5 / 0.4) + 0.5 * math.log(0.5 / 0.6)
    whole = 0.5 * math.log(0.5 / 0.4) + 0.3 * math.log(0.3 / 0.2) + 0.2 * math.log(0.2 / 0.4)
    assert kl_nats(p, told(q, ids=p.ids)) == pytest.approx([merged], rel=1e-5)
    assert merged < whole


def test_the_mean_is_over_tokens_and_its_interval_over_texts() -> None:
    sums, tokens = [2.0, 3.0, 1.0, 4.0, 2.0, 6.0], [2, 2, 1, 3, 2, 5]
    found = mean_per_token(sums, tokens)
    mean = 18 / 15
    residuals = sum((s - mean * t) ** 2 for s, t in zip(sums, tokens, strict=True))
    half = 2.570582 * math.sqrt(6 / 5 * residuals) / 15  # t with 5 degrees of freedom
    assert found.value == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half), rel=1e-6)
    assert mean_per_token(sums[:5], tokens[:5]).low is None
    assert exponential(found).value == pytest.approx(math.exp(mean))


def test_intervals_over_texts_hold_the_truth_as_often_as_they_say() -> None:
    """Tokens of a text share its difficulty: an interval over tokens would be far too narrow."""
    rng, hits, shares = np.random.default_rng(7), 0, 0
    for _ in range(400):
        tokens = rng.integers(20, 80, size=16)
        difficulty = rng.normal(1.0, 0.3, size=16)
        sums = [
            float(rng.normal(d, 1.0, size=n).sum()) for d, n in zip(difficulty, tokens, strict=True)
        ]
        found = mean_per_token(sums, tokens.tolist())
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 1.0 <= found.high
        chances = rng.beta(18, 2, size=16)
        agreeing = [int(rng.binomial(n, p)) for n, p in zip(tokens, chances, strict=True)]
        share = share_of_tokens(agreeing, tokens.tolist())
        assert share.low is not None
        assert share.high is not None
        shares += share.low <= 0.9 <= share.high
    assert 0.92 <= hits / 400 <= 0.98
    assert 0.92 <= shares / 400 <= 0.99


def test_a_share_without_a_miss_is_not_certain() -> None:
    found = share_of_tokens([10] * 8, [10] * 8)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 80))


def scored(*nats: float, kl: float | None = 0.1, agreed: int | None = 9) -> list[PieceScore]:
    return [PieceScore(10, one, kl, agreed) for one in nats]


def test_the_ratio_of_perplexities_is_paired_by_text() -> None:
    hard = [1.0, 5.0, 2.0, 8.0, 3.0, 6.0]
    reference, setup = scored(*hard), scored(*(one + 0.1 for one in hard))
    perplexity, ratio, kl, agreement = figures_of_text(setup, reference)
    assert perplexity.low is not None
    assert perplexity.high is not None
    assert perplexity.high / perplexity.low > 1.3, "the texts differ much"
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((math.exp(0.01),) * 3)
    assert kl.value == pytest.approx(0.01)
    assert agreement.value == pytest.approx(0.9)
    assert {one.n for one in (perplexity, ratio, kl, agreement)} == {6}


def test_the_reference_is_as_it_is_by_definition() -> None:
    own = scored(1, 2, 3, 4, 5, 6)
    values = {one.metric: (one.value, one.reason) for one in figures_of_text(own, own)[1:]}
    assert values == {
        "perplexity_ratio": (1.0, IS_REFERENCE),
        "kl_per_token": (0.0, IS_REFERENCE),
        "top1_agreement": (1.0, IS_REFERENCE),
    }


def test_what_cannot_be_compared_says_why() -> None:
    other = figures_of_text(scored(1, 2, kl=None, agreed=None), scored(1, 2))
    assert other[0].value is not None
    assert {(one.value, one.reason) for one in other[1:]} == {(None, OTHER_TOKENS)}
    alone = figures_of_text(scored(1, 2), None)
    assert {one.reason for one in alone[1:]} == {"the reference was not scored"}
    bound = figures_of_text(scored(*[1.0] * 6), scored(*[1.0] * 6), "a lower bound")
    assert bound[2].reason == "a lower bound"


def test_how_answers_begin_as_the_references_do() -> None:
    begun = [Beginning(True, 20), *[Beginning(False, shared) for shared in (3, 5, 7, 9, 11)]]
    first, same = figures_of_beginnings(begun, 6)
    assert (first.value, first.low, first.high) == (8, 3, 20)
    assert same.value == pytest.approx(1 / 6)
    assert (same.low, same.high) == pytest.approx((0.00421, 0.64123), abs=1e-5)
    untold = figures_of_beginnings([Beginning(True, None)], 2)
    assert untold[0].value is None
    assert (untold[1].value, untold[1].reason) == (1.0, "1 of 2 prompts have no answer")


def test_accuracy_needs_known_answers() -> None:
    assert accuracy([True, True, False, True], 4).value == 0.75
    assert accuracy([], 0).reason == "the workload does not say which answers are right"


@pytest.mark.parametrize(
    ("answer", "accepted", "right"),
    [
        ("The capital of France is Paris.", ["paris"], True),
        ("It is Parisian.", ["Paris"], False),
        ("PARIS!", ["London", "Paris"], True),
        ("3 plus 4 is 7.", ["7"], True),
        ("It is 17.", ["7"], False),
        ("It is 7.5.", ["7"], False),
        ("It is -7.", ["7"], False),
        ("12-7 is 5", ["7"], True),
        ("It is 7.0", ["7"], True),
        ("1,234 of them", ["1234"], True),
        ("New\nYork, of course", ["new york"], True),
        ("York is new", ["new york"], False),
        ("Zürich", ["ZÜRICH"], True),
        ("", ["Paris"], False),
        ("anything", [""], False),
    ],
)
def test_right_answers(answer: str, accepted: list[str], right: bool) -> None:
    assert is_right(answer, accepted) is right
