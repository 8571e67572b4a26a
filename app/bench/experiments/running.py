"""Makes the runs of an experiment, one at a time, and stores each as it is made.

What is in the store is never made again, so an experiment that broke off goes on where it was.
Knows nothing of who watches: progress is told to a function, a stop comes by a token.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.bench.conversation import Column
from app.bench.energy.counters import CounterOf, counter_of
from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.order import WARM_UP_ROUND, Cell, round_name, sequence
from app.bench.experiments.passes import PassWork, run_passes
from app.bench.experiments.plan import Plan, PlanInvalid
from app.bench.experiments.progress import Status, Tally
from app.bench.experiments.workloads import Workload, prompts_of, salt_of, salted
from app.bench.lane import Lane
from app.bench.quality.texts import quality_pieces
from app.bench.record import ExperimentPlace, RunRecord
from app.bench.runner import Bench, RunOrder, run
from app.bench.scheduler import Place
from app.bench.store import RunFilter, Store
from backends.engine import CancelToken
from backends.errors import DynoError, NotRecorded
from backends.registry import get_backend
from backends.remote.paid import Paid
from backends.request import Request
from backends.setup import Setup

STOPPED = "It was stopped."
MAX_RUNS = 100_000
# Experiments wait for each other as runs wait for a device.
_QUEUE = "experiments"
_ATTEMPTS = 2
_FAILURES_IN_A_ROW = 2
# A database that is restarted is back soon; a disk that is full is not.
_STORE_AGAIN_AFTER_SECONDS = (1.0, 4.0)


class CannotResume(DynoError):
    """There is no such experiment, or it asked something else."""


class StopToken(CancelToken):
    """Ends an experiment early; once `pause` was called it is "paused" then, else "stopped"."""

    def __init__(self) -> None:
        super().__init__()
        self.is_pause = False

    def pause(self) -> None:
        self.is_pause = True
        self.cancel()


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
    if not found.plan.asks_the_same_as(plan) or found.workload_digest != workload.digest:
        what = "plan" if found.workload_digest == workload.digest else "workload"
        raise CannotResume(
            f"The {what} has changed since experiment {id_} was begun.",
            "Start it anew without --resume, or undo the change. Name and budgets may change.",
        )
    again = {"plan": plan, "state": "begun", "reason": "", "left_out": {}}
    return found.model_copy(update=again)


def records_of(store: Store, experiment: Experiment) -> list[RunRecord]:
    """Every run of an experiment that was kept, warm-ups and failed ones too."""
    mine = RunFilter(visitor=None, experiment_id=experiment.id, limit=None)
    return store.records(mine)


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
    work = _Work(laboratory, experiment, workload, cancel, tell)
    scheduler = laboratory.bench.scheduler
    who = known_as or experiment.plan.name
    with scheduler.lease(_QUEUE, who, cancel, work.tell_place):
        return work.conduct()


class _Work:
    """One sitting: what was made so far, in the store and since."""

    def __init__(
        self,
        laboratory: Laboratory,
        experiment: Experiment,
        workload: Workload,
        cancel: CancelToken,
        tell: Callable[[Status], None],
    ) -> None:
        self._laboratory = laboratory
        self._experiment = experiment
        self._plan = experiment.plan
        self._labels = experiment.plan.labels
        self._workload = workload
        self._prompts = [prompts_of(messages) for messages in workload.conversations]
        self._cells = sequence(
            len(self._plan.setups), workload.turns, self._plan.repeats, self._plan.seed
        )
        self._cancel = cancel
        self._tell = tell
        self._made: dict[Cell, list[RunRecord]] = {}
        self._missing = dict.fromkeys(self._cells)
        self._tally = Tally()
        self._failures: Counter[int] = Counter()
        self._left_out: dict[int, str] = {}
        self._warmed: set[int] = set()
        self._begun_ns = laboratory.clock_ns()

    def conduct(self) -> Experiment:
        for record in records_of(self._laboratory.store, self._experiment):
            self._note(record)
        self._begun_ns = self._laboratory.clock_ns()
        reason, in_round = "", 1
        for cell in self._cells:
            if cell.setup in self._left_out or cell not in self._missing:
                continue
            if cell.round != in_round:
                self._keep_state()
                in_round = cell.round
            reason = self._why_stop()
            if not reason and cell.setup not in self._warmed:
                self._warm_up(cell.setup)
                reason = self._why_stop()
            if reason:
                break
            self._make(cell)
        reason = reason or self._passes()
        reason = reason or (STOPPED if self._cancel.is_cancelled else "")
        if isinstance(self._cancel, StopToken) and self._cancel.is_pause:
            self._keep_state(state="paused", reason="")
        else:
            self._keep_state(state="stopped" if reason else "finished", reason=reason)
        self._tell_status("done")
        return self._experiment

    def tell_place(self, place: Place) -> None:
        who = place.holder or f"{place.ahead} in the queue"
        self._tell_status(f"waiting for another experiment: {who}")

    def _make(self, cell: Cell) -> None:
        for _ in range(_ATTEMPTS):
            if cell not in self._missing or cell.setup in self._left_out or self._why_stop():
                return
            self._run(cell)

    def _passes(self) -> str:
        return run_passes(
            PassWork(
                laboratory=self._laboratory,
                experiment=self._experiment,
                workload=self._workload,
                cancel=self._cancel,
                left_out=self._left_out,
                run=self._run,
                why_stop=self._why_stop,
                tell=self._tell_status,
                keep=self._keep,
            )
        )

    def _warm_up(self, setup: int) -> None:
        """Runs of the first prompt under other salts, kept and not compared."""
        self._warmed.add(setup)
        for turn in range(self._plan.warm_ups):
            if setup in self._left_out or self._why_stop():
                return
            cell = Cell(WARM_UP_ROUND, 0, turn, setup)
            if self._run(cell).status == "failed" and setup not in self._left_out:
                self._run(cell)

    def _run(
        self, cell: Cell, request: Request | None = None, meter: EnergyMeter | None = None
    ) -> RunRecord:
        setup, label = self._plan.setups[cell.setup].setup, self._labels[cell.setup]
        attempt = len(self._made.get(cell, ())) + 1
        is_served = _is_served(setup)
        self._tell_status(f"{label}, {round_name(cell.round)}")
        order = RunOrder(
            setup=setup,
            request=request or self._request(cell, attempt, is_served),
            label=label,
            visitor=self._experiment.visitor,
            purpose="benchmark",
            experiment=ExperimentPlace(
                id=self._experiment.id,
                round=cell.round,
                conversation=cell.conversation,
                turn=cell.turn,
                setup=cell.setup,
                attempt=attempt,
            ),
        )
        load = None if is_served else self._laboratory.load
        lane = _WatchedLane(Column(setup=setup), label, load=load, meter=meter)
        record = run(self._laboratory.bench, order, lane, self._cancel)
        if meter is not None:
            meter.end()
        record = record.model_copy(update={"disturbed": load.end() if load else ""})
        self._keep(lambda: self._laboratory.store.save_run(record), "the run")
        self._note(record)
        self._count_failures(record, cell.setup)
        return record

    def _request(self, cell: Cell, attempt: int, is_served: bool) -> Request:
        """The same prompt for every setup of a pair, except on servers: two setups may be one
        server, whose cache then knew the prompt from the first."""
        is_warm_up = cell.round == WARM_UP_ROUND
        messages = self._prompts[cell.conversation][0 if is_warm_up else cell.turn]
        place: tuple[int, ...] = (cell.round, cell.conversation)
        if is_warm_up:
            place += (cell.turn,)
        if is_served:
            place += (cell.setup, attempt)
        salt = salt_of(self._plan.seed, *place) if self._plan.salted else ""
        return Request(messages=salted(messages, salt), sampling=self._plan.sampling)

    def _note(self, record: RunRecord) -> None:
        place = record.experiment
        assert place is not None
        cell = Cell(place.round, place.conversation, place.turn, place.setup)
        runs = self._made.setdefault(cell, [])
        runs.append(record)
        self._tally.add(record)
        # It counts, or it was disturbed and made again already.
        finished = sum(run.status == "finished" for run in runs)
        if record.is_undisturbed or finished >= _ATTEMPTS:
            self._missing.pop(cell, None)

    def _count_failures(self, record: RunRecord, setup: int) -> None:
        self._failures[setup] = self._failures[setup] + 1 if record.status == "failed" else 0
        if self._failures[setup] >= _FAILURES_IN_A_ROW:
            error = record.error
            said = f"{error.message} {error.remedy}".strip() if error else "It failed."
            self._left_out[setup] = said

    def _why_stop(self) -> str:
        """The reason to make no further run; empty while there is none."""
        if self._cancel.is_cancelled:
            return STOPPED
        budget, money = self._plan.time_budget_seconds, self._plan.money_budget_dollars
        if budget is not None and self._seconds() >= budget:
            return f"The time budget of {budget:g} s is spent."
        if money is None or not self._tally.runs:
            return ""
        spent = self._tally.dollars
        if spent is None:
            return "The money budget cannot be kept: what a run costs is not known. Set a price."
        return f"The money budget of ${money} is spent." if spent >= money else ""

    def _seconds(self) -> float:
        """Of all sittings together."""
        return self._experiment.seconds + (self._laboratory.clock_ns() - self._begun_ns) / 1e9

    def _keep(self, save: Callable[[], None], what: str) -> None:
        for seconds in _STORE_AGAIN_AFTER_SECONDS:
            try:
                save()
                return
            except NotRecorded:
                self._tell_status(f"{what} could not be recorded; trying again")
                self._cancel.wait(seconds)
        save()

    def _keep_state(self, **changes: object) -> None:
        named = {self._labels[setup]: said for setup, said in self._left_out.items()}
        now = {"updated_at": dt.datetime.now(dt.UTC), "seconds": self._seconds()}
        self._experiment = self._experiment.model_copy(update={"left_out": named, **now, **changes})
        self._begun_ns = self._laboratory.clock_ns()
        experiment = self._experiment
        self._keep(lambda: self._laboratory.store.save_experiment(experiment), "its state")

    def _tell_status(self, doing: str) -> None:
        left = Counter(cell.setup for cell in self._missing if cell.setup not in self._left_out)
        self._tell(
            Status(
                planned=len(self._cells),
                made=len(self._cells) - len(self._missing),
                doing=doing,
                seconds=self._seconds(),
                seconds_left=self._tally.seconds_for(left),
                dollars=self._tally.dollars,
                dollars_left=self._tally.dollars_for(left),
                disturbed=self._tally.disturbed,
                left_out={self._labels[setup]: said for setup, said in self._left_out.items()},
            )
        )


class _WatchedLane(Lane):
    """A lane that has load and energy watched from the moment the engine is asked."""

    def __init__(
        self, column: Column, label: str, *, load: OtherLoad | None, meter: EnergyMeter | None
    ) -> None:
        super().__init__(column, label)
        self._load = load
        self._meter = meter

    def start_running(self) -> None:
        # Progress is only told by a load, and a load starts a process.
        if self._load is not None:
            self._load.begin(new_processes=self.progress is not None)
        if self._meter is not None:
            self._meter.begin()
        super().start_running()


def _is_served(setup: Setup) -> bool:
    """Whether a server answers: its work is not this program's, and its cache may be shared."""
    try:
        return isinstance(get_backend(setup.backend), Paid)
    except DynoError:
        return False  # the run itself will say so
