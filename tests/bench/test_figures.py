"""Figures by hand: stamps that are written down, results worked out on paper."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from app.bench import figures, formulae
from app.bench.record import (
    Environment,
    MemoryLedger,
    Price,
    Speculation,
    Timeline,
    TokenPrice,
    TokenUsage,
)
from backends.engine import REMOTE_DEVICE
from tests.bench.samples import MS, make_run, stamps


def test_ttft_is_first_token_minus_accepted_and_leaves_the_queue_out() -> None:
    queued_long = Timeline(
        queued_ns=0, started_ns=4_000 * MS, accepted_ns=4_010 * MS, ended_ns=5_000 * MS
    )
    run = make_run(timeline=queued_long, chunks=stamps((4_031, 1), (4_050, 1)))
    assert figures.ttft(run).value == 21 * MS
    assert figures.queue_time(run).value == 4_000 * MS


def test_ttft_skips_chunks_without_tokens() -> None:
    run = make_run(chunks=stamps((12, 0), (30, 1), (40, 1)))
    assert figures.ttft(run).value == 20 * MS


def test_tpot_of_single_tokens_is_the_mean_gap() -> None:
    # 30 → 50 ms is 20 ms for the 2 tokens after the first.
    assert figures.tpot(make_run()).value == 10 * MS


def test_tpot_counts_the_tokens_of_a_burst_and_not_its_chunks() -> None:
    # 30 → 90 ms is 60 ms for 4 + 1 + 1 = 6 tokens after the first chunk.
    run = make_run(chunks=stamps((30, 1), (50, 4), (70, 1), (90, 1)))
    assert figures.tpot(run).value == 10 * MS


def test_tpot_leaves_out_all_tokens_of_a_first_burst() -> None:
    # n = 7, n_first = 5: (50 − 30) / 2.
    run = make_run(chunks=stamps((30, 5), (40, 1), (50, 1)))
    assert figures.tpot(run).value == 10 * MS


def test_the_share_of_guessing_is_of_the_time_between_first_and_last_token() -> None:
    # 15 of the 60 ms from the first to the last token.
    guesses = Speculation(drafted=6, accepted=4, cycles=3, draft_ns=15 * MS)
    run = make_run(chunks=stamps((30, 1), (60, 4), (90, 1)), speculation=guesses)
    assert figures.draft_share(run).value == 0.25
    assert figures.acceptance(run).value == pytest.approx(4 / 6)
    assert figures.tokens_per_pass(run).value == 2


def test_a_clock_too_coarse_for_the_answer_gives_no_share_and_no_rate() -> None:
    guesses = Speculation(drafted=6, accepted=4, cycles=3, draft_ns=15 * MS)
    run = make_run(chunks=stamps((30, 1), (30, 4)), speculation=guesses)
    for figure in (figures.draft_share(run), figures.decode_rate(run)):
        assert figure.value is None
        assert figure.reason


def test_a_last_chunk_without_tokens_does_not_lengthen_tpot() -> None:
    run = make_run(chunks=(*stamps((30, 1), (40, 1)), *stamps((500, 0))))
    assert figures.tpot(run).value == 10 * MS


@pytest.mark.parametrize("points", [(), ((30, 1),), ((30, 6),), ((30, 3), (40, 0))])
def test_tpot_is_undefined_where_all_tokens_came_at_once(
    points: tuple[tuple[int, int], ...],
) -> None:
    run = make_run(chunks=stamps(*points))
    for figure in (figures.tpot(run), figures.decode_rate(run)):
        assert figure.value is None
        assert figure.reason


def test_decode_rate_is_one_over_tpot() -> None:
    assert figures.decode_rate(make_run()).value == pytest.approx(100.0)


def test_decode_rate_of_tokens_with_one_stamp_is_not_infinite() -> None:
    run = make_run(chunks=stamps((30, 1), (30, 1)))
    assert figures.decode_rate(run).value is None


def test_prefill_rate_counts_only_the_tokens_that_were_computed() -> None:
    reused = TokenUsage(prompt_tokens=100, prompt_tokens_computed=8, output_tokens=3)
    assert figures.prefill_rate(make_run(usage=reused)).value == pytest.approx(400.0)


def test_total_time_is_engine_free_minus_accepted() -> None:
    assert figures.total_time(make_run()).value == 50 * MS


def test_stop_time_is_device_free_minus_stop_asked() -> None:
    stopped = Timeline(
        queued_ns=0,
        started_ns=0,
        accepted_ns=10 * MS,
        ended_ns=44 * MS,
        stop_requested_ns=40 * MS,
        released_ns=45 * MS,
    )
    assert figures.stop_time(make_run(timeline=stopped, status="stopped")).value == 5 * MS
    assert figures.stop_time(make_run()).value is None


def test_cost_is_the_hourly_price_for_the_seconds_busy_and_exact() -> None:
    price = Price(dollars_per_hour=Decimal("0.72"), source="test", date=dt.date(2026, 11, 1))
    busy_half_a_second = Timeline(queued_ns=0, accepted_ns=0, ended_ns=500 * MS)
    figure = figures.cost(make_run(price=price, timeline=busy_half_a_second))
    assert figure.value == Decimal("0.0001")
    assert "($0.72 per hour, test, 2026-11-01)" in figure.formula


ELSEWHERE = Environment(hardware="server at http://there/v1", device=REMOTE_DEVICE)


def test_of_a_server_no_prefill_is_made_up_and_the_page_says_what_ttft_holds() -> None:
    run = make_run(environment=ELSEWHERE)
    assert figures.prefill_rate(run).value is None
    assert "not told" in figures.prefill_rate(run).reason
    assert "network" in figures.ttft(run).formula
    assert "network" not in figures.ttft(make_run()).formula


def test_tokens_per_chunk_is_told_of_servers_alone() -> None:
    usage = TokenUsage(prompt_tokens=8, prompt_tokens_computed=8, output_tokens=6)
    assert figures.tokens_per_chunk(make_run(environment=ELSEWHERE, usage=usage)).value == 2
    assert figures.tokens_per_chunk(make_run(usage=usage)).value is None
    uncounted = TokenUsage(prompt_tokens=8, prompt_tokens_computed=8, output_tokens=None)
    silent = figures.tokens_per_chunk(make_run(environment=ELSEWHERE, usage=uncounted))
    assert "does not count" in silent.reason


TOKEN_PRICE = TokenPrice(
    input_per_million=Decimal(2),
    output_per_million=Decimal(8),
    cached_per_million=Decimal("0.5"),
    source="test",
    date=dt.date(2026, 11, 1),
)


def test_cost_on_a_server_is_each_kind_of_token_at_its_own_price() -> None:
    usage = TokenUsage(prompt_tokens=100, prompt_tokens_computed=36, output_tokens=10)
    figure = figures.cost(make_run(price=TOKEN_PRICE, usage=usage))
    assert figure.value == Decimal(36 * 2 + 10 * 8 + 64 * Decimal("0.5")) / 1_000_000
    assert "$2 input, $0.5 cached input, $8 output per million tokens, test" in figure.formula
    assert figure.provenance == "derived"
    flat = TOKEN_PRICE.model_copy(update={"cached_per_million": None})
    assert figures.cost(make_run(price=flat, usage=usage)).value == Decimal(280) / 1_000_000


def test_a_cost_of_tokens_is_as_sure_as_their_count() -> None:
    counted = TokenUsage(
        prompt_tokens=10, prompt_tokens_computed=10, output_tokens=5, kind="estimated"
    )
    assert figures.cost(make_run(price=TOKEN_PRICE, usage=counted)).provenance == "estimated"
    silent = TokenUsage(prompt_tokens=None, prompt_tokens_computed=None, output_tokens=5)
    figure = figures.cost(make_run(price=TOKEN_PRICE, usage=silent))
    assert figure.value is None
    assert "does not count" in figure.reason


def test_without_a_price_there_is_no_cost_and_not_a_zero() -> None:
    figure = figures.cost(make_run())
    assert (figure.value, figure.reason) == (None, "no price set")


def test_the_rest_of_memory_is_the_peak_minus_what_is_known() -> None:
    assert formulae.rest_bytes(make_run()) == 300
    known = MemoryLedger(weights_bytes=10, kv_cache_bytes=2, activations_bytes=3, peak_bytes=20)
    assert formulae.rest_bytes(make_run(memory=known)) == 5
    assert formulae.rest_bytes(make_run(memory=MemoryLedger(peak_bytes=20))) is None


def test_token_counts_say_whether_they_are_estimated() -> None:
    guessed = TokenUsage(
        prompt_tokens=8, prompt_tokens_computed=8, output_tokens=3, kind="estimated"
    )
    assert figures.output_tokens(make_run(usage=guessed)).provenance == "estimated"
    assert figures.output_tokens(make_run()).provenance == "measured"


def test_what_was_not_measured_is_none_with_a_reason_in_every_figure() -> None:
    nothing = make_run(
        chunks=(),
        usage=None,
        memory=MemoryLedger(),
        timeline=Timeline(queued_ns=0),
        status="failed",
    )
    for figure in figures.all_figures(nothing).values():
        assert figure.value is None, figure.name
        assert figure.reason, figure.name


def test_every_figure_shows_its_formula() -> None:
    for name, figure in figures.all_figures(make_run()).items():
        assert figure.name == name
        assert figure.formula
        assert figure.title


def test_a_server_tells_no_tokens_of_its_chunks_so_what_needs_them_is_an_estimate() -> None:
    usage = TokenUsage(prompt_tokens=5, prompt_tokens_computed=5, output_tokens=3)
    served = make_run(usage=usage)
    assert all(chunk.token_ids is None for chunk in served.chunks)
    assert figures.tpot(served).provenance == figures.decode_rate(served).provenance == "estimated"
    assert figures.ttft(served).provenance == figures.output_tokens(served).provenance == "measured"
    ids = tuple(chunk.model_copy(update={"token_ids": (1,)}) for chunk in served.chunks)
    assert figures.tpot(make_run(usage=usage, chunks=ids)).provenance == "measured"


def test_a_server_that_counts_nothing_still_has_a_first_piece() -> None:
    usage = TokenUsage(prompt_tokens=None, prompt_tokens_computed=None, output_tokens=None)
    pieces = tuple(chunk.model_copy(update={"tokens": 0}) for chunk in make_run().chunks)
    silent = make_run(usage=usage, chunks=pieces)
    assert figures.ttft(silent).value == 20 * MS
    assert figures.tpot(silent).value is None
    assert figures.output_tokens(silent).value is None
