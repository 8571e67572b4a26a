"""Recommendations keep limits by the unfavourable end, call ties ties, and say what to loosen."""

from __future__ import annotations

from typing import Any

import pytest

from app.bench.compare import PairedRatio, paired_ratio
from app.bench.experiments.findings import SetupFigures, findings_of
from app.bench.experiments.recommend import Recommendation, choose, judge, recommend, wishes
from app.bench.experiments.recommend_text import (
    details,
    limit_text,
    rounded_away,
    verdict,
)
from app.bench.experiments.samples import PassResult, SetupFigure
from tests.bench.experiments.made_up import (
    MS,
    an_experiment,
    figure,
    findings,
    sample,
    setup_figures,
)

MB = 1_000_000
FAST = {"e2e_ns": 100 * MS, "ttft_ns": 10 * MS, "peak_memory_bytes": 80 * MB}
SLOW = {"e2e_ns": 200 * MS, "ttft_ns": 20 * MS, "peak_memory_bytes": 40 * MB}


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def test_the_best_at_the_wish_is_named_with_the_runner_up() -> None:
    found = findings(SLOW, FAST)
    chosen = recommend(found, {}, "fastest")
    assert chosen.best == (1,)
    assert chosen.runner_up is not None
    assert chosen.runner_up.index == 0
    assert plain(verdict(found, chosen)) == (
        "Use “fp32 · KV off”: E2E 100 ms [98.0, 102], the fastest of 2 setups."
    )
    runner_up = plain(details(found, chosen)[0])
    assert runner_up.startswith(
        "Runner-up: “fp32 · KV on”, 2.00× slower (ratio [2.00, 2.00] over 8"
    )
    smallest = recommend(found, {}, "smallest")
    assert smallest.best == (0,)


def test_a_limit_is_judged_by_the_unfavourable_end() -> None:
    """The median keeps it; the upper end of its interval does not."""
    assert judge(figure("ttft_ns", 290, 280, 310), "ttft_ns", 300).passes is False
    assert judge(figure("ttft_ns", 290, 280, 300), "ttft_ns", 300).passes is True
    speed = "decode_tokens_per_second"
    assert judge(figure(speed, 55, 49, 60), speed, 50).passes is False
    assert judge(figure(speed, 55, 50, 60), speed, 50).passes is True


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (figure("ttft_ns", 10, n=3), "needs 6 runs"),
        (figure("ttft_ns", None), "not measured: no sensor"),
        (None, "not measured: its pass was not made"),
    ],
)
def test_what_is_not_known_does_not_pass(known: SetupFigure | None, reason: str) -> None:
    judged = judge(known, "ttft_ns", 1e12)
    assert not judged.passes
    assert judged.worst is None
    assert judged.reason == reason


def test_limits_exclude_and_say_whom() -> None:
    found = findings(SLOW, FAST)
    chosen = recommend(found, {"ttft_ns": 15 * MS, "peak_memory_bytes": 100 * MB}, "smallest")
    assert chosen.best == (1,), "the smaller one is excluded"
    assert chosen.runner_up is None
    told = [plain(sentence) for sentence in details(found, chosen)]
    assert told == [
        "TTFT ≤ 15 ms excludes “fp32 · KV on” (up to 20.40 ms).",
        "Peak memory ≤ 100 MB excludes no setup.",
    ]
    assert "of the 1 of 2 setups that keeps both limits" in verdict(found, chosen)


def test_a_plan_that_may_end_early_asks_for_more_confidence_before_it_names_the_best() -> None:
    asked: list[float] = []

    def versus(one: int, other: int, metric: str, confidence: float) -> None:
        asked.append(confidence)

    setups = [setup_figures(index, figure("e2e_ns", 100, 90, 110)) for index in range(3)]
    choose(setups, {}, "fastest", "e2e_ns", versus, 0.96)
    assert asked == pytest.approx([0.98] * len(asked))
    assert asked


def test_setups_without_a_proven_difference_are_tied() -> None:
    setups = [
        setup_figures(0, figure("e2e_ns", 100, 90, 110)),
        setup_figures(1, figure("e2e_ns", 101, 90, 110)),
    ]
    chosen = choose(setups, {}, "fastest", "e2e_ns", ratios({(1, 0): [1.3, 0.8, 1.1, 0.9, 1, 1.1]}))
    assert chosen.best == (0, 1)
    assert chosen.runner_up is None


def test_few_pairs_prove_nothing_and_tie() -> None:
    found = findings(SLOW, FAST, noise=(1.0, 1.01))
    chosen = recommend(found, {}, "fastest")
    assert set(chosen.best) == {0, 1}
    assert "tied as the fastest" in verdict(found, chosen)


def ratios(known: dict[tuple[int, int], list[float]]) -> Any:
    def versus(one: int, other: int, metric: str, confidence: float) -> PairedRatio | None:
        if (one, other) in known:
            values = known[one, other]
            return paired_ratio(values, [1.0] * len(values), confidence)
        if (other, one) in known:
            values = known[other, one]
            return paired_ratio([1.0] * len(values), values, confidence)
        return None

    return versus


def test_pairs_overrule_medians() -> None:
    """One setup's median is lower by chance; pair by pair the other one is always faster."""
    setups = [
        setup_figures(0, figure("e2e_ns", 99, 80, 120)),
        setup_figures(1, figure("e2e_ns", 100, 80, 120)),
    ]
    pairs = {(1, 0): [0.9, 0.91, 0.89, 0.9, 0.92, 0.9, 0.88]}
    chosen = choose(setups, {}, "fastest", "e2e_ns", ratios(pairs))
    assert chosen.best == (1,)
    assert chosen.runner_up is not None
    assert chosen.runner_up.index == 0


def test_where_pairs_overrule_medians_it_is_said() -> None:
    drift = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
    slower = [sample(0, round_, {"tpot_ns": MS * f}) for round_, f in enumerate(drift, 1)]
    faster = [sample(1, round_, {"tpot_ns": MS * f * 0.9}) for round_, f in enumerate(drift, 1)]
    late = [sample(1, round_, {"tpot_ns": 99 * MS}) for round_ in range(9, 14)]
    found = findings_of(an_experiment(2), [*slower, *faster, *late])
    chosen = recommend(found, {}, "fastest")
    assert chosen.best == (1,)
    assert "Its median is the better one, but pair by pair it is not" in details(found, chosen)[0]


def test_a_figure_without_pairs_is_told_apart_by_its_intervals() -> None:
    def share(index: int, value: float) -> SetupFigures:
        own = SetupFigure(
            "accuracy", "Accuracy", "share", "higher", value, value - 0.05, value + 0.05, 60
        )
        return setup_figures(index, own)

    setups = [share(0, 0.9), share(1, 0.86), share(2, 0.5)]
    chosen = choose(setups, {}, "most accurate", "accuracy", ratios({}))
    assert chosen.best == (0, 1)
    assert chosen.runner_up is not None
    assert (chosen.runner_up.index, chosen.runner_up.ratio) == (2, None)


def loosened(chosen: Recommendation) -> tuple[str, str]:
    assert chosen.loosening is not None
    return chosen.loosening.metric, chosen.loosening.label


def test_a_limit_of_nothing_can_be_loosened_too() -> None:
    found = findings(SLOW, FAST)
    chosen = recommend(found, {"ttft_ns": 0}, "fastest")
    assert loosened(chosen) == ("ttft_ns", "fp32 · KV off")
    told = plain(verdict(found, chosen))
    assert "Loosen TTFT ≤ 0 ms to " in told
    assert "more room" not in told


def test_where_none_passes_the_smallest_loosening_is_named() -> None:
    found = findings(SLOW, FAST)
    limits = {"ttft_ns": 15 * MS, "peak_memory_bytes": 75 * MB}
    chosen = recommend(found, limits, "fastest")
    assert chosen.best == ()
    assert loosened(chosen) == ("peak_memory_bytes", "fp32 · KV off")
    assert plain(verdict(found, chosen)) == (
        "No setup keeps both limits. Loosen Peak memory ≤ 75 MB to 81.6 MB (8.8 % more room) and "
        "“fp32 · KV off” passes."
    )


def test_the_loosened_limit_that_is_shown_is_one_that_passes() -> None:
    worst = 81.612345 * MB
    shown = rounded_away(worst, figure("peak_memory_bytes", 80 * MB))
    assert shown == pytest.approx(81.7 * MB)
    assert judge(
        figure("peak_memory_bytes", 80 * MB, 80 * MB, worst), "peak_memory_bytes", shown
    ).passes
    speed = "decode_tokens_per_second"
    assert rounded_away(49.87, figure(speed, 50)) == pytest.approx(49.8)


def test_where_one_limit_is_not_enough_it_says_who_is_nearest() -> None:
    found = findings(SLOW, FAST)
    chosen = recommend(found, {"ttft_ns": 5 * MS, "peak_memory_bytes": 10 * MB}, "fastest")
    assert chosen.loosening is None
    told = plain(verdict(found, chosen))
    assert told.startswith("No setup keeps both limits. No single one is enough: “fp32 · KV")
    assert "Peak memory (up to" in told


def test_what_is_not_measured_cannot_be_loosened() -> None:
    found = findings(SLOW, FAST)
    chosen = recommend(found, {"cost_per_million_tokens": 1.0}, "fastest")
    assert chosen.loosening is None
    assert "it is not known" in verdict(found, chosen)


def test_wishes_are_those_that_figures_can_tell() -> None:
    assert wishes(findings(SLOW, FAST)) == ("fastest", "smallest")
    accuracy = SetupFigure("accuracy", "Accuracy", "share", "higher", 0.9, 0.8, 0.95, 50)
    passes = [PassResult("quality", {0: (accuracy,)})]
    assert "most accurate" in wishes(findings(SLOW, FAST, passes=passes))


def test_fast_is_the_whole_answer_only_where_answers_have_one_length() -> None:
    both = {"e2e_ns": 100 * MS, "tpot_ns": 5 * MS}
    assert recommend(findings(both, both), {}, "fastest").metric == "e2e_ns"
    natural = findings(both, both, plan={"output": "natural"})
    assert recommend(natural, {}, "fastest").metric == "tpot_ns"


def test_limits_are_written_with_their_unit() -> None:
    assert plain(limit_text(figure("ttft_ns", 1), 300 * MS)) == "TTFT ≤ 300 ms"
    speed = figure("decode_tokens_per_second", 1)
    assert plain(limit_text(speed, 50)) == "Decode speed ≥ 50 tok/s"
