"""Disks that really fill up and a clock that jumps: an experiment says so, or does not mind."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.bench import runner
from app.bench.experiments import sitting
from app.bench.experiments.board import ExperimentBoard
from app.bench.experiments.disturbance import OtherLoad, Reading
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.progress import Status
from app.bench.experiments.running import Laboratory, begin, conduct, records_of, resume
from app.bench.experiments.statistics import conclude
from app.bench.experiments.workloads import pasted
from app.bench.store import Store
from backends.engine import CancelToken
from backends.settings import ROOT, Settings
from tests.bench.disks import fill, small_disk
from tests.fakes import FakeBackend, Script
from tests.fakes.engine import MS
from tests.fakes.workshop import Workshop, setup_of, wait_until

ASKED = pasted("One?\nTwo?")


def plan_of(*models: str, **fields: Any) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    return Plan.model_validate({"name": "unlucky", "setups": setups, "output_tokens": 40} | fields)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "4m") as folder:
        yield folder


@pytest.fixture
def store(disk: Path) -> Iterator[Store]:
    opened = Store.open(Settings(data_dir=disk))
    yield opened
    opened.close()


def laboratory_of(workshop: Workshop, store: Store) -> Laboratory:
    return Laboratory(workshop.bench, store, load=OtherLoad(lambda: Reading(0, 0, 0)))


def made(store: Store, experiment: Any) -> list[tuple[int, int, int]]:
    records = records_of(store, experiment)
    return [run.experiment.pair for run in records if run.experiment and run.experiment.round]


def test_a_full_disk_ends_it_and_it_goes_on_when_there_is_space(
    workshop: Workshop,
    fake: FakeBackend,
    store: Store,
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.01, 0.01))
    board = ExperimentBoard(laboratory_of(workshop, store), Settings(data_dir=disk))
    begun = board.start(plan_of("a", repeats=12), ASKED, "ada")
    ballast = fill(disk)
    wait_until(lambda: board.status(begun.id) is None)
    last = board.last(begun.id, "ada")
    assert last is not None
    assert last.state == "stopped"
    assert "full" in last.reason
    before = made(store, begun)
    assert len(before) < 24
    ballast.unlink()
    board.resume(begun.id, "ada")
    wait_until(lambda: board.status(begun.id) is None)
    ended = board.last(begun.id, "ada")
    assert ended is not None
    assert (ended.state, ended.reason) == ("finished", "")
    after = made(store, begun)
    assert len(after) == len(set(after)) == 24
    assert set(before) <= set(after)


def test_a_disk_that_is_full_for_a_moment_loses_nothing(
    workshop: Workshop,
    fake: FakeBackend,
    store: Store,
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitting, "STORE_AGAIN_AFTER_SECONDS", (0.01, 0.01))
    said: list[str] = []
    ballast: list[Path] = []

    def tell(status: Status) -> None:
        said.append(status.doing)
        if status.made == 4 and not ballast:
            ballast.append(fill(disk))
        if "trying again" in status.doing:
            ballast[0].unlink()

    plan = plan_of("a", repeats=12)
    ended = conduct(
        laboratory_of(workshop, store), begin(store, plan, ASKED), ASKED, CancelToken(), tell
    )
    assert ended.state == "finished"
    assert any("trying again" in one for one in said)
    assert len(made(store, ended)) == 24


# Makes an experiment on the fake backend, and is killed in the middle of its seventh run.
_KILLED = """
import os, signal, sys
from pathlib import Path
from app.bench.experiments.running import begin, conduct
from app.bench.experiments.workloads import pasted
from backends import registry
from backends.engine import CancelToken
from tests.bench.experiments.test_bad_luck import ASKED, laboratory_of, plan_of
from tests.fakes.workshop import Workshop

def tell(status):
    if status.made == 6:
        os.kill(os.getpid(), signal.SIGKILL)

registry._BUILT_IN["fake"] = "tests.fakes:FakeBackend"
workshop = Workshop.make(Path(sys.argv[1]))
begun = begin(workshop.store, plan_of("a", "b", repeats=4), ASKED)
conduct(laboratory_of(workshop, workshop.store), begun, ASKED, CancelToken(), tell)
"""


def test_what_a_killed_program_had_made_is_gone_on_from(tmp_path: Path, fake: FakeBackend) -> None:
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    workshop = Workshop.make(tmp_path)
    (killed,) = workshop.store.experiments(None)
    assert killed.state == "begun"
    before = made(workshop.store, killed)
    assert len(before) == 6
    again = resume(workshop.store, killed.id, killed.plan, ASKED)
    ended_well = conduct(laboratory_of(workshop, workshop.store), again, ASKED, CancelToken())
    assert (ended_well.state, ended_well.reason) == ("finished", "")
    assert len(made(workshop.store, killed)) == 2 * 2 * 4
    workshop.close()


class JumpingClock(dt.datetime):
    """A wall clock that is set back by a day at every look, and by a year at every tenth."""

    looks = 0

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> JumpingClock:
        cls.looks += 1
        back = dt.timedelta(days=cls.looks + 365 * (cls.looks // 10))
        return cls.fromtimestamp((dt.datetime(2026, 11, 21, tzinfo=dt.UTC) - back).timestamp(), tz)


def test_a_clock_that_jumps_changes_no_result_and_no_budget(
    workshop: Workshop, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.scripts = {"a": Script(gap_ns=10 * MS), "b": Script(gap_ns=5 * MS)}
    for module in (sitting, runner):
        monkeypatch.setattr(module.dt, "datetime", JumpingClock)
    unwatched = OtherLoad(lambda: Reading(0, 0, 0))
    laboratory = Laboratory(workshop.bench, workshop.store, fake.clock.now_ns, unwatched)
    plan = plan_of("a", "b", repeats=4, time_budget_seconds=60)
    ended = conduct(laboratory, begin(workshop.store, plan, ASKED), ASKED, CancelToken())
    assert (ended.state, ended.reason) == ("finished", "")
    assert 0 < ended.seconds < 60
    ids = [one.setup.id for one in plan.setups]
    found = conclude(plan.labels, ids, workshop.store.samples(ended.id))
    tpot = next(one for one in found.setups[1].ratios if one.metric == "tpot_ns")
    assert (tpot.ratio, tpot.n) == (pytest.approx(0.5), 8)
