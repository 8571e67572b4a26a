"""Conducts an experiment: makes its runs, one at a time, and stores each as it is made.

What is in the store is never made again, so an experiment that broke off goes on where it was.
Knows nothing of who watches: progress is told to a function, a stop comes by a token.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby

from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.beginning import CannotResume, begin, records_of, resume
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.laboratory import Laboratory
from app.bench.experiments.order import WARM_UP_ROUND, Cell, round_name, sequence
from app.bench.experiments.passes import PassWork, run_passes
from app.bench.experiments.planned_runs import PlannedRuns
from app.bench.experiments.progress import Status, Tally
from app.bench.experiments.statistics import conclude
from app.bench.experiments.stopping import STOPPED, StopToken, budget_spent, narrow_enough
from app.bench.experiments.workloads import Workload
from app.bench.record import RunRecord
from app.bench.scheduler import Place
from backends.engine import CancelToken
from backends.errors import DynoError, NotRecorded
from backends.request import Request

__all__ = [
    "STOPPED",
    "CannotResume",
    "Laboratory",
    "StopToken",
    "begin",
    "conduct",
    "records_of",
    "resume",
]

# Experiments wait for each other as runs wait for a device.
_QUEUE = "experiments"
_ATTEMPTS = 2
_FAILURES_IN_A_ROW = 2
# A database that is restarted is back soon; a disk that is full is not.
_STORE_AGAIN_AFTER_SECONDS = (1.0, 4.0)


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
    a row is left out of the rest. A stop and a spent budget end it early, with the reason, and so
    do intervals as narrow as the plan asks for: then it is finished all the same. Another
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
        self._runs = PlannedRuns(laboratory, experiment, workload, cancel)
        self._cells = sequence(
            len(self._plan.setups), workload.turns, self._plan.repeats, self._plan.seed
        )
        self._cancel = cancel
        self._tell = tell
        self._attempts: Counter[Cell] = Counter()
        self._finished: Counter[Cell] = Counter()
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
        reason = enough = ""
        for number, couple in groupby(self._cells, lambda cell: (cell.round - 1) // 2):
            able = [cell for cell in couple if cell.setup not in self._left_out]
            missing = [cell for cell in able if cell in self._missing]
            # Between whole couples only, in which a drift cancels out.
            if number and missing and len(missing) == len(able):
                enough = self._why_enough()
            reason = "" if enough else self._make_all(missing)
            if enough or reason:
                break
        reason = reason or self._passes()
        reason = reason or (STOPPED if self._cancel.is_cancelled else "")
        if isinstance(self._cancel, StopToken) and self._cancel.is_pause:
            self._keep_state(state="paused", reason="")
        else:
            state = "stopped" if reason else "finished"
            self._keep_state(state=state, reason=reason or enough)
        self._tell_status("done")
        return self._experiment

    def tell_place(self, place: Place) -> None:
        who = place.holder or f"{place.ahead} in the queue"
        self._tell_status(f"waiting for another experiment: {who}")

    def _make_all(self, cells: Iterable[Cell]) -> str:
        """Make these; returns the reason to make no more, empty while there is none."""
        in_round = None
        for cell in cells:
            if not self._is_wanted(cell):
                continue
            if cell.round != in_round:
                self._keep_state()
                in_round = cell.round
            reason = self._why_stop()
            if not reason and cell.setup not in self._warmed:
                self._warm_up(cell.setup)
                reason = self._why_stop()
            if reason:
                return reason
            self._make(cell)
        return ""

    def _is_wanted(self, cell: Cell) -> bool:
        return cell in self._missing and cell.setup not in self._left_out

    def _make(self, cell: Cell) -> None:
        for _ in range(_ATTEMPTS):
            if not self._is_wanted(cell) or self._why_stop():
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
        """Make one run and keep it; without a request that of the cell's turn."""
        self._tell_status(f"{self._labels[cell.setup]}, {round_name(cell.round)}")
        record = self._runs.make(cell, self._attempts[cell] + 1, request, meter)
        self._keep(lambda: self._laboratory.store.save_run(record), "the run")
        self._note(record)
        self._count_failures(record, cell.setup)
        return record

    def _note(self, record: RunRecord) -> None:
        place = record.experiment
        assert place is not None
        cell = Cell(place.round, place.conversation, place.turn, place.setup)
        self._attempts[cell] += 1
        self._finished[cell] += record.status == "finished"
        self._tally.add(record)
        # It counts, or it was disturbed and made again already.
        if record.is_undisturbed or self._finished[cell] >= _ATTEMPTS:
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
        return budget_spent(self._plan, self._seconds(), self._tally)

    def _why_enough(self) -> str:
        """That the runs so far show all that was asked for; empty while they do not."""
        percent = self._plan.stop_within_percent
        if percent is None:
            return ""
        ids = [one.setup.id for one in self._plan.setups]
        try:
            samples = self._laboratory.store.samples(self._experiment.id)
        except DynoError:
            return ""  # the store is gone for a moment; the next couple looks again
        conclusion = conclude(self._labels, ids, samples, self._plan.confidence)
        return narrow_enough(conclusion, self._left_out, percent)

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
