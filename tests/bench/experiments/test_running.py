"""An experiment makes each planned run once, keeps what is done, and says why it ended early."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from app.bench.experiments import running, sitting
from app.bench.experiments.disturbance import OtherLoad, Reading, disturbance
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlanInvalid, PlannedSetup
from app.bench.experiments.progress import Status
from app.bench.experiments.running import (
    CannotResume,
    Laboratory,
    begin,
    conduct,
    records_of,
    resume,
)
from app.bench.experiments.statistics import conclude
from app.bench.experiments.workloads import Workload
from app.bench.prices import PriceBook
from app.bench.record import RunRecord
from app.bench.store import RunFilter, Store
from backends.engine import CancelToken
from backends.errors import Cancelled, GenerationFailed, LoadFailed, NotRecorded
from backends.request import Message
from backends.settings import Settings
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import Opening
from tests.fakes.engine import MS
from tests.fakes.workshop import Workshop, setup_of

ASKED = Workload(
    "two", ((Message(role="user", content="One?"),), (Message(role="user", content="Two?"),))
)


class ScriptedLoad(OtherLoad):
    """Says what disturbed each run, in turn; then nothing."""

    def __init__(self, *said: str) -> None:
        super().__init__(lambda: Reading(0, 0, 0))
        self._said = list(said)

    def end(self) -> str:
        super().end()
        return self._said.pop(0) if self._said else ""


def plan_of(*models: str, **fields: object) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    small = {"name": "test", "setups": setups, "repeats": 3, "output_tokens": 4, "warm_ups": 1}
    return Plan.model_validate(small | fields)


@pytest.fixture
def laboratory(workshop: Workshop, fake: FakeBackend) -> Laboratory:
    return Laboratory(workshop.bench, workshop.store, fake.clock.now_ns, ScriptedLoad())


def conducted(
    laboratory: Laboratory,
    plan: Plan,
    workload: Workload = ASKED,
    cancel: CancelToken | None = None,
    tell: Callable[[Status], None] = lambda status: None,
) -> Experiment:
    experiment = begin(laboratory.store, plan, workload)
    return conduct(laboratory, experiment, workload, cancel or CancelToken(), tell)


def cells_of(records: list[RunRecord]) -> list[tuple[int, int, int, int]]:
    """(round, conversation, turn, setup), oldest first, without warm-ups."""
    places = [run.experiment for run in reversed(records) if run.experiment]
    return [(p.round, p.conversation, p.turn, p.setup) for p in places if p.round]


def test_every_planned_run_is_made_once_and_kept(laboratory: Laboratory) -> None:
    ended = conducted(laboratory, plan_of("a", "b"))
    assert (ended.state, ended.reason, ended.left_out) == ("finished", "", {})
    records = records_of(laboratory.store, ended)
    cells = cells_of(records)
    assert len(cells) == len(set(cells)) == 2 * 2 * 3
    assert {run.purpose for run in records} == {"benchmark"}
    assert {run.setup_label for run in records} == {"a", "b"}
    assert laboratory.store.experiment(ended.id, "local") == ended


def test_runs_are_interleaved_and_each_setup_is_warmed_up_first(
    laboratory: Laboratory, fake: FakeBackend
) -> None:
    ended = conducted(laboratory, plan_of("a", "b", warm_ups=2))
    records = records_of(laboratory.store, ended)
    places = [run.experiment for run in reversed(records) if run.experiment]
    assert [p.round for p in places if p.setup == 0][:3] == [0, 0, 1]
    order = [setup for _, _, _, setup in cells_of(records)]
    assert order[:4] in ([0, 1, 1, 0], [1, 0, 0, 1])
    assert {setup.model for setup in fake.opened} == {"a", "b"}
    assert len(fake.opened) == 2


def test_both_setups_of_a_pair_get_the_same_prompt_and_no_two_pairs_the_same_beginning(
    laboratory: Laboratory,
) -> None:
    ended = conducted(laboratory, plan_of("a", "b"))
    asked: dict[tuple[int, int, int], set[tuple[Message, ...]]] = {}
    for run in records_of(laboratory.store, ended):
        assert run.experiment is not None
        if run.experiment.round:
            asked.setdefault(run.experiment.pair, set()).add(run.request.messages)
    assert all(len(prompts) == 1 for prompts in asked.values())
    starts = [next(iter(prompts))[0] for prompts in asked.values()]
    assert {one.role for one in starts} == {"system"}
    assert len({one.content for one in starts}) == len(starts)


def test_without_salt_the_prompt_is_as_it_was_written(laboratory: Laboratory) -> None:
    ended = conducted(laboratory, plan_of("a", salt=False))
    asked = {run.request.messages for run in records_of(laboratory.store, ended)}
    assert asked == set(ASKED.conversations)


def test_every_turn_of_a_conversation_is_asked(laboratory: Laboratory) -> None:
    answer = Message(role="assistant", content="Yes.")
    talk = (Message(role="user", content="A?"), answer, Message(role="user", content="B?"))
    ended = conducted(laboratory, plan_of("a", repeats=1), Workload("talk", (talk,)))
    assert cells_of(records_of(laboratory.store, ended)) == [(1, 0, 0, 0), (1, 0, 1, 0)]


def test_the_conclusion_is_that_of_the_scripts(laboratory: Laboratory, fake: FakeBackend) -> None:
    fake.scripts = {"a": Script(gap_ns=10 * MS), "b": Script(gap_ns=5 * MS)}
    plan = plan_of("a", "b")
    ended = conducted(laboratory, plan)
    ids = [one.setup.id for one in plan.setups]
    conclusion = conclude(plan.labels, ids, laboratory.store.samples(ended.id))
    tpot = next(one for one in conclusion.setups[1].ratios if one.metric == "tpot_ns")
    assert (tpot.ratio, tpot.n, tpot.verdict) == (pytest.approx(0.5), 6, "better")
    ttft = next(one for one in conclusion.setups[1].ratios if one.metric == "ttft_ns")
    assert ttft.verdict == "no difference shown"


# Stopping and going on


def test_a_stopped_experiment_goes_on_where_it_was(
    laboratory: Laboratory, fake: FakeBackend
) -> None:
    cancel = CancelToken()

    def stop_after_five(status: Status) -> None:
        if status.made == 5:
            cancel.cancel()

    plan = plan_of("a", "b")
    stopped = conducted(laboratory, plan, cancel=cancel, tell=stop_after_five)
    assert (stopped.state, stopped.reason) == ("stopped", sitting.STOPPED)
    before = {run.id for run in records_of(laboratory.store, stopped)}
    again = resume(laboratory.store, stopped.id, plan, ASKED)
    ended = conduct(laboratory, again, ASKED, CancelToken())
    assert ended.state == "finished"
    records = records_of(laboratory.store, ended)
    done = [run for run in records if run.status == "finished"]
    assert before <= {run.id for run in records}
    assert sorted(cells_of(done)) == sorted(set(cells_of(done)))
    assert len(cells_of(done)) == 12


def test_a_finished_experiment_has_nothing_left_to_make(laboratory: Laboratory) -> None:
    plan = plan_of("a", "b")
    ended = conducted(laboratory, plan)
    count = len(records_of(laboratory.store, ended))
    again = resume(laboratory.store, ended.id, plan, ASKED)
    assert conduct(laboratory, again, ASKED, CancelToken()).state == "finished"
    assert len(records_of(laboratory.store, ended)) == count


def test_what_was_kept_is_read_some_at_a_time_and_whole(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_RECORDS_AT_ONCE", 4)
    plan = plan_of("a", "b")
    ended = conducted(laboratory, plan)
    kept = list(running.kept_runs(laboratory.store, ended))
    assert kept == records_of(laboratory.store, ended)
    assert len(kept) == 14
    again = resume(laboratory.store, ended.id, plan, ASKED)
    assert conduct(laboratory, again, ASKED, CancelToken()).state == "finished"
    assert laboratory.store.count(RunFilter(visitor=None, experiment_id=ended.id)) == 14


def test_another_process_goes_on_from_the_store_after_a_crash(
    laboratory: Laboratory, workshop: Workshop, fake: FakeBackend, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def die(status: Status) -> None:
        if status.made == 4:
            raise Killed

    plan = plan_of("a", "b")
    experiment = begin(laboratory.store, plan, ASKED)
    with pytest.raises(Killed):
        conduct(laboratory, experiment, ASKED, CancelToken(), die)
    store = Store.open(Settings(data_dir=tmp_path / "data"))
    fresh = dataclasses.replace(laboratory, store=store)
    again = resume(store, experiment.id, plan, ASKED)
    assert conduct(fresh, again, ASKED, CancelToken()).state == "finished"
    assert len(cells_of(records_of(store, experiment))) == 12
    store.close()


def test_what_asks_something_else_is_no_continuation(laboratory: Laboratory) -> None:
    plan = plan_of("a")
    ended = conducted(laboratory, plan)
    with pytest.raises(CannotResume, match="plan has changed"):
        resume(laboratory.store, ended.id, plan_of("a", seed=1), ASKED)
    with pytest.raises(CannotResume, match="workload has changed"):
        resume(laboratory.store, ended.id, plan, Workload("two", ASKED.conversations[:1]))
    with pytest.raises(CannotResume, match="no experiment"):
        resume(laboratory.store, "unknown", plan, ASKED)


# Bad luck


def test_a_setup_that_fails_twice_in_a_row_is_left_out_and_the_others_finish(
    laboratory: Laboratory, fake: FakeBackend
) -> None:
    fake.openings["b"] = Opening(error=LoadFailed("The weights are broken.", "Fetch them anew."))
    ended = conducted(laboratory, plan_of("a", "b", "c"))
    assert ended.state == "finished"
    assert ended.left_out == {"b": "The weights are broken. Fetch them anew."}
    records = records_of(laboratory.store, ended)
    assert sum(run.status == "failed" for run in records) == 2
    finished = cells_of([run for run in records if run.status == "finished"])
    assert {setup for *_, setup in finished} == {0, 2}
    assert len(finished) == 12


def test_a_setup_that_fails_half_way_keeps_what_it_did(
    laboratory: Laboratory, fake: FakeBackend
) -> None:
    def break_b(status: Status) -> None:
        if status.made == 6:
            for engine in fake.engines:
                if engine.setup.model == "b":
                    engine.script = Script(fail_at=0, error=GenerationFailed("It broke."))

    ended = conducted(laboratory, plan_of("a", "b"), tell=break_b)
    assert list(ended.left_out) == ["b"]
    by_status = [run.status for run in records_of(laboratory.store, ended)]
    assert by_status.count("failed") == 2
    assert by_status.count("finished") > 8


def test_a_failure_by_itself_is_made_good(laboratory: Laboratory, fake: FakeBackend) -> None:
    broken, left = Script(fail_at=0, error=GenerationFailed("It broke once.")), [1]

    def break_once(status: Status) -> None:
        for engine in fake.engines:
            engine.script = broken if status.made == 3 and left else Script()
        if status.made == 3 and left:
            left.pop()

    ended = conducted(laboratory, plan_of("a"), tell=break_once)
    assert ended.left_out == {}
    records = records_of(laboratory.store, ended)
    assert [run.status for run in records].count("failed") == 1
    assert len(cells_of([run for run in records if run.status == "finished"])) == 6


def test_a_disturbed_run_is_marked_and_made_again_once(laboratory: Laboratory) -> None:
    said = ["", "busy", "", "", "busy", "busy"]  # the first is the warm-up's
    disturbed = dataclasses.replace(laboratory, load=ScriptedLoad(*said))
    ended = conducted(disturbed, plan_of("a"))
    assert ended.state == "finished"
    records = records_of(laboratory.store, ended)
    attempts = [run.experiment.attempt for run in records if run.experiment and run.disturbed]
    assert sorted(attempts) == [1, 1, 2]
    assert len(cells_of(records)) == 6 + 2
    comparable = laboratory.store.count(
        RunFilter(visitor=None, experiment_id=ended.id, comparable_only=True)
    )
    assert comparable == 6 - 1 + 1  # a warm-up is comparable too, for who asks the store


def test_what_was_disturbed_twice_is_not_made_a_third_time_by_going_on(
    laboratory: Laboratory,
) -> None:
    plan = plan_of("a", repeats=1)
    disturbed = dataclasses.replace(laboratory, load=ScriptedLoad(*["busy"] * 9))
    ended = conducted(disturbed, plan)
    count = len(cells_of(records_of(laboratory.store, ended)))
    conduct(laboratory, resume(laboratory.store, ended.id, plan, ASKED), ASKED, CancelToken())
    assert len(cells_of(records_of(laboratory.store, ended))) == count == 4


def test_a_store_that_is_gone_for_a_moment_loses_nothing(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.0, 0.0))
    real, failing = laboratory.store.save_run, iter([True, True, False, True])

    def sometimes(record: RunRecord) -> None:
        if next(failing, False):
            raise NotRecorded("Not recorded: the database did not answer.")
        real(record)

    monkeypatch.setattr(laboratory.store, "save_run", sometimes)
    ended = conducted(laboratory, plan_of("a"))
    assert len(cells_of(records_of(laboratory.store, ended))) == 6


def test_the_state_is_kept_too_when_the_store_is_back(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.0, 0.0))
    experiment = begin(laboratory.store, plan_of("a"), ASKED)
    real, failing = laboratory.store.save_experiment, iter([True, True])

    def later(one: Experiment) -> None:
        if next(failing, False):
            raise NotRecorded("Not recorded: the database did not answer.")
        real(one)

    monkeypatch.setattr(laboratory.store, "save_experiment", later)
    ended = conduct(laboratory, experiment, ASKED, CancelToken())
    assert laboratory.store.experiment(ended.id, None) == ended


def test_more_runs_than_anyone_waits_for_are_refused(laboratory: Laboratory) -> None:
    with pytest.raises(PlanInvalid, match="120,000 runs"):
        begin(laboratory.store, plan_of("a", "b", *"cdef", repeats=10_000), ASKED)
    assert laboratory.store.experiments(None) == []


def test_a_store_that_stays_full_ends_it_with_the_reason(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.0, 0.0))

    def full(record: RunRecord) -> None:
        raise NotRecorded("Not recorded: the disk is full.")

    monkeypatch.setattr(laboratory.store, "save_run", full)
    with pytest.raises(NotRecorded, match="full"):
        conducted(laboratory, plan_of("a"))


# Budgets, progress, and one at a time


def test_the_time_budget_ends_it_and_says_so(laboratory: Laboratory, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(ttft_ns=1_000 * MS)
    ended = conducted(laboratory, plan_of("a", time_budget_seconds=4))
    assert ended.state == "stopped"
    assert ended.reason == "The time budget of 4 s is spent."
    assert 4 <= ended.seconds < 5.5


def test_time_counts_over_all_sittings(laboratory: Laboratory, fake: FakeBackend) -> None:
    fake.scripts["a"] = Script(ttft_ns=1_000 * MS)
    plan = plan_of("a", time_budget_seconds=4)
    ended = conducted(laboratory, plan)
    count = len(records_of(laboratory.store, ended))
    again = resume(laboratory.store, ended.id, plan, ASKED)
    assert conduct(laboratory, again, ASKED, CancelToken()).reason == ended.reason
    assert len(records_of(laboratory.store, ended)) == count
    more = resume(laboratory.store, ended.id, plan_of("a", time_budget_seconds=90), ASKED)
    assert conduct(laboratory, more, ASKED, CancelToken()).state == "finished"


def test_it_ends_when_every_interval_is_narrow_enough(
    laboratory: Laboratory, fake: FakeBackend
) -> None:
    fake.scripts = {"a": Script(gap_ns=10 * MS), "b": Script(gap_ns=5 * MS)}
    plan = plan_of("a", "b", repeats=40, stop_within_percent=3)
    ended = conducted(laboratory, plan)
    assert (ended.state, ended.reason) == ("finished", "Every interval is within ± 3 %.")
    made = cells_of(records_of(laboratory.store, ended))
    assert len(made) == 2 * 2 * 6  # twelve pairs: three couples of rounds with two prompts
    again = resume(laboratory.store, ended.id, plan, ASKED)
    assert conduct(laboratory, again, ASKED, CancelToken()).reason == ended.reason
    assert len(cells_of(records_of(laboratory.store, ended))) == len(made)
    more = resume(laboratory.store, ended.id, plan_of("a", "b", repeats=40), ASKED)
    cancel = CancelToken()
    conduct(laboratory, more, ASKED, cancel, lambda one: cancel.cancel() if one.made > 30 else None)
    assert len(cells_of(records_of(laboratory.store, ended))) > len(made)


def priced(laboratory: Laboratory, folder: Path, per_hour: str) -> Laboratory:
    settings = Settings(data_dir=folder, hourly_price=Decimal(per_hour))
    bench = dataclasses.replace(laboratory.bench, prices=PriceBook.load(settings))
    return dataclasses.replace(laboratory, bench=bench)


def test_the_money_budget_ends_it_and_says_so(
    laboratory: Laboratory, fake: FakeBackend, tmp_path: Path
) -> None:
    fake.scripts["a"] = Script(ttft_ns=993 * MS)  # a second each, with four tokens
    at_a_dollar_a_second = priced(laboratory, tmp_path / "prices", "3600")
    ended = conducted(at_a_dollar_a_second, plan_of("a", money_budget_dollars="2.50"))
    assert ended.reason == "The money budget of $2.50 is spent."
    assert len(records_of(laboratory.store, ended)) == 3


def test_a_money_budget_without_a_price_cannot_be_kept(laboratory: Laboratory) -> None:
    ended = conducted(laboratory, plan_of("a", money_budget_dollars="1"))
    assert "what a run costs is not known" in ended.reason
    assert len(records_of(laboratory.store, ended)) == 1


def test_duration_and_cost_are_expected_once_every_setup_has_answered(
    laboratory: Laboratory, fake: FakeBackend, tmp_path: Path
) -> None:
    statuses: list[Status] = []
    bench = priced(laboratory, tmp_path / "prices", "1")
    conducted(bench, plan_of("a", "b"), tell=statuses.append)
    assert statuses[0].seconds_left is None
    assert statuses[0].dollars_left is None
    known = [one for one in statuses if one.made >= 2]
    assert all(one.seconds_left is not None for one in known)
    assert all(one.dollars_left is not None for one in known)
    assert known[0].dollars_left > known[-1].dollars_left == 0  # type: ignore[operator]
    assert statuses[-1].made == statuses[-1].planned == 12


def test_a_second_experiment_waits_for_the_first(laboratory: Laboratory) -> None:
    cancel, told = CancelToken(), []

    def give_up(status: Status) -> None:
        told.append(status.doing)
        cancel.cancel()

    with (
        laboratory.bench.scheduler.lease("experiments", "the first", CancelToken()),
        pytest.raises(Cancelled),
    ):
        conducted(laboratory, plan_of("a"), cancel=cancel, tell=give_up)
    assert told == ["waiting for another experiment: the first"]


# The load of the machine


@pytest.mark.parametrize(
    ("busy", "own", "disturbs"),
    [(2.0, 2.0, False), (2.2, 2.0, False), (3.0, 2.0, True), (1.0, 2.0, False)],
)
def test_others_may_use_what_an_idle_desktop_does(busy: float, own: float, disturbs: bool) -> None:
    said = disturbance(Reading(10, 100, 50), Reading(12, 100 + busy, 50 + own), cores=4)
    assert bool(said) == (disturbs and busy - own > 0.5)


def test_the_rounding_of_a_short_run_is_no_load() -> None:
    assert disturbance(Reading(0, 0, 0), Reading(0.05, 0.04, 0), cores=2) == ""
    assert "1.0 of 2 cores" in disturbance(Reading(0, 0, 0), Reading(1, 1, 0), cores=2)


def test_an_experiment_is_kept_before_its_first_run(laboratory: Laboratory) -> None:
    experiment = begin(laboratory.store, plan_of("a"), ASKED)
    assert laboratory.store.experiments("local") == [experiment]
    assert laboratory.store.experiments("someone else") == []
    assert laboratory.store.experiment(experiment.id, "someone else") is None
    assert experiment.created_at <= dt.datetime.now(dt.UTC)
