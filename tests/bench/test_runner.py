"""One run becomes one record, however it ends; with a fake clock its figures are exact."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from app.bench.figures import all_figures
from app.bench.lane import Lane
from app.bench.record import RunRecord
from app.bench.runner import RunOrder, contended, run
from backends.engine import CancelToken
from backends.errors import GenerationFailed, LoadFailed
from backends.request import Message, Request, Sampling
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import Opening
from tests.fakes.engine import MS
from tests.fakes.workshop import Workshop, columns_of, setup_of, wait_until

WARM_UP_TOKENS = 8


def order_of(model: str = "a", tokens: int = 4, **fields: object) -> RunOrder:
    message = Message(role="user", content="What is prefill?")
    sampling = Sampling(max_new_tokens=tokens, fixed_length=True)
    made = RunOrder(
        setup=setup_of(model),
        request=Request(messages=(message,), sampling=sampling),
        label="KV on",
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def lane_of(model: str = "a") -> Lane:
    return Lane(columns_of(model)[0], "KV on")


def make_run(
    workshop: Workshop,
    order: RunOrder | None = None,
    lane: Lane | None = None,
    cancel: CancelToken | None = None,
) -> RunRecord:
    return run(workshop.bench, order or order_of(), lane or lane_of(), cancel or CancelToken())


def value_of(record: RunRecord, figure: str) -> object:
    return all_figures(record)[figure].value


# Arithmetic


def test_ttft_and_tpot_are_exact_for_single_tokens(workshop: Workshop, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(ttft_ns=30 * MS, gap_ns=10 * MS, tail_ns=5 * MS)
    record = make_run(workshop, order_of(tokens=4))
    assert value_of(record, "ttft_ns") == 30 * MS
    assert value_of(record, "tpot_ns") == 10 * MS
    assert value_of(record, "decode_tokens_per_second") == 100.0
    assert value_of(record, "e2e_ns") == 30 * MS + 3 * 10 * MS + 5 * MS
    assert value_of(record, "output_tokens") == 4


def test_a_burst_of_tokens_counts_as_its_tokens_and_not_as_one_chunk(
    workshop: Workshop, fake: FakeBackend
) -> None:
    fake.scripts["a"] = Script(ttft_ns=30 * MS, gap_ns=12 * MS, tokens_per_chunk=(2, 3, 1))
    record = make_run(workshop, order_of(tokens=9))
    # Chunks of 2, 3, 1, 2, 1: 7 tokens after the first chunk in 4 gaps.
    assert [chunk.tokens for chunk in record.chunks] == [2, 3, 1, 2, 1]
    assert value_of(record, "tpot_ns") == 4 * 12 * MS / 7
    assert value_of(record, "ttft_ns") == 30 * MS


def test_one_chunk_has_no_time_per_token(workshop: Workshop, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(tokens_per_chunk=(8,))
    record = make_run(workshop, order_of(tokens=8))
    assert value_of(record, "tpot_ns") is None
    assert all_figures(record)["tpot_ns"].reason


def test_prefill_speed_is_the_prompt_over_the_ttft(workshop: Workshop, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(ttft_ns=30 * MS)
    record = make_run(workshop)
    assert record.usage is not None
    assert record.usage.prompt_tokens == 3
    assert value_of(record, "prefill_tokens_per_second") == 3 / 0.030


def test_the_cost_is_the_busy_time_at_the_price_of_the_device(
    workshop: Workshop, fake: FakeBackend
) -> None:
    fake.scripts["a"] = Script(ttft_ns=500 * MS, gap_ns=100 * MS, tail_ns=200 * MS)
    workshop.bench.prices.set_price("cpu", "3.60")
    record = make_run(workshop, order_of(tokens=4))
    assert value_of(record, "cost_dollars") == Decimal("0.001")  # one second of 3,600


def test_every_chunk_is_kept_with_its_stamp(workshop: Workshop) -> None:
    record = make_run(workshop, order_of(tokens=5))
    assert sum(chunk.tokens for chunk in record.chunks) == 5
    assert "".join(chunk.text for chunk in record.chunks) == record.answer
    stamps = [chunk.t_ns for chunk in record.chunks]
    assert stamps == sorted(set(stamps))


# Warming up


def test_a_new_engine_is_warmed_up_outside_the_run(workshop: Workshop, fake: FakeBackend) -> None:
    lane = lane_of()
    record = make_run(workshop, order_of(tokens=20), lane)
    warm_up, asked = fake.engines[0].requests
    assert warm_up.sampling.max_new_tokens == WARM_UP_TOKENS
    assert warm_up.messages == asked.messages
    assert record.warm
    assert record.warm_up_seconds is not None
    assert record.load_seconds == 0.25
    assert record.usage is not None
    assert record.usage.output_tokens == lane.tokens == 20
    assert value_of(record, "ttft_ns") == fake.engines[0].script.ttft_ns


def test_a_warm_engine_is_not_warmed_up_again(workshop: Workshop, fake: FakeBackend) -> None:
    make_run(workshop)
    record = make_run(workshop)
    assert len(fake.engines[0].requests) == 3
    assert record.warm
    assert record.warm_up_seconds is None
    assert record.load_seconds is None


def test_an_engine_whose_warm_up_was_stopped_is_warmed_up_by_the_next_run(
    workshop: Workshop, fake: FakeBackend
) -> None:
    gate = threading.Event()
    fake.scripts["a"] = Script(gate=gate, hold_at=2)
    cancel = CancelToken()
    threading.Timer(0.05, cancel.cancel).start()
    first = make_run(workshop, cancel=cancel)
    assert first.status == "stopped"
    assert not first.warm
    gate.set()
    second = make_run(workshop)
    assert second.warm
    assert second.warm_up_seconds is not None


# Ends


def test_a_finished_run(workshop: Workshop) -> None:
    record = make_run(workshop)
    assert (record.status, record.finish_reason, record.error) == ("finished", "length", None)
    assert record.memory.weights_bytes == 4_000
    assert record.environment.device == "cpu"
    assert record.environment.threads == 1
    timeline = record.timeline
    assert timeline.started_ns is not None
    assert timeline.released_ns is not None
    assert timeline.queued_ns <= timeline.started_ns <= timeline.released_ns


def test_a_run_stopped_in_mid_answer_keeps_what_it_said(
    workshop: Workshop, fake: FakeBackend
) -> None:
    make_run(workshop)  # so that the engine is warm
    fake.engines[0].script = Script(gate=threading.Event(), hold_at=3)
    cancel, lane = CancelToken(), lane_of()
    stopper = threading.Timer(0.05, cancel.cancel)
    stopper.start()
    record = make_run(workshop, order_of(tokens=20), lane, cancel)
    assert (record.status, record.finish_reason) == ("stopped", "cancelled")
    assert record.answer == lane.text
    assert len(record.chunks) == 3
    assert record.timeline.stop_requested_ns == cancel.requested_ns
    assert record.error is None


def test_tokens_that_came_after_the_stop_are_counted(workshop: Workshop, fake: FakeBackend) -> None:
    make_run(workshop)
    fake.engines[0].script = Script(gate=threading.Event(), hold_at=2, deaf_chunks=3)
    # A stop is stamped by the real clock, which the fake one runs ahead of: the warm run took it
    # a while of its own time. Set back, the tokens before the stop are stamped before it.
    fake.clock.advance(-(10**11))
    cancel, lane = CancelToken(), lane_of()

    def stop_after_two() -> None:
        wait_until(lambda: lane.tokens == 2)
        fake.clock.advance(10**12)  # whatever comes now is stamped after the stop
        cancel.cancel()

    stopper = threading.Thread(target=stop_after_two)
    stopper.start()
    record = make_run(workshop, order_of(tokens=20), lane, cancel)
    stopper.join()
    assert record.status == "stopped"
    assert record.usage is not None
    assert record.usage.output_tokens == 5
    assert record.usage.tokens_after_stop == 3


@pytest.mark.parametrize("fail_at", [0, 3])
def test_a_generation_that_fails(workshop: Workshop, fake: FakeBackend, fail_at: int) -> None:
    make_run(workshop)
    fake.engines[0].script = Script(fail_at=fail_at, error=GenerationFailed("NaN.", "Try fp32."))
    lane = lane_of()
    record = make_run(workshop, lane=lane)
    assert (record.status, record.finish_reason) == ("failed", "error")
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("GenerationFailed", "NaN.")
    assert record.error.remedy == "Try fp32."
    assert len(record.chunks) == fail_at
    assert record.usage is None
    assert record.memory.reason
    assert lane.error is not None


def test_an_engine_that_crashes_in_mid_answer(workshop: Workshop, fake: FakeBackend) -> None:
    make_run(workshop)
    fake.engines[0].script = Script(fail_at=2, crashes=True)
    record = make_run(workshop)
    assert record.status == "failed"
    assert record.error is not None
    assert record.error.type == "EngineCrashed"
    assert len(record.chunks) == 2
    assert make_run(workshop).status == "finished", "the next run gets a new engine"
    assert len(fake.engines) == 2


def test_a_model_that_cannot_be_loaded(workshop: Workshop, fake: FakeBackend) -> None:
    fake.openings["a"] = Opening(error=LoadFailed("Broken.", "Copy it again."))
    record = make_run(workshop)
    assert record.status == "failed"
    assert record.error is not None
    assert record.error.remedy == "Copy it again."
    assert record.timeline.accepted_ns is None
    assert not record.warm
    assert value_of(record, "e2e_ns") is None


def test_a_load_that_is_stopped(workshop: Workshop, fake: FakeBackend) -> None:
    fake.openings["a"] = Opening(gate=threading.Event())
    cancel = CancelToken()
    threading.Timer(0.05, cancel.cancel).start()
    record = make_run(workshop, cancel=cancel)
    assert (record.status, record.error, record.chunks) == ("stopped", None, ())
    assert workshop.bench.pool.engines() == []


def test_a_backend_that_nobody_knows(workshop: Workshop) -> None:
    record = make_run(workshop, order_of(setup=setup_of().model_copy(update={"backend": "gone"})))
    assert record.status == "failed"
    assert record.error is not None
    assert "gone" in record.error.message


def test_a_fault_of_ours_is_a_failed_run_too(workshop: Workshop, fake: FakeBackend) -> None:
    make_run(workshop)
    fake.engines[0].script = Script(tokens_per_chunk=(1,), fail_at=1)  # an assertion in the fake
    record = make_run(workshop)
    assert record.status == "failed"
    assert record.error is not None
    assert "AssertionError" in record.error.message


def test_the_device_is_free_after_every_end(workshop: Workshop, fake: FakeBackend) -> None:
    fake.openings["broken"] = Opening(error=LoadFailed("Broken."))
    for model in ("a", "broken", "a"):
        make_run(workshop, order_of(model))
    assert all(q.holder == "" and q.waiting == 0 for q in workshop.bench.scheduler.snapshot())
    assert not any(info.in_use for info in workshop.bench.pool.engines())


# Racing


def test_a_run_in_a_race_is_marked_and_takes_no_device(
    workshop: Workshop, fake: FakeBackend
) -> None:
    assert fake.device is not None
    with workshop.bench.scheduler.lease(fake.device, "the race", CancelToken()):
        record = make_run(workshop, contended(order_of()))
    assert record.contended
    assert not make_run(workshop).contended
