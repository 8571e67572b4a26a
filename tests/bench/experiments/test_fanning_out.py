"""Several makers work on one experiment: pairs stay whole, whatever is lost on the way."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.bench.experiments import ray_cluster
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.environments import Change, changes, workers
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.findings import findings_of
from app.bench.experiments.making import HereMaker
from app.bench.experiments.on_ray import WorkerLost, _Crew, conduct_on_ray
from app.bench.experiments.order import sequence
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.ray_worker import Introduction
from app.bench.experiments.running import Laboratory, begin, conduct, records_of, resume
from app.bench.experiments.sitting import Sitting
from app.bench.experiments.statistics import conclude
from app.bench.experiments.units import Units, units_of
from app.bench.experiments.words import remarks
from app.bench.experiments.workloads import pasted
from app.bench.record import RunRecord
from app.bench.runner import RunOrder
from app.bench.scheduler import Scheduler
from backends.engine import CancelToken
from backends.errors import DynoError, LoadFailed, MissingDependency
from tests.fakes import FakeBackend
from tests.fakes.backend import Opening
from tests.fakes.workshop import Workshop, setup_of

ASKED = pasted("One?\nTwo?\nThree?")


def plan_of(*models: str, **fields: object) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    small = {"name": "fanned out", "setups": setups, "repeats": 4, "output_tokens": 4}
    return Plan.model_validate(small | fields)


class QuietLoad(OtherLoad):
    def look(self, record: RunRecord) -> str:
        return ""


class PlaceMaker(HereMaker):
    """Makes runs here under another place's name; `before` may lose it."""

    def __init__(
        self,
        workshop: Workshop,
        place: str,
        before: Callable[[RunOrder], None] = lambda order: None,
    ) -> None:
        super().__init__(workshop.bench, QuietLoad())
        self.place = place
        self._before = before

    def make(self, order: RunOrder, cancel: CancelToken) -> RunRecord:
        self._before(order)
        return super().make(order, cancel)


def fanned_out(
    workshop: Workshop,
    plan: Plan,
    *makers: PlaceMaker,
    again: Experiment | None = None,
    cancel: CancelToken | None = None,
) -> Experiment:
    experiment = again or begin(workshop.store, plan, ASKED)
    clock, token = Laboratory(workshop.bench, workshop.store).clock_ns, cancel or CancelToken()
    sitting = Sitting(workshop.store, clock, experiment, ASKED, token, lambda status: None)
    places = [maker.place for maker in makers]
    sitting.begin(records_of(workshop.store, experiment), places)
    _Crew(sitting, Units(units_of(sitting.cells))).work(makers)
    return sitting.end()


def compared(workshop: Workshop, experiment: Experiment) -> dict[tuple[int, ...], set[str]]:
    """Where the runs of each pair were made that the conclusion looks at."""
    found = defaultdict(set)
    for run in records_of(workshop.store, experiment):
        if run.experiment and run.experiment.round > 0 and run.status == "finished":
            found[run.experiment.pair].add(run.experiment.worker)
    return found


# Who makes what


def test_all_setups_and_both_orders_of_a_pair_belong_to_one_unit() -> None:
    cells = sequence(3, [1, 2], 4, seed=0)
    units = units_of(cells)
    assert sorted(cell for unit in units for cell in unit) == sorted(cells)
    owner = {cell.pair: index for index, unit in enumerate(units) for cell in unit}
    assert all(owner[cell.pair] == index for index, unit in enumerate(units) for cell in unit)
    assert all({cell.setup for cell in unit} == {0, 1, 2} for unit in units)
    assert len(units) == 2 * 2


def test_a_unit_is_interleaved_in_itself() -> None:
    for unit in units_of(sequence(2, [1], 6, seed=3)):
        order = [cell.setup for cell in unit]
        assert order in ([0, 1, 1, 0], [1, 0, 0, 1])


def test_where_prefixes_are_reused_no_conversation_comes_twice_in_a_row() -> None:
    for unit in units_of(sequence(2, [1, 1, 1], 4, seed=0), salted=False):
        asked = [cell.conversation for cell in unit if cell.setup == 0]
        assert asked == [0, 1, 2, 0, 1, 2]


def test_a_unit_that_was_given_back_is_taken_again() -> None:
    units = Units(units_of(sequence(1, [1], 2, seed=0)))
    first = units.take()
    assert first is not None
    units.end(first, is_done=False)
    assert units.take() == first
    units.end(first, is_done=True)
    assert units.take() is None


def test_pairs_are_whole_and_each_worker_warms_up_every_setup(workshop: Workshop) -> None:
    makers = [PlaceMaker(workshop, place) for place in ("x", "y")]
    ended = fanned_out(workshop, plan_of("a", "b"), *makers)
    assert ended.state == "finished"
    assert all(len(places) == 1 for places in compared(workshop, ended).values())
    records = records_of(workshop.store, ended)
    busy = {run.experiment.worker for run in records if run.experiment}
    warm = {(p.worker, p.setup) for run in records if (p := run.experiment) and p.round == 0}
    assert warm == {(place, setup) for place in busy for setup in (0, 1)}


def test_who_made_how_many_runs_is_told_where_there_were_several(workshop: Workshop) -> None:
    plan = plan_of("a", "b", repeats=1, warm_ups=0)
    alone = fanned_out(workshop, plan, PlaceMaker(workshop, ""))
    assert workers(workshop.store.samples(alone.id)) == {}
    ended = fanned_out(workshop, plan, PlaceMaker(workshop, "host-a"))
    table = workshop.store.samples(ended.id)
    assert workers(table) == {"host-a": 6}
    assert {sample.place.worker for sample in table} == {"host-a"}
    told = " ".join(remarks(findings_of(ended, table, ())))
    assert "Runs made on: host-a 6." in told
    changed = changes(records_of(workshop.store, alone), records_of(workshop.store, ended))
    assert changed == [Change("made on", "", "host-a")]


# Bad luck


class Loses:
    """Loses its worker when it is asked for that run of a round, and ever after."""

    def __init__(self, setup: int, attempt: int = 1) -> None:
        self._place = (1, setup, attempt)
        self.is_lost = False

    def __call__(self, order: RunOrder) -> None:
        place = order.experiment
        assert place is not None
        self.is_lost |= (place.round, place.setup, place.attempt) == self._place
        if self.is_lost:
            raise WorkerLost("It is gone.")


@pytest.mark.parametrize("setup", [0, 1])
def test_a_half_made_pair_of_a_lost_worker_is_made_again_whole_elsewhere(
    workshop: Workshop, setup: int
) -> None:
    loses = Loses(setup)
    lost, other = PlaceMaker(workshop, "lost", loses), PlaceMaker(workshop, "other")
    plan = plan_of("a", "b")
    stopped = fanned_out(workshop, plan, lost)
    assert loses.is_lost
    ended = fanned_out(workshop, plan, other, again=resume(workshop.store, stopped.id, plan, ASKED))
    assert ended.state == "finished"
    pairs = compared(workshop, ended)
    assert len(pairs) == 3 * 4
    assert all(len(places) == 1 for places in pairs.values())
    assert {run.experiment.worker for run in aside(workshop, ended) if run.experiment} <= {"lost"}


def aside(workshop: Workshop, experiment: Experiment) -> list[RunRecord]:
    """Runs that are kept and compared with nothing."""
    records = records_of(workshop.store, experiment)
    return [run for run in records if run.experiment and run.experiment.round < -2]


def test_what_was_set_aside_is_in_no_comparison_even_before_it_is_made_again(
    workshop: Workshop,
) -> None:
    plan = plan_of("a", "b", repeats=1)
    first = next(cell.setup for cell in sequence(2, [1, 1, 1], 1, plan.seed))
    stopped = fanned_out(workshop, plan, PlaceMaker(workshop, "lost", Loses(1 - first)))
    assert [run.experiment.setup for run in aside(workshop, stopped) if run.experiment] == [first]
    ids = [one.setup.id for one in plan.setups]
    found = conclude(plan.labels, ids, workshop.store.samples(stopped.id))
    assert [one.finished for one in found.setups] == [0, 0]


def test_an_experiment_begun_elsewhere_pairs_no_runs_of_two_machines(workshop: Workshop) -> None:
    cancel = CancelToken()
    made: list[RunOrder] = []

    def stop_in_a_pair(order: RunOrder) -> None:
        made.append(order)
        if len(made) == 6:
            cancel.cancel()

    plan = plan_of("a", "b", warm_ups=0)
    stopped = fanned_out(workshop, plan, PlaceMaker(workshop, "x", stop_in_a_pair), cancel=cancel)
    assert stopped.state == "stopped"
    again = resume(workshop.store, stopped.id, plan, ASKED)
    laboratory = Laboratory(workshop.bench, workshop.store, load=QuietLoad())
    ended = conduct(laboratory, again, ASKED, CancelToken())
    assert ended.state == "finished"
    pairs = compared(workshop, ended)
    assert all(len(places) == 1 for places in pairs.values())
    assert set().union(*pairs.values()) == {"", "x"}


def test_a_setup_that_fails_on_one_worker_is_left_out_and_the_worker_named(
    workshop: Workshop, fake: FakeBackend
) -> None:
    def break_b(order: RunOrder) -> None:
        fake.openings["b"] = Opening(error=LoadFailed("The weights are broken.", "Fetch them."))

    ended = fanned_out(workshop, plan_of("a", "b"), PlaceMaker(workshop, "x", break_b))
    assert ended.left_out == {"b": "x: The weights are broken. Fetch them."}
    assert ended.state == "finished"


# The cluster


class Nodes:
    """A Ray that only has nodes."""

    def __init__(self, **resources: dict[str, float]) -> None:
        self._resources = resources

    def nodes(self) -> list[dict[str, object]]:
        return [
            {"NodeID": id_, "Alive": id_ != "dead", "Resources": has}
            for id_, has in self._resources.items()
        ]


def test_there_is_a_worker_for_each_gpu_else_for_each_host_that_computes() -> None:
    gpus = Nodes(head={"CPU": 4.0}, one={"CPU": 8.0, "GPU": 2.0}, dead={"GPU": 8.0})
    assert ray_cluster._places(gpus, None) == [("one", True)] * 2
    hosts = Nodes(head={}, one={"CPU": 2.0}, two={"CPU": 2.0})
    assert ray_cluster._places(hosts, None) == [("one", False), ("two", False)]
    assert ray_cluster._places(hosts, 3) == [("one", False), ("two", False), ("one", False)]
    with pytest.raises(DynoError, match="fewer than 3 workers"):
        ray_cluster._places(gpus, 3)
    with pytest.raises(DynoError, match="no worker"):
        ray_cluster._places(Nodes(head={}), None)


def introduced(place: str, **problems: str) -> Introduction:
    found = {int(name[1:]): said for name, said in problems.items()}
    return Introduction(place=place, host=place, pid=1, commit=None, problems=found)


def test_what_some_workers_cannot_run_is_told_with_the_workers_name() -> None:
    good, bad = introduced("host-a"), introduced("host-b", _1="There is no folder x.")
    both = [SimpleNamespace(place=one.place, introduction=one) for one in (good, bad)]
    with pytest.raises(DynoError, match="host-b cannot run “two”: There is no folder x"):
        ray_cluster._refuse_disagreement(both, ["one", "two"])  # type: ignore[arg-type]
    ray_cluster._refuse_disagreement(both[1:], ["one", "two"])  # type: ignore[arg-type]


class LostError(Exception):
    """As Ray raises it where a worker has ended."""


def test_a_worker_that_is_lost_before_it_begins_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It introduces itself, and ends before it has met the others."""
    told = introduced("host").model_dump_json()

    def get(answers: list[str], timeout: float | None = None) -> list[str]:
        if answers == ["met"]:
            raise LostError
        return answers

    def method(answer: str) -> SimpleNamespace:
        return SimpleNamespace(remote=lambda *_: answer)

    handle = SimpleNamespace(introduce=method(told), meet=method("met"), close=method("closed"))
    monkeypatch.setattr(ray_cluster, "_actor", lambda *_: handle)
    ray = SimpleNamespace(
        nodes=Nodes(one={"CPU": 2.0}).nodes,
        wait=lambda waiting, **_: (waiting, []),
        get=get,
        kill=lambda _: None,
        exceptions=SimpleNamespace(RayError=LostError),
    )
    with (
        pytest.raises(DynoError, match="did not start"),
        ray_cluster.started(ray, {}, None, CancelToken(), lambda said: None),
    ):
        pass


def test_workers_of_one_host_have_names_of_their_own() -> None:
    names = ray_cluster._names([introduced("a"), introduced("b"), introduced("a")])
    assert names == ["a (1)", "b", "a (2)"]


def test_a_gpu_is_locked_by_the_name_that_it_has_on_its_host(workshop: Workshop) -> None:
    mine, theirs = Scheduler(known_as={"cuda:0": "cuda:3"}), Scheduler()
    with mine.lease("cuda:0", "we", CancelToken()), theirs.lease("cuda:0", "they", CancelToken()):
        assert {one.device for one in mine.snapshot()} == {"cuda:3"}


def test_workers_beside_are_no_disturbance() -> None:
    busy = [sys.executable, "-c", "while True: pass"]
    load = OtherLoad()
    load.begin(new_processes=True)  # it starts after that, so it is not taken for an engine
    with subprocess.Popen(busy) as sibling:
        try:
            load.siblings = (sibling.pid,)
            load.begin(new_processes=False)
            before = load._read_system().own
            deadline = time.monotonic() + 20
            while load._read_system().own < before + 0.1:
                assert time.monotonic() < deadline
        finally:
            sibling.kill()


@pytest.mark.parametrize("is_set", [True, False])
def test_a_cluster_is_shown_the_token_that_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_set: bool
) -> None:
    ours = {"HOME": str(tmp_path)} | ({"RAY_AUTH_TOKEN": "cluster"} if is_set else {})
    monkeypatch.setattr("os.environ", ours)
    ray_cluster.prepare_environment(is_local=False)
    assert ours.get("RAY_AUTH_MODE") == ("token" if is_set else None)
    assert ours["RAY_USAGE_STATS_ENABLED"] == "0"
    ray_cluster.prepare_environment(is_local=True)
    assert ours["RAY_AUTH_MODE"] == "token"
    assert (ours["RAY_AUTH_TOKEN"] == "cluster") is is_set


def test_without_ray_it_says_what_to_install(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    plan = plan_of("a")
    laboratory = Laboratory(workshop.bench, workshop.store)
    experiment = begin(workshop.store, plan, ASKED)
    with pytest.raises(MissingDependency, match="not installed"):
        conduct_on_ray(laboratory, experiment, ASKED, CancelToken(), lambda status: None)


class FlakyRay(SimpleNamespace):
    """Of a cluster that starts no server for the first who come."""

    def __init__(self, failures: list[Exception]) -> None:
        super().__init__(asked=0, is_initialized=lambda: False, shutdown=lambda: None)
        self._failures = failures

    def init(self, **_: object) -> None:
        self.asked += 1
        if self._failures:
            raise self._failures.pop(0)


@pytest.fixture
def knocked(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(ray_cluster, "_knock", lambda address: None)
    monkeypatch.setattr(ray_cluster, "prepare_environment", lambda *, is_local: None)
    return monkeypatch


def test_a_cluster_that_starts_no_server_for_us_is_asked_once_more(
    knocked: pytest.MonkeyPatch,
) -> None:
    ray = FlakyRay([ConnectionAbortedError("Starting Ray client server failed.")])
    knocked.setitem(sys.modules, "ray", ray)
    with ray_cluster.connected("ray://there:10001") as found:
        assert found is ray
    assert ray.asked == 2


@pytest.mark.parametrize(
    ("failures", "asked"),
    [([ConnectionAbortedError("failed")] * 2, 2), ([ConnectionError("nobody answers")], 1)],
)
def test_a_cluster_that_does_not_answer_is_told(
    failures: list[Exception], asked: int, knocked: pytest.MonkeyPatch
) -> None:
    ray = FlakyRay([*failures])
    knocked.setitem(sys.modules, "ray", ray)
    with (
        pytest.raises(DynoError, match=f"No Ray cluster answers .*: {failures[0]}"),
        ray_cluster.connected("ray://there:10001"),
    ):
        pass
    assert ray.asked == asked
