"""Makes the runs of an experiment, one at a time, and stores each as it is made.

What is in the store is never made again, so an experiment that broke off goes on where it was.
Knows nothing of who watches: progress is told to a function, a stop comes by a token.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from app.bench.energy.counters import CounterOf, counter_of
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.making import HereMaker
from app.bench.experiments.plan import Plan, PlanInvalid
from app.bench.experiments.progress import Status
from app.bench.experiments.sitting import Sitting
from app.bench.experiments.workloads import Workload
from app.bench.quality.texts import quality_pieces
from app.bench.record import RunRecord
from app.bench.runner import Bench
from app.bench.scheduler import Place
from app.bench.store import RunFilter, Store
from backends.engine import CancelToken
from backends.errors import DynoError

MAX_RUNS = 100_000
# Experiments wait for each other as runs wait for a device.
_QUEUE = "experiments"
_RECORDS_AT_ONCE = 500


class CannotResume(DynoError):
    """There is no such experiment, or it asked something else."""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What an experiment needs: where runs are made and kept, the clock, who watches the load, and
    where energy is read."""

    bench: Bench
    store: Store
    clock_ns: Callable[[], int] = time.monotonic_ns
    load: OtherLoad = field(default_factory=OtherLoad)
    counter_of: CounterOf = counter_of


def begin(store: Store, plan: Plan, workload: Workload, visitor: str = "local") -> Experiment:
    """A new experiment, kept before its first run. Raises `PlanInvalid` for too many runs, and
    `QualityTextInvalid`."""
    runs = len(plan.setups) * plan.repeats * sum(workload.turns)
    if runs > MAX_RUNS:
        raise PlanInvalid(
            f"The plan asks for {runs:,} runs; an experiment makes at most {MAX_RUNS:,}.",
            "Take fewer repeats, setups or prompts.",
        )
    if plan.quality:
        quality_pieces(plan.quality_text)
    now = dt.datetime.now(dt.UTC)
    experiment = Experiment(
        created_at=now,
        updated_at=now,
        visitor=visitor,
        plan=plan,
        workload_digest=workload.digest,
    )
    store.save_experiment(experiment)
    return experiment


def resume(store: Store, id_: str, plan: Plan, workload: Workload) -> Experiment:
    """An earlier experiment to go on with; budgets and name are those of `plan`.

    Raises `CannotResume` where it asks something else now, or is not there.
    """
    found = store.experiment(id_, None)
    if found is None:
        raise CannotResume(
            f"There is no experiment {id_}.", "python -m app.bench experiments lists them."
        )
    if found.imported_from:
        raise CannotResume(
            f"Experiment {id_} was made on another machine ({found.imported_from}).",
            "Start its plan anew: runs of two machines are no pairs.",
        )
    if not found.plan.asks_the_same_as(plan) or found.workload_digest != workload.digest:
        what = "plan" if found.workload_digest == workload.digest else "workload"
        raise CannotResume(
            f"The {what} has changed since experiment {id_} was begun.",
            "Start it anew without --resume, or undo the change. Name, budgets and passes may "
            "change.",
        )
    again = {"plan": plan, "state": "begun", "reason": "", "left_out": {}}
    return found.model_copy(update=again)


def records_of(store: Store, experiment: Experiment) -> list[RunRecord]:
    """Every run of an experiment that was kept, warm-ups and failed ones too."""
    mine = RunFilter(visitor=None, experiment_id=experiment.id, limit=None)
    return store.records(mine)


def kept_runs(store: Store, experiment: Experiment) -> Iterator[RunRecord]:
    """The same, some at a time: with a stamp for every token, thousands of them fill gigabytes."""
    mine = RunFilter(visitor=None, experiment_id=experiment.id, limit=_RECORDS_AT_ONCE)
    for offset in range(0, store.count(mine), _RECORDS_AT_ONCE):
        yield from store.records(replace(mine, offset=offset))


def conduct(
    laboratory: Laboratory,
    experiment: Experiment,
    workload: Workload,
    cancel: CancelToken,
    tell: Callable[[Status], None] = lambda status: None,
    known_as: str = "",
) -> Experiment:
    """Make every run that is missing; returns the experiment as it was kept at its end.

    A run that failed or was disturbed is made again at once, and once. A setup that fails twice in
    a row is left out of the rest. A stop and a spent budget end it early, with the reason. Another
    experiment on this machine is waited for; `known_as` is what those who wait for this one are
    told (default: its name).

    Raises `NotRecorded` where a run cannot be kept; `Cancelled` for a stop while it waits.
    """
    sitting = Sitting(laboratory.store, laboratory.clock_ns, experiment, workload, cancel, tell)
    with turn_of(laboratory, sitting, known_as or experiment.plan.name, cancel):
        sitting.begin(kept_runs(laboratory.store, experiment))
        maker = HereMaker(laboratory.bench, laboratory.load)
        sitting.work(maker, sitting.cells)
        sitting.pass_through(maker, laboratory)
        return sitting.end()


@contextlib.contextmanager
def turn_of(
    laboratory: Laboratory, sitting: Sitting, who: str, cancel: CancelToken
) -> Iterator[None]:
    """Wait until no other experiment is made on this machine. Raises `Cancelled` for a stop."""

    def tell_place(place: Place) -> None:
        holder = place.holder or f"{place.ahead} in the queue"
        sitting.tell_status(f"waiting for another experiment: {holder}", is_waiting=True)

    with laboratory.bench.scheduler.lease(_QUEUE, who, cancel, tell_place):
        yield
