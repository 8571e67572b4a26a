"""Experiments in the server: started, watched, paused, gone on with and cancelled from pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.experiments import running, sitting
from app.bench.experiments.board import ExperimentBoard
from app.bench.experiments.disturbance import OtherLoad, Reading
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlanInvalid, PlannedSetup
from app.bench.experiments.running import CannotResume, Laboratory, records_of
from app.bench.experiments.shelf import WorkloadGone, WorkloadShelf, asked_by
from app.bench.experiments.workloads import Workload, pasted
from app.bench.record import RunRecord
from backends.errors import InvalidRequest, NotRecorded
from backends.request import Message
from backends.settings import Settings
from tests.fakes import FakeBackend, Script
from tests.fakes.workshop import Workshop, setup_of, wait_until

ADA, BOB = "ada", "bob"
OWN = Workload(
    "pasted", ((Message(role="user", content="One?"),), (Message(role="user", content="Two?"),))
)


def plan_of(*models: str, **fields: object) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    small = {"name": "test", "workload": "pasted", "setups": setups, "repeats": 3}
    return Plan.model_validate(small | {"output_tokens": 4} | fields)


def board_of(workshop: Workshop, folder: Path, **settings: object) -> ExperimentBoard:
    unwatched = OtherLoad(lambda: Reading(0, 0, 0))
    laboratory = Laboratory(workshop.bench, workshop.store, load=unwatched)
    return ExperimentBoard(laboratory, Settings(data_dir=folder / "data", **settings))  # type: ignore[arg-type]


@pytest.fixture
def board(workshop: Workshop, tmp_path: Path) -> Iterator[ExperimentBoard]:
    made = board_of(workshop, tmp_path)
    yield made
    made.close()


@pytest.fixture
def gate(fake: FakeBackend) -> threading.Event:
    """Runs of the model "slow" wait here."""
    opened = threading.Event()
    fake.scripts["slow"] = Script(gate=opened)
    return opened


def kept(workshop: Workshop, id_: str) -> Experiment:
    found = workshop.store.experiment(id_, None)
    assert found is not None
    return found


def ended(board: ExperimentBoard, workshop: Workshop, id_: str) -> Experiment:
    wait_until(lambda: board.status(id_) is None)
    return kept(workshop, id_)


def finished_runs(workshop: Workshop, experiment: Experiment) -> list[RunRecord]:
    records = records_of(workshop.store, experiment)
    compared = [run for run in records if run.experiment and run.experiment.round]
    return [run for run in compared if run.status == "finished"]


def wait_for_a_run(fake: FakeBackend) -> None:
    wait_until(lambda: any(engine.requests for engine in fake.engines))


def test_an_experiment_runs_to_its_end_while_pages_look(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    begun = board.start(plan_of("slow"), OWN, ADA)
    wait_for_a_run(fake)
    status = board.status(begun.id)
    assert status is not None
    assert (status.planned, status.made) == (6, 0)
    assert board.running(ADA) == board.running(None) == (begun.id,)
    assert board.running(BOB) == ()
    gate.set()
    assert ended(board, workshop, begun.id).state == "finished"
    assert len(finished_runs(workshop, begun)) == 6
    assert board.running(None) == ()


def test_what_ended_holds_its_prompts_no_longer(board: ExperimentBoard, workshop: Workshop) -> None:
    for _ in range(3):
        last = board.start(plan_of("a"), OWN, ADA)
        ended(board, workshop, last.id)
    assert list(board._sittings) == [last.id]


def test_a_paused_one_says_so_frees_the_device_and_goes_on_where_it_was(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    begun = board.start(plan_of("a", "slow"), OWN, ADA)
    wait_until(lambda: any(one.setup.model == "slow" and one.requests for one in fake.engines))
    board.pause(begun.id, ADA)
    paused = ended(board, workshop, begun.id)
    assert (paused.state, paused.reason) == ("paused", "")
    assert all(queue.holder == "" for queue in workshop.bench.scheduler.snapshot())
    before = {run.id for run in finished_runs(workshop, begun)}
    gate.set()
    assert board.resume(begun.id, ADA).state == "begun"
    assert ended(board, workshop, begun.id).state == "finished"
    after = finished_runs(workshop, begun)
    assert before <= {run.id for run in after}
    assert len(after) == 12


def test_resuming_at_once_waits_until_the_pause_is_through(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    begun = board.start(plan_of("slow"), OWN, ADA)
    wait_for_a_run(fake)
    board.pause(begun.id, ADA)
    gate.set()
    board.resume(begun.id, ADA)
    board.resume(begun.id, ADA)  # a second click
    wait_until(lambda: kept(workshop, begun.id).state != "paused")
    assert ended(board, workshop, begun.id).state == "finished"
    assert len(finished_runs(workshop, begun)) == 6


def test_after_a_restart_of_the_app_it_goes_on_with_prompts_that_were_pasted(
    board: ExperimentBoard,
    workshop: Workshop,
    fake: FakeBackend,
    gate: threading.Event,
    tmp_path: Path,
) -> None:
    begun = board.start(plan_of("slow"), OWN, ADA)
    wait_for_a_run(fake)
    board.close()
    assert kept(workshop, begun.id).state == "paused"
    gate.set()
    later = board_of(workshop, tmp_path)
    assert later.status(begun.id) is None
    later.resume(begun.id, ADA)
    assert ended(later, workshop, begun.id).state == "finished"
    assert len(finished_runs(workshop, begun)) == 6


def test_what_a_crash_left_as_begun_goes_on(
    board: ExperimentBoard, workshop: Workshop, tmp_path: Path
) -> None:
    begun = board.start(plan_of("a"), OWN, ADA)
    ended(board, workshop, begun.id)
    workshop.store.save_experiment(begun)  # as a crash would have left it
    board.resume(begun.id, ADA)
    assert ended(board, workshop, begun.id).state == "finished"


def test_without_its_prompts_it_cannot_go_on_and_says_so(
    workshop: Workshop, tmp_path: Path, fake: FakeBackend
) -> None:
    begun = running.begin(workshop.store, plan_of("bundled"), OWN, ADA)
    public = board_of(workshop, tmp_path, public=True)
    with pytest.raises(WorkloadGone, match="no longer here"):
        public.resume(begun.id, ADA)


def test_an_owners_prompts_are_read_from_their_file_unless_it_has_changed(
    board: ExperimentBoard, workshop: Workshop, tmp_path: Path
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("One?\nTwo?\n", encoding="utf-8")
    begun = running.begin(workshop.store, plan_of("a", workload=str(file)), OWN, ADA)
    settings = Settings(data_dir=tmp_path / "data")
    assert asked_by(begun, settings).conversations == OWN.conversations
    file.write_text("Other?\n", encoding="utf-8")
    with pytest.raises(WorkloadGone):
        board.resume(begun.id, ADA)


def test_the_second_waits_for_the_first_and_says_so(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    first = board.start(plan_of("slow", name="the first"), OWN, ADA)
    wait_for_a_run(fake)
    second = board.start(plan_of("a"), OWN, BOB)
    third = board.start(plan_of("a"), OWN, BOB)
    wait_until(lambda: "waiting" in getattr(board.status(second.id), "doing", ""))
    assert board.status(second.id).doing == "waiting for another experiment: the first"  # type: ignore[union-attr]
    assert board.running(None) == (first.id, second.id, third.id)
    board.cancel(third.id, BOB)
    assert ended(board, workshop, third.id).state == "stopped"
    assert records_of(workshop.store, third) == []
    gate.set()
    assert ended(board, workshop, first.id).state == "finished"
    assert ended(board, workshop, second.id).state == "finished"


def test_one_that_waits_can_be_paused_too(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    board.start(plan_of("slow"), OWN, ADA)
    wait_for_a_run(fake)
    second = board.start(plan_of("a"), OWN, ADA)
    board.pause(second.id, ADA)
    assert ended(board, workshop, second.id).state == "paused"


def test_a_cancelled_one_keeps_what_is_done(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    begun = board.start(plan_of("a", "slow"), OWN, ADA)
    wait_until(lambda: any(one.setup.model == "slow" and one.requests for one in fake.engines))
    board.cancel(begun.id, None)
    stopped = ended(board, workshop, begun.id)
    assert (stopped.state, stopped.reason) == ("stopped", sitting.STOPPED)
    assert records_of(workshop.store, begun)


def test_a_paused_one_can_be_given_up(board: ExperimentBoard, workshop: Workshop) -> None:
    begun = running.begin(workshop.store, plan_of("a"), OWN, ADA)
    board.cancel(begun.id, ADA)
    assert kept(workshop, begun.id).state == "stopped"


def test_a_visitor_touches_own_experiments_only(
    board: ExperimentBoard, workshop: Workshop, fake: FakeBackend, gate: threading.Event
) -> None:
    begun = board.start(plan_of("slow"), OWN, ADA)
    wait_for_a_run(fake)
    for touch in (board.pause, board.cancel, board.resume):
        with pytest.raises(CannotResume, match="no experiment"):
            touch(begun.id, BOB)
    gate.set()
    assert ended(board, workshop, begun.id).state == "finished"
    assert board.last(begun.id, BOB) is None
    assert board.last(begun.id, ADA) == kept(workshop, begun.id)


def test_a_full_disk_ends_it_with_the_reason(
    board: ExperimentBoard, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.0, 0.0))

    def full(record: RunRecord) -> None:
        raise NotRecorded("Not recorded: the disk is full.", "Free some space.")

    monkeypatch.setattr(workshop.store, "save_run", full)
    begun = board.start(plan_of("a"), OWN, ADA)
    stopped = ended(board, workshop, begun.id)
    assert stopped.state == "stopped"
    assert stopped.reason == "Not recorded: the disk is full. Free some space."


def test_an_end_that_the_store_does_not_take_is_told_all_the_same(
    board: ExperimentBoard,
    workshop: Workshop,
    fake: FakeBackend,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.0, 0.0))
    begun = board.start(plan_of("slow"), OWN, ADA)
    wait_for_a_run(fake)

    def full(what: object) -> None:
        raise NotRecorded("Not recorded: the disk is full.", "Free some space.")

    monkeypatch.setattr(workshop.store, "save_run", full)
    monkeypatch.setattr(workshop.store, "save_experiment", full)
    gate.set()
    assert ended(board, workshop, begun.id).state == "begun"
    last = board.last(begun.id, ADA)
    assert last is not None
    assert (last.state, last.reason[:12]) == ("stopped", "Not recorded")


def test_an_error_of_our_own_ends_it_with_a_reason(
    board: ExperimentBoard, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(workshop.store, "save_run", breaks)
    begun = board.start(plan_of("a"), OWN, ADA)
    stopped = ended(board, workshop, begun.id)
    assert stopped.state == "stopped"
    assert "RuntimeError" in stopped.reason


def test_what_was_asked_is_kept_whole(tmp_path: Path) -> None:
    shelf = WorkloadShelf(Settings(data_dir=tmp_path))
    talk = (
        Message(role="system", content="Be\nbrief."),
        Message(role="user", content="  “Ünï” \u2028 "),
    )
    asked = Workload("mine", (talk, *OWN.conversations), (("a|b", "c"), None, None))
    shelf.keep(asked)
    assert shelf.find(asked.digest, "mine") == asked
    assert shelf.find("../../etc/passwd", "mine") is None
    (tmp_path / "workloads" / f"{asked.digest}.jsonl").write_text('{"prompt": "other"}')
    assert shelf.find(asked.digest, "mine") is None


# On a public server


@pytest.fixture
def public(workshop: Workshop, tmp_path: Path, fake: FakeBackend) -> Iterator[ExperimentBoard]:
    made = board_of(
        workshop,
        tmp_path,
        public=True,
        max_queue=1,
        public_experiment_runs=12,
        public_experiment_minutes=2,
    )
    yield made
    fake.release_all()
    made.close()


def test_a_visitors_experiment_is_bounded(public: ExperimentBoard, workshop: Workshop) -> None:
    begun = public.start(plan_of("bundled"), OWN, ADA)
    assert begun.plan.time_budget_seconds == 120
    assert ended(public, workshop, begun.id).state == "finished"
    with pytest.raises(PlanInvalid, match="14 runs"):
        public.start(plan_of("bundled", repeats=7), OWN, ADA)
    with pytest.raises(PlanInvalid, match="at most 2"):
        public.start(plan_of("bundled", time_budget_seconds=121), OWN, ADA)
    with pytest.raises(PlanInvalid, match="catalog"):
        public.start(plan_of("/etc/secret"), OWN, ADA)
    with pytest.raises(PlanInvalid, match="opens no files"):
        public.start(plan_of("bundled", quality=True, quality_text="/etc/secret"), OWN, ADA)
    long = pasted("\n".join(["x" * 199_000] * 12))
    with pytest.raises(PlanInvalid, match="2,388,000 characters"):
        public.start(plan_of("bundled", repeats=1), long, ADA)


def test_visitors_have_one_each_and_few_wait(
    public: ExperimentBoard, workshop: Workshop, fake: FakeBackend
) -> None:
    opened = threading.Event()
    fake.scripts["bundled"] = Script(gate=opened)
    first = public.start(plan_of("bundled", name="private matters"), OWN, ADA)
    wait_for_a_run(fake)
    with pytest.raises(InvalidRequest, match="not ended"):
        public.start(plan_of("bundled"), OWN, ADA)
    second = public.start(plan_of("bundled"), OWN, BOB)
    wait_until(lambda: "waiting" in getattr(public.status(second.id), "doing", ""))
    assert "private" not in public.status(second.id).doing  # type: ignore[union-attr]
    with pytest.raises(InvalidRequest, match="waiting already"):
        public.start(plan_of("bundled"), OWN, "eve")
    opened.set()
    assert ended(public, workshop, first.id).state == "finished"
    assert ended(public, workshop, second.id).state == "finished"


def test_a_visitors_plan_opens_no_file(
    public: ExperimentBoard, workshop: Workshop, tmp_path: Path
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("One?\nTwo?\n", encoding="utf-8")
    plan = plan_of("bundled", workload=str(file))
    begun = running.begin(workshop.store, plan, OWN, ADA)
    with pytest.raises(WorkloadGone, match="no longer here"):
        public.resume(begun.id, ADA)
