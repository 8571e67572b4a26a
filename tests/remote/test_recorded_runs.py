"""A run on a server is recorded as what it was: not this machine's, and not at its price."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.bench.compare import why_not_comparable
from app.bench.figures import (
    answer_ttft,
    cost,
    output_tokens,
    peak_memory,
    reasoning_tokens,
    tpot,
    ttft,
)
from app.bench.lane import Lane
from app.bench.prices import PriceBook
from app.bench.record import RunRecord
from app.bench.runner import RunOrder, run
from backends.engine import CancelToken
from backends.registry import get_backend
from backends.request import Chunk, Message, Request
from backends.settings import Settings
from backends.setup import Setup
from tests.fakes.clock import FakeClock
from tests.fakes.workshop import Column, Workshop
from tests.fakes.workshop import setup_of as fake_setup_of
from tests.remote.conftest import setup_of
from tests.remote.fault_server import ANSWER, DONE, END, Act, FaultServer, event, usage


def run_on(
    setup: Setup, workshop: Workshop, prices: PriceBook | None = None, lane: Lane | None = None
) -> RunRecord:
    settings = Settings(data_dir=Path("unused"), hourly_price=Decimal("2"))
    bench = replace(workshop.bench, prices=prices or PriceBook.load(settings))
    request = Request(messages=(Message(role="user", content="What is prefill?"),))
    lane = lane or Lane(Column(key="there", setup=setup), "there")
    return run(bench, RunOrder(setup, request), lane, CancelToken())


def test_what_the_server_told_is_measured_and_the_rest_is_not_made_up(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(pieces=ANSWER, pause_s=0.01))
    record = run_on(setup_of(server.address), workshop)
    assert record.status == "finished"
    assert record.answer == "Paris is it."
    assert output_tokens(record).value == sum(chunk.tokens for chunk in record.chunks) == 4
    assert ttft(record).provenance == "measured"
    assert tpot(record).provenance == "estimated"
    assert peak_memory(record).value is None
    assert record.environment.hardware == f"server at {server.address}"
    assert "torch" not in record.environment.versions


def test_a_server_that_counts_its_chunks_has_measured_times_per_token(
    server: FaultServer, workshop: Workshop
) -> None:
    pieces = [
        event(text, usage={"prompt_tokens": 7, "completion_tokens": tokens})
        for text, tokens in (("Pa", 2), ("ris", 3), (" is it", 6))
    ]
    server.plays(Act(pieces=(*pieces, END, usage(7, 7), DONE), pause_s=0.01))
    record = run_on(setup_of(server.address, server="vllm"), workshop)
    assert [chunk.tokens for chunk in record.chunks] == [2, 1, 3]
    assert tpot(record).provenance == "measured"


def test_times_are_exactly_those_that_the_server_took(
    server: FaultServer, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that only the server moves: 250 ms before the first piece, 20 before others."""
    clock = FakeClock()
    monkeypatch.setattr(time, "monotonic_ns", clock.now_ns)

    class Taking(Lane):
        """Says of each piece that it was read."""

        def take(self, chunk: Chunk) -> None:
            super().take(chunk)
            server.taken()

    counted = {"prompt_tokens": 7, "completion_tokens": 8}
    last = event(" Yes", finish_reason="stop", usage=counted)
    pieces = (event("Paris"), event(" is"), event(" it."), last)
    timed = Act(pieces, first_pause_s=0.25, pause_s=0.02, clock=clock)
    server.plays(Act(), timed)
    lane = Taking(Column(key="there", setup=setup_of(server.address)), "there")
    record = run_on(setup_of(server.address), workshop, lane=lane)
    assert ttft(record).value == 250_000_000
    shares = [chunk.tokens for chunk in record.chunks]
    assert tpot(record).value == 3 * 20_000_000 / sum(shares[1:])


def thought(text: str) -> bytes:
    return event(delta={"reasoning_content": text})


def test_reasoning_is_timed_and_counted_apart_and_no_part_of_the_answer(
    server: FaultServer, workshop: Workshop
) -> None:
    pieces = (thought("A capital."), thought(" In France."), event("Paris"), END)
    told = usage(7, 12, reasoning=9)
    server.plays(Act(pieces=(*pieces, told, DONE), pause_s=0.02))
    record = run_on(setup_of(server.address), workshop)
    assert record.answer == "Paris"
    assert record.reasoning == "A capital. In France."
    first, answer = ttft(record).value, answer_ttft(record).value
    assert first is not None
    assert answer is not None
    assert answer - first > 30_000_000, "two pauses lie between"
    assert reasoning_tokens(record).value == 9
    assert reasoning_tokens(record).provenance == "measured"
    assert output_tokens(record).value == 12


def test_reasoning_that_nobody_counted_is_an_estimate(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(pieces=(thought("12345678"), event("1234"), END, usage(7, 12), DONE)))
    counted = reasoning_tokens(run_on(setup_of(server.address), workshop))
    assert counted.value == 8
    assert counted.provenance == "estimated"


def test_an_answer_without_reasoning_has_no_time_of_its_own(
    server: FaultServer, workshop: Workshop
) -> None:
    record = run_on(setup_of(server.address), workshop)
    assert answer_ttft(record).value is None
    assert "did not reason" in answer_ttft(record).reason
    assert reasoning_tokens(record).value is None


def test_the_price_of_this_machine_is_not_that_of_a_server(
    server: FaultServer, workshop: Workshop
) -> None:
    assert cost(run_on(setup_of(server.address), workshop)).value is None
    assert cost(run_on(fake_setup_of(), workshop)).value is not None


def test_a_price_that_was_typed_for_a_server_goes_before_what_it_quotes(
    server: FaultServer, workshop: Workshop, tmp_path: Path
) -> None:
    book = PriceBook.load(Settings(data_dir=tmp_path))
    book.set_token_price(server.address, "1", "2")
    record = run_on(setup_of(server.address), workshop, book)
    assert cost(record).value == Decimal(7 * 1 + 4 * 2) / 1_000_000
    assert "set by you" in cost(record).formula
    elsewhere = run_on(setup_of(server.address, served_model="other"), workshop, book)
    assert cost(elsewhere).value is None, "another model has another price"


def test_who_answered_is_recorded(server: FaultServer, workshop: Workshop) -> None:
    server.plays(Act(headers={"x-request-id": "abc", "x-inference-provider": "novita"}))
    record = run_on(setup_of(server.address), workshop)
    assert record.served == {"provider": "novita", "request id": "abc"}


def test_a_hosted_answer_costs_what_the_one_who_gave_it_quotes(
    router: FaultServer, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    monkeypatch.setattr(get_backend("serverless"), "_router", router.address)
    setup = Setup(model="llama-3.2-3b", backend="serverless")
    router.plays(Act(headers={"x-inference-provider": "novita"}))
    figure = cost(run_on(setup, workshop))
    assert figure.value == (7 * Decimal("0.03") + 4 * Decimal("0.05")) / 1_000_000
    assert "novita, Hugging Face router's model list" in figure.formula
    router.plays(Act(headers={"x-inference-provider": "together"}))
    assert cost(run_on(setup, workshop)).value is None, "it is in the list without a price"


def test_beside_a_local_run_it_ran_on_other_hardware_and_no_choice_was_broken(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(pieces=(event("A"), END, usage(7, 24), DONE)))
    runs = [run_on(setup_of(server.address), workshop), run_on(fake_setup_of(), workshop)]
    reasons = " ".join(why_not_comparable(runs))
    assert "different hardware" in reasons
    assert "same choice" not in reasons


def test_a_stream_that_breaks_is_recorded_with_its_text(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(), Act(pieces=(event("Paris"),)))  # the warm-up goes well
    record = run_on(setup_of(server.address), workshop)
    assert record.status == "failed"
    assert record.answer == "Paris"
    assert record.error is not None
    assert record.error.type == "StreamBroken"


def test_the_time_of_a_broken_answer_begins_when_its_request_left(
    server: FaultServer, workshop: Workshop
) -> None:
    again = Act(status=503, headers={"retry-after": "0.3"})
    server.plays(Act(), again, Act(pieces=(event("Paris"),)))
    first = ttft(run_on(setup_of(server.address), workshop)).value
    assert first is not None
    assert first < 0.2e9, "the refused try is no part of it"
