"""Jobs go on without a page; every run is in the store before its lane says that it is done."""

from __future__ import annotations

import threading
import time

import pytest

from app.bench.conversation import Conversation
from app.bench.conversations import with_turn
from app.bench.jobs import Job
from app.bench.lane import Lane
from app.bench.record import RunRecord
from app.bench.store import RunFilter
from backends.engine import CancelToken
from backends.errors import GenerationFailed, LoadFailed, NotRecorded
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import Opening
from tests.fakes.workshop import PROMPT, VISITOR, Workshop, columns_of, wait_until


def stored(workshop: Workshop, conversation: Conversation) -> dict[str | None, RunRecord]:
    """Runs of a conversation in the store, by column."""
    records = workshop.store.records(
        RunFilter(visitor=VISITOR, conversation_id=conversation.id, limit=None)
    )
    return {record.column_key: record for record in records}


def answer(workshop: Workshop, conversation: Conversation) -> Job:
    return workshop.finish(workshop.jobs.answer(conversation, len(conversation.turns) - 1))


def test_every_column_is_answered_and_stored(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a", "b"))
    job = answer(workshop, conversation)
    assert job.failure is None
    runs = stored(workshop, conversation)
    assert set(runs) == {"a", "b"}
    for lane in job.lanes:
        assert lane.state == "done"
        assert lane.record == runs[lane.column.key]
        assert lane.text == runs[lane.column.key].answer != ""
        assert (runs[lane.column.key].turn, runs[lane.column.key].purpose) == (0, "chat")
    assert [runs[key].column for key in ("a", "b")] == [0, 1]


def test_the_answers_are_in_the_conversation(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a", "b"))
    answer(workshop, conversation)
    turn = workshop.now(conversation.id).turns[0]
    assert {key: run.answer for key, run in turn.runs.items()} == {
        key: run.answer for key, run in stored(workshop, conversation).items()
    }


def test_a_second_turn_is_sent_with_the_columns_own_answer(
    workshop: Workshop, fake: FakeBackend
) -> None:
    conversation = workshop.conversation(columns_of("a", "b"))
    answer(workshop, conversation)
    first = workshop.now(conversation.id).turns[0]
    workshop.book.change(conversation.id, VISITOR, lambda one: with_turn(one, "And decode?"))
    answer(workshop, workshop.now(conversation.id))
    for engine in fake.engines:
        own = first.runs[engine.setup.model].answer
        texts = [message.content for message in engine.requests[-1].messages]
        assert texts == [PROMPT, own, "And decode?"]


def test_setups_run_one_after_the_other(workshop: Workshop, fake: FakeBackend) -> None:
    gate = threading.Event()
    fake.scripts["a"] = Script(gate=gate)
    job = workshop.jobs.answer(workshop.conversation(columns_of("a", "b")), 0)
    wait_until(lambda: bool(fake.engines) and bool(fake.engines[0].requests))
    assert [setup.model for setup in fake.opened] == ["a"]
    assert job.lanes[1].state == "waiting"
    gate.set()
    workshop.finish(job)
    assert [setup.model for setup in fake.opened] == ["a", "b"]


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (Script(fail_at=2, error=GenerationFailed("NaN.", "Try fp32.")), "failed", "NaN."),
        (Script(fail_at=2, crashes=True), "failed", "ended unexpectedly"),
        (Opening(error=LoadFailed("Broken.", "Copy it.")), "failed", "Broken."),
    ],
    ids=["fails", "crashes", "does not load"],
)
def test_the_other_columns_go_on_after_one_failed(
    workshop: Workshop, fake: FakeBackend, fault: Script | Opening, status: str, error: str
) -> None:
    if isinstance(fault, Script):
        fake.scripts["b"] = fault
    else:
        fake.openings["b"] = fault
    conversation = workshop.conversation(columns_of("a", "b", "c"))
    job = answer(workshop, conversation)
    runs = stored(workshop, conversation)
    assert [runs[key].status for key in ("a", "b", "c")] == ["finished", status, "finished"]
    assert runs["b"].error is not None
    assert error in runs["b"].error.message
    lane = job.lane("b")
    assert lane is not None
    assert lane.error is not None


def test_a_record_is_in_the_store_before_its_lane_is_done(
    workshop: Workshop, fake: FakeBackend
) -> None:
    """Watched from outside, as a page does."""
    fake.scripts["b"] = Script(fail_at=1, error=GenerationFailed("NaN."))
    conversation = workshop.conversation(columns_of("a", "b", "c"))
    job = workshop.jobs.answer(conversation, 0)
    seen: set[str] = set()
    while not (job.is_done and len(seen) == 3):
        for lane in job.lanes:
            if lane.state == "done" and lane.column.key not in seen:
                assert lane.record is not None
                assert workshop.store.run(lane.record.id, VISITOR) == lane.record
                seen.add(lane.column.key)
        time.sleep(0.0005)


def test_a_stop_ends_what_runs_and_what_waits_and_all_of_it_is_stored(
    workshop: Workshop, fake: FakeBackend
) -> None:
    fake.scripts["a"] = Script(gate=threading.Event(), hold_at=2)
    conversation = workshop.conversation(columns_of("a", "b"), tokens=20)
    job = workshop.jobs.answer(conversation, 0)
    wait_until(lambda: bool(fake.engines) and bool(fake.engines[0].requests))
    job.cancel()
    workshop.finish(job)
    runs = stored(workshop, conversation)
    assert {key: run.status for key, run in runs.items()} == {"a": "stopped", "b": "stopped"}
    assert [setup.model for setup in fake.opened] == ["a"], "b was not even loaded"


def test_a_stop_while_another_holds_the_device_is_stored_too(
    workshop: Workshop, fake: FakeBackend
) -> None:
    assert fake.device is not None
    conversation = workshop.conversation(columns_of("a", "b"))
    with workshop.bench.scheduler.lease(fake.device, "Ben", CancelToken()):
        job = workshop.jobs.answer(conversation, 0)
        wait_until(lambda: job.lanes[0].place is not None)
        assert job.lanes[0].place is not None
        assert (job.lanes[0].place.ahead, job.lanes[0].place.holder) == (1, "Ben")
        job.cancel()
        workshop.finish(job)
    runs = stored(workshop, conversation)
    assert {key: run.status for key, run in runs.items()} == {"a": "stopped", "b": "stopped"}
    assert fake.opened == []


# Races


def test_a_race_runs_all_at_once_and_marks_them(workshop: Workshop, fake: FakeBackend) -> None:
    gates = {key: threading.Event() for key in ("a", "b")}
    fake.scripts |= {key: Script(gate=gate) for key, gate in gates.items()}
    conversation = workshop.conversation(columns_of("a", "b"), race=True)
    job = workshop.jobs.answer(conversation, 0)
    wait_until(lambda: sum(bool(engine.requests) for engine in fake.engines) == 2)
    fake.release_all()
    workshop.finish(job)
    runs = stored(workshop, conversation)
    assert [runs[key].contended for key in ("a", "b")] == [True, True]
    assert [runs[key].status for key in ("a", "b")] == ["finished", "finished"]


def test_a_race_of_one_is_a_fair_run(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"), race=True)
    answer(workshop, conversation)
    assert not stored(workshop, conversation)["a"].contended


def test_a_race_goes_on_after_one_failed(workshop: Workshop, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(fail_at=1, crashes=True)
    conversation = workshop.conversation(columns_of("a", "b"), race=True)
    answer(workshop, conversation)
    runs = stored(workshop, conversation)
    assert (runs["a"].status, runs["b"].status) == ("failed", "finished")


def test_a_race_stopped_in_the_queue_is_stored_in_every_column(
    workshop: Workshop, fake: FakeBackend
) -> None:
    assert fake.device is not None
    conversation = workshop.conversation(columns_of("a", "b"), race=True)
    with workshop.bench.scheduler.lease(fake.device, "Ben", CancelToken()):
        job = workshop.jobs.answer(conversation, 0)
        wait_until(lambda: job.lanes[0].place is not None)
        job.cancel()
        workshop.finish(job)
    runs = stored(workshop, conversation)
    assert {key: run.status for key, run in runs.items()} == {"a": "stopped", "b": "stopped"}
    assert [lane.record for lane in job.lanes] == [runs["a"], runs["b"]]
    assert fake.opened == []


@pytest.mark.parametrize("race", [False, True])
def test_a_full_queue_is_told_in_every_column(
    workshop: Workshop, fake: FakeBackend, race: bool
) -> None:
    assert fake.device is not None
    workshop.bench.scheduler._max_queue = 0
    conversation = workshop.conversation(columns_of("a", "b"), race=race)
    with workshop.bench.scheduler.lease(fake.device, "Ben", CancelToken()):
        answer(workshop, conversation)
    for run in stored(workshop, conversation).values():
        assert run.status == "failed"
        assert run.error is not None
        assert "full" in run.error.message
    assert len(stored(workshop, conversation)) == 2


# Pages come and go


def test_a_page_finds_the_job_of_its_conversation_again(
    workshop: Workshop, fake: FakeBackend
) -> None:
    fake.scripts["a"] = Script(gate=threading.Event(), hold_at=2)
    conversation = workshop.conversation(columns_of("a"))
    job = workshop.jobs.answer(conversation, 0)
    assert workshop.jobs.of(conversation.id, VISITOR) is job
    assert workshop.jobs.of(conversation.id, "somebody else") is None
    assert workshop.jobs.of("another", VISITOR) is None
    assert workshop.jobs.running() == [job]
    fake.release_all()
    workshop.finish(job)
    assert workshop.jobs.of(conversation.id, VISITOR) is job
    assert workshop.jobs.running() == []


def test_ending_the_server_stops_every_job(workshop: Workshop, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(gate=threading.Event())
    jobs = [workshop.jobs.answer(workshop.conversation(columns_of("a")), 0) for _ in range(2)]
    workshop.jobs.cancel_all()
    for job in jobs:
        workshop.finish(job)


def test_work_that_breaks_is_a_failure_of_the_job_and_not_of_the_server(
    workshop: Workshop,
) -> None:
    conversation = workshop.conversation(columns_of("a"))
    job = Job(conversation.id, VISITOR, 0, [Lane(conversation.comparison.columns[0], "a")])

    def break_down() -> None:
        raise ZeroDivisionError("secret path /home/ada")

    job.prepare(break_down)
    workshop.jobs.post(job)
    job.begin()
    workshop.finish(job)
    assert job.failure is not None
    assert "ZeroDivisionError" in job.failure.message
    assert "secret" not in job.failure.message
    assert job.lanes[0].state == "done"


# What the store cannot take


def test_what_was_not_recorded_is_told_kept_and_tried_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = NotRecorded("Not recorded: the disk is full.", "Free some space.")

    def refuse(*_: object) -> None:
        raise full

    conversation = workshop.conversation(columns_of("a"))
    with monkeypatch.context() as patch:
        patch.setattr(workshop.store, "save_run", refuse)
        patch.setattr(workshop.store, "save_conversation", refuse)
        job = answer(workshop, conversation)
        assert job.lanes[0].not_recorded is full
        assert [run.id for run in workshop.book.unrecorded(VISITOR)] == [
            run.id for run in [job.lanes[0].record] if run is not None
        ]
        assert workshop.now(conversation.id).turns[0].runs["a"].answer
        with pytest.raises(NotRecorded):
            workshop.book.retry(VISITOR)
    assert stored(workshop, conversation) == {}
    workshop.book.retry(VISITOR)
    assert workshop.book.unrecorded(VISITOR) == []
    assert set(stored(workshop, conversation)) == {"a"}


# What a page reads while it runs


def test_a_lane_tells_how_fast_it_goes_once_that_is_known(
    workshop: Workshop, fake: FakeBackend
) -> None:
    fake.scripts["a"] = Script(gap_ns=10_000_000)
    job = answer(workshop, workshop.conversation(columns_of("a"), tokens=5))
    lane = job.lanes[0]
    assert lane.tokens == 5
    assert lane.tokens_per_second == 100.0
    assert Lane(lane.column, "a").tokens_per_second is None


def test_the_browser_that_has_drawn_a_page_begins_its_job_by_id(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"))
    job = workshop.jobs.answer(conversation, 0, begin=False)
    workshop.jobs.begin("of another page")
    assert not job.wait_begun(0)
    workshop.jobs.begin(job.id)
    assert job.wait_begun(0)
    workshop.finish(job)
