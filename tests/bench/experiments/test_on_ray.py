"""An experiment on a Ray of two workers: the same records, pairs whole, a lost worker made good."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.bench.experiments import on_ray
from app.bench.experiments.environments import workers
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.ledger import SPOILT
from app.bench.experiments.order import sequence
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.progress import Status
from app.bench.experiments.ray_cluster import LOCAL, connected, prepare_environment
from app.bench.experiments.running import Laboratory, begin, records_of, resume
from app.bench.experiments.samples import RunSample, sample_of
from app.bench.experiments.units import Units, units_of
from app.bench.experiments.workloads import pasted
from app.bench.record import ExperimentPlace, RunRecord
from backends.engine import CancelToken
from backends.errors import MissingDependency
from backends.settings import ROOT
from tests.bench.experiments.ray_hook import DYING_FILE
from tests.bench.samples import make_run
from tests.fakes.workshop import Workshop, setup_of

ASKED = pasted("One?\nTwo?\nThree?")


def plan_of(*models: str, **fields: object) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    small = {"name": "fanned out", "setups": setups, "repeats": 4, "output_tokens": 4}
    return Plan.model_validate(small | fields)


def test_all_setups_and_both_orders_of_a_pair_belong_to_one_unit() -> None:
    cells = sequence(3, [1, 2], 4, seed=0)
    units = units_of(cells)
    assert sorted(cell for unit in units for cell in unit) == sorted(cells)
    owner = {cell.pair: index for index, unit in enumerate(units) for cell in unit}
    assert all(owner[cell.pair] == index for index, unit in enumerate(units) for cell in unit)
    assert all({cell.setup for cell in unit} == {0, 1, 2} for unit in units)
    assert len(units) == 2 * 2


def test_a_unit_that_was_given_back_is_taken_again() -> None:
    units = Units(units_of(sequence(1, [1], 2, seed=0)))
    first = units.take()
    assert first is not None
    units.end(first, is_done=False)
    assert units.take() == first
    units.end(first, is_done=True)
    assert units.take() is None


def test_without_ray_it_says_what_to_install(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency, match="not installed"):
        fanned_out(workshop, plan_of("a"))


def test_who_made_how_many_runs_is_told_only_of_several() -> None:
    def by(worker: str, status: str = "finished") -> RunSample:
        place = ExperimentPlace(id="e", round=1, conversation=0, turn=0, setup=0, worker=worker)
        return sample_of(make_run(experiment=place, status=status))

    assert workers([by("b"), by("a"), by("b"), by("a", "failed")]) == {"a": 1, "b": 2}
    assert workers([by("")]) == {}


@pytest.fixture
def ray(tmp_path: Path) -> Iterator[Path]:
    """A Ray of this machine whose workers know the fake backend; the file makes one die."""
    prepare_environment(LOCAL)
    ray = pytest.importorskip("ray")
    dying = tmp_path / "dying"
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # paths of its sockets must be short
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100_000_000,
        log_to_driver=False,
        _temp_dir=folder,
        runtime_env={
            "env_vars": {"PYTHONPATH": str(ROOT), DYING_FILE: str(dying)},
            "worker_process_setup_hook": "tests.bench.experiments.ray_hook.register",
        },
    )
    yield dying
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def fanned_out(
    workshop: Workshop,
    plan: Plan,
    cancel: CancelToken | None = None,
    again: Experiment | None = None,
    at: int | None = None,
) -> Experiment:
    """Conducted on two workers; with `at`, stopped after so many runs."""
    token = cancel or CancelToken()

    def tell(status: Status) -> None:
        if at is not None and status.made >= at:
            token.cancel()

    laboratory = Laboratory(workshop.bench, workshop.store)
    experiment = again or begin(workshop.store, plan, ASKED)
    return on_ray.conduct_on_ray(laboratory, experiment, ASKED, token, tell, workers=2)


def compared(workshop: Workshop, experiment: Experiment) -> dict[tuple[int, ...], list[RunRecord]]:
    """For each pair the run of each setup that counts, also where other work disturbed it."""
    counting = {}
    for run in reversed(records_of(workshop.store, experiment)):
        place = run.experiment
        if place and place.round and run.status == "finished" and run.disturbed != SPOILT:
            counting[place.pair, place.setup] = run
    pairs = defaultdict(list)
    for (pair, _), run in counting.items():
        pairs[pair].append(run)
    return pairs


def assert_whole(workshop: Workshop, experiment: Experiment, setups: int) -> set[str]:
    """Each pair has one run of each setup, all made by one worker. Returns the workers."""
    pairs = compared(workshop, experiment)
    assert len(pairs) == 3 * 4
    for runs in pairs.values():
        places = [run.experiment for run in runs if run.experiment]
        assert sorted(place.setup for place in places) == list(range(setups))
        assert len({place.worker for place in places}) == 1
    return {run.experiment.worker for runs in pairs.values() for run in runs if run.experiment}


@pytest.mark.ray
def test_two_workers_make_every_run_once_and_each_pair_on_one_of_them(
    ray: Path, workshop: Workshop
) -> None:
    ended = fanned_out(workshop, plan_of("a", "b"))
    assert (ended.state, ended.reason) == ("finished", "")
    assert len(assert_whole(workshop, ended, 2)) == 2
    assert all(run.environment.hardware for run in records_of(workshop.store, ended))


@pytest.mark.ray
def test_what_a_dead_worker_left_is_made_again_by_the_other(ray: Path, workshop: Workshop) -> None:
    ray.touch()
    ended = fanned_out(workshop, plan_of("a", "dies"))
    assert not ray.exists()
    assert ended.state == "finished"
    assert ended.left_out == {}
    assert assert_whole(workshop, ended, 2)


@pytest.mark.ray
def test_a_stop_ends_all_workers_and_what_is_missing_is_made_later(
    ray: Path, workshop: Workshop
) -> None:
    plan = plan_of("a", "b")
    stopped = fanned_out(workshop, plan, at=7)
    assert stopped.state == "stopped"
    again = resume(workshop.store, stopped.id, plan, ASKED)
    ended = fanned_out(workshop, plan, again=again)
    assert ended.state == "finished"
    assert_whole(workshop, ended, 2)


@pytest.mark.ray
def test_a_ray_of_its_own_is_gone_afterwards() -> None:
    pytest.importorskip("ray")
    with connected(LOCAL) as ray:
        assert ray.is_initialized()
        folder = Path(ray._private.worker._global_node.get_temp_dir_path())
    assert not ray.is_initialized()
    assert not folder.exists()
    named: list[str] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            named += [process.name()] if str(folder) in " ".join(process.cmdline()) else []
    assert named == []
