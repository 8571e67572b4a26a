"""Rankings only of equal work, and verdicts only from enough pairs."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy import stats

from app.bench.compare import best, equal_beginning, paired_ratio, why_not_comparable
from app.bench.metric import Figure
from app.bench.record import UNKNOWN_DEVICE, ChunkStamp, Price, RunRecord, TokenUsage
from backends.request import Message, Request, Sampling
from backends.setup import Setup
from tests.bench.samples import ENVIRONMENT, make_run, stamps


def request(*messages: str, **sampling: Any) -> Request:
    roles = ("user", "assistant")
    said = tuple(Message(role=roles[n % 2], content=m) for n, m in enumerate(messages))
    return Request(messages=said, sampling=Sampling(**sampling))


def usage(output_tokens: int) -> TokenUsage:
    return TokenUsage(prompt_tokens=8, prompt_tokens_computed=8, output_tokens=output_tokens)


def test_equal_work_is_comparable() -> None:
    runs = [make_run(), make_run(setup=Setup(kv_cache="off"), setup_label="KV off")]
    assert why_not_comparable(runs) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"request": request("Another prompt")}, "prompts differ"),
        ({"request": request("What is prefill?", system_prompt="Be short")}, "system prompts"),
        ({"request": request("Hi", "Hello", "What is prefill?")}, "earlier answers"),
        ({"request": request("What is prefill?", temperature=0.7)}, "temperatures differ (0 and"),
        ({"request": request("What is prefill?", stop=("x",))}, "stop strings"),
        ({"usage": usage(40)}, "length (3 and 40 tokens): set a fixed length"),
        ({"usage": None}, "not known"),
        ({"contended": True}, "shared the device"),
        ({"warm": False}, "first answer"),
        ({"status": "failed"}, "failed"),
        ({"status": "stopped"}, "stopped before its end"),
        ({"environment": ENVIRONMENT.model_copy(update={"hardware": "other"})}, "hardware"),
        ({"environment": ENVIRONMENT.model_copy(update={"threads": 2})}, "numbers of threads"),
        ({"environment": ENVIRONMENT.model_copy(update={"device": "cuda:0"})}, "devices"),
    ],
)
def test_each_inequality_is_said_in_a_sentence(changes: dict[str, Any], words: str) -> None:
    odd = make_run(setup_label="odd", **changes)
    reasons = why_not_comparable([make_run(), odd])
    assert len(reasons) == 1
    assert words in reasons[0]
    assert reasons[0].endswith((".", "speed."))


def test_several_with_the_same_matter_are_told_together_and_what_never_began_ran_nowhere() -> None:
    nowhere = ENVIRONMENT.model_copy(update={"device": UNKNOWN_DEVICE, "threads": None})
    early = {"status": "stopped", "warm": False, "environment": nowhere}
    runs = [make_run(setup_label="a", status="stopped")]
    runs += [make_run(setup_label=name, **early) for name in "bc"]
    assert why_not_comparable(runs) == ["“a”, “b” and “c” were stopped before their end."]


def test_sampling_differs_by_seed_only_where_tokens_are_drawn() -> None:
    greedy = [make_run(request=request("p", seed=seed)) for seed in (1, 2)]
    assert why_not_comparable(greedy) == []
    drawn = [make_run(request=request("p", seed=seed, temperature=1.0)) for seed in (1, 2)]
    assert why_not_comparable(drawn) == ["The seeds differ."]


def test_what_the_setups_choose_is_what_is_compared() -> None:
    two_threads = ENVIRONMENT.model_copy(update={"threads": 2})
    assert (
        why_not_comparable([make_run(), make_run(setup=Setup(threads=2), environment=two_threads)])
        == []
    )
    on_gpu = ENVIRONMENT.model_copy(update={"device": "cuda:0"})
    assert (
        why_not_comparable([make_run(), make_run(setup=Setup(device="cuda:0"), environment=on_gpu)])
        == []
    )


def test_a_limit_on_length_that_changed_nothing_is_no_reason() -> None:
    limits = [make_run(request=request("p", max_new_tokens=n)) for n in (3, 300)]
    assert why_not_comparable(limits) == []


def test_one_run_compares_with_nothing() -> None:
    assert why_not_comparable([make_run()]) == ["There is only one run."]


def test_the_best_is_the_lowest_time_and_the_highest_rate() -> None:
    fast = make_run(id="fast")
    slow = make_run(id="slow", chunks=stamps((40, 1), (60, 1), (80, 1)))
    assert best([fast, slow], "ttft_ns") == {"fast"}
    assert best([fast, slow], "decode_tokens_per_second") == {"fast"}


def test_no_best_where_runs_are_not_comparable() -> None:
    slow = make_run(chunks=stamps((40, 1), (60, 1), (80, 1)), contended=True)
    assert best([make_run(), slow], "ttft_ns") == set()


def test_no_best_where_the_numbers_look_the_same() -> None:
    nearly = make_run(chunks=stamps((30, 1), (40, 1), (50, 1)))
    nearly = nearly.model_copy(
        update={"chunks": (nearly.chunks[0].model_copy(update={"t_ns": 30_000_009}),)}
    )
    assert best([make_run(), nearly], "ttft_ns") == set()


def test_the_caller_says_how_numbers_look() -> None:
    slow = make_run(id="slow", chunks=stamps((40, 1), (60, 1), (80, 1)))

    def all_the_same(row: Sequence[Figure]) -> list[str]:
        return ["about 0 s" for _ in row]

    assert best([make_run(id="fast"), slow], "ttft_ns", all_the_same) == set()


def test_two_that_look_the_same_share_the_first_place() -> None:
    slow = make_run(id="slow", chunks=stamps((40, 1), (60, 1), (80, 1)))
    assert best([make_run(id="a"), make_run(id="b"), slow], "ttft_ns") == {"a", "b"}


def test_no_best_of_counts_or_where_one_was_not_measured() -> None:
    price = Price(dollars_per_hour=Decimal(1), source="test", date=dt.date(2026, 11, 1))
    assert best([make_run(), make_run()], "output_tokens") == set()
    assert best([make_run(price=price), make_run()], "cost_dollars") == set()


def test_the_interval_is_students_t_on_log_ratios_as_scipy_has_it() -> None:
    random = np.random.default_rng(1)
    a, b = np.exp(random.normal(0.7, 0.1, 12)), np.exp(random.normal(0.0, 0.1, 12))
    logs = np.log(a / b)
    low, high = stats.t.interval(0.95, 11, loc=logs.mean(), scale=stats.sem(logs))
    found = paired_ratio(a.tolist(), b.tolist())
    assert found.n == 12
    assert found.ratio == pytest.approx(math.exp(logs.mean()), rel=1e-12)
    assert found.low == pytest.approx(math.exp(low), rel=1e-9)
    assert found.high == pytest.approx(math.exp(high), rel=1e-9)
    assert found.proven


def test_the_interval_agrees_with_a_hand_calculation() -> None:
    # Ratios 1, 4, 1, 4, 1, 4: logs 0 or 2 ln 2. Mean ln 2; deviations ± ln 2; variance
    # 6 ln²2 / 5; standard error ln 2 / √5; t(0.975, 5) = 2.570582 from the printed table.
    found = paired_ratio([1, 4, 1, 4, 1, 4], [1] * 6)
    half = 2.570582 * math.log(2) / math.sqrt(5)
    assert found.ratio == pytest.approx(2.0, rel=1e-12)
    assert found.low == pytest.approx(2 * math.exp(-half), rel=1e-6)
    assert found.high == pytest.approx(2 * math.exp(half), rel=1e-6)
    assert not found.proven
    assert "includes 1" in found.sentence


def test_below_six_pairs_nothing_is_proven_however_clear() -> None:
    found = paired_ratio([2.0, 2.01, 1.99, 2.0, 2.0], [1.0] * 5)
    assert found.low is not None
    assert found.low > 1.9
    assert not found.proven
    assert "no verdict below 6 pairs" in found.sentence
    sixth = paired_ratio([2.0, 2.01, 1.99, 2.0, 2.0, 2.0], [1.0] * 6)
    assert sixth.proven
    assert "excludes 1" in sixth.sentence


def test_slower_is_proven_too() -> None:
    assert paired_ratio([0.5, 0.51, 0.49, 0.5, 0.52, 0.5], [1.0] * 6).proven


def test_one_pair_has_no_interval() -> None:
    found = paired_ratio([3.0], [2.0])
    assert found.ratio == pytest.approx(1.5)
    assert found.low is None
    assert found.high is None
    assert "1 pair:" in found.sentence


def test_exactly_equal_pairs_prove_nothing() -> None:
    found = paired_ratio([3.0] * 8, [3.0] * 8)
    assert (found.ratio, found.low, found.high, found.proven) == (1.0, 1.0, 1.0, False)


def test_equal_setups_are_called_different_about_one_time_in_twenty() -> None:
    random = np.random.default_rng(7)
    draws = np.exp(random.normal(0, 0.2, (2_000, 2, 6)))
    wrong = sum(paired_ratio(a.tolist(), b.tolist()).proven for a, b in draws)
    assert 0.03 < wrong / 2_000 < 0.07


@pytest.mark.parametrize(
    ("a", "b"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [-1.0]), ([math.inf], [1])]
)
def test_values_that_make_no_ratio_are_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match=r"pairs|positive"):
        paired_ratio(a, b)


def answered(*token_ids: int, answer: str = "") -> RunRecord:
    chunks = tuple(
        ChunkStamp(t_ns=n, tokens=1, text="x", token_ids=(token,))
        for n, token in enumerate(token_ids)
    )
    return make_run(chunks=chunks, answer=answer)


def test_answers_are_compared_token_by_token_from_their_start() -> None:
    reference = answered(1, 2, 3)
    assert equal_beginning(answered(1, 2, 3), reference) is None
    assert equal_beginning(answered(1, 9, 3), reference) == 1
    assert equal_beginning(answered(1, 2), reference) == 2


def test_answers_without_token_ids_are_compared_by_their_text() -> None:
    assert equal_beginning(answered(answer="Hello"), answered(answer="Hello")) is None
    assert equal_beginning(answered(answer="Help"), answered(answer="Hello")) == 3
