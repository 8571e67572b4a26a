"""A run on a server is recorded as what it was: not this machine's, and not at its price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from app.bench.compare import why_not_comparable
from app.bench.figures import (
    cost,
    first_answer,
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
from backends.request import Message, Request
from backends.settings import Settings
from backends.setup import Setup
from tests.fakes.workshop import Column, Workshop
from tests.fakes.workshop import setup_of as fake_setup_of
from tests.remote.conftest import setup_of
from tests.remote.fault_server import ANSWER, DONE, END, Act, FaultServer, event, usage


def run_on(setup: Setup, workshop: Workshop) -> RunRecord:
    settings = Settings(data_dir=Path("unused"), hourly_price=Decimal("2"))
    bench = replace(workshop.bench, prices=PriceBook.load(settings))
    request = Request(messages=(Message(role="user", content="What is prefill?"),))
    lane = Lane(Column(key="there", setup=setup), "there")
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


def test_the_price_of_this_machine_is_not_that_of_a_server(
    server: FaultServer, workshop: Workshop
) -> None:
    assert cost(run_on(setup_of(server.address), workshop)).value is None
    assert cost(run_on(fake_setup_of(), workshop)).value is not None


def test_beside_a_local_run_it_ran_on_other_hardware_and_no_choice_was_broken(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(pieces=(event("A"), END, usage(7, 24), DONE)))
    runs = [run_on(setup_of(server.address), workshop), run_on(fake_setup_of(), workshop)]
    reasons = " ".join(why_not_comparable(runs))
    assert "different hardware" in reasons
    assert "same choice" not in reasons


THOUGHTS = (
    event(delta={"reasoning_content": "Hm."}),
    event(delta={"reasoning_content": " Well."}),
    event("Yes."),
    END,
)


def test_thoughts_are_timed_and_counted_apart_and_are_no_part_of_the_answer(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(pieces=(*THOUGHTS, usage(7, 9, reasoning=6), DONE), pause_s=0.02))
    record = run_on(setup_of(server.address), workshop)
    assert record.answer == "Yes."
    assert record.reasoning == "Hm. Well."
    first_ns, answer_ns = ttft(record).value, first_answer(record).value
    assert first_ns is not None
    assert answer_ns is not None
    assert answer_ns - first_ns > 0.04e9, "two pauses lie between the first thought and the answer"
    assert (reasoning_tokens(record).value, reasoning_tokens(record).provenance) == (6, "measured")
    assert output_tokens(record).value == 9


def test_thoughts_that_a_server_does_not_count_apart_are_estimated_from_their_length(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(pieces=(*THOUGHTS, usage(7, 12), DONE)))
    counted = reasoning_tokens(run_on(setup_of(server.address), workshop))
    assert counted.provenance == "estimated"
    assert counted.value in (8, 9), "nine of thirteen characters"


def test_who_does_not_think_has_no_tokens_of_thoughts(
    server: FaultServer, workshop: Workshop
) -> None:
    record = run_on(setup_of(server.address), workshop)
    assert reasoning_tokens(record).value is None
    assert reasoning_tokens(record).reason == "it did not reason"
    assert first_answer(record).value == ttft(record).value


def test_a_stream_that_breaks_is_recorded_with_its_text(
    server: FaultServer, workshop: Workshop
) -> None:
    server.plays(Act(), Act(pieces=(event("Paris"),)))  # the warm-up goes well
    record = run_on(setup_of(server.address), workshop)
    assert record.status == "failed"
    assert record.answer == "Paris"
    assert record.error is not None
    assert record.error.type == "StreamBroken"
