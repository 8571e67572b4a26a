"""One sitting of an experiment: makes what is missing, keeps each run, and knows why to end.

Several makers may work on one sitting, each in a thread of its own; it does not know where.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.early_stop import is_known_within
from app.bench.experiments.experiment import Experiment, State
from app.bench.experiments.ledger import ATTEMPTS, Ledger
from app.bench.experiments.making import HereMaker, Maker, is_served
from app.bench.experiments.order import WARM_UP_ROUND, Cell, round_name, sequence
from app.bench.experiments.pass_work import PassWork, Rooms
from app.bench.experiments.progress import Status, Tally
from app.bench.experiments.workloads import Workload, prompts_of, salt_of, salted
from app.bench.record import ExperimentPlace, RunRecord
from app.bench.runner import RunOrder
from app.bench.store import Store
from backends.engine import CancelToken
from backends.errors import NotRecorded
from backends.request import Request

STOPPED = "It was stopped."
# A database that is restarted is back soon; a disk that is full is not.
STORE_AGAIN_AFTER_SECONDS = (1.0, 4.0, 15.0)


class StopToken(CancelToken):
    """Ends an experiment early; once `pause` was called it is "paused" then, else "stopped"."""

    def __init__(self) -> None:
        super().__init__()
        self.is_pause = False

    def pause(self) -> None:
        self.is_pause = True
        self.cancel()


class Sitting:
    """Work on one experiment, from what the store has of it to the next reason to end."""

    def __init__(
        self,
        store: Store,
        clock_ns: Callable[[], int],
        experiment: Experiment,
        workload: Workload,
        cancel: CancelToken,
        tell: Callable[[Status], None],
    ) -> None:
        self._store = store
        self._clock_ns = clock_ns
        self._experiment = experiment
        self._plan = experiment.plan
        self._labels = experiment.plan.labels
        self._workload = workload
        self._prompts = [prompts_of(messages) for messages in workload.conversations]
        self.cells = sequence(
            len(self._plan.setups), workload.turns, self._plan.repeats, self._plan.seed
        )
        self._cancel = cancel
        self._tell = tell
        self._lock = threading.RLock()
        self._ledger = Ledger(self.cells)
        self._tally = Tally()
        self._warmed: set[tuple[str, int]] = set()
        self._enough = self._pass_missing = ""
        self._makers = 1
        self._begun_ns = clock_ns()

    def begin(self, records: Iterable[RunRecord], places: Sequence[str] = ("",)) -> None:
        """Take what earlier sittings made; the time counts from here. `places`: of the makers.

        Where the rest of a pair might be made in another place than its beginning was, all of that
        pair is made again.
        """
        self._makers = len(places)
        made_at = set(places)
        for record in records:
            self._note(record)
            if record.experiment is not None:
                made_at.add(record.experiment.worker)
        if len(made_at) > 1:
            self.make_whole(self.cells)
        self._look()
        self._begun_ns = self._clock_ns()

    def work(self, maker: Maker, cells: Sequence[Cell]) -> None:
        """Make what is missing of these cells, in their order, until there is a reason to end."""
        before: Cell | None = None
        for cell in cells:
            if not self._ledger.is_wanted(cell):
                continue
            if before is not None and cell.round != before.round:
                self._keep_state()
            if before is not None and cell.couple != before.couple:
                self._look()
            before = cell
            if not self.why_end() and (maker.place, cell.setup) not in self._warmed:
                self._warm_up(maker, cell.setup)
            if self.why_end():
                return
            for _ in range(ATTEMPTS):
                if self._ledger.is_wanted(cell) and not self.why_end():
                    self._run(maker, cell)
        self._look()

    def pass_through(self, maker: HereMaker, rooms: Rooms) -> None:
        """Make the passes that the plan asks for beside its runs, once these have ended."""
        if self._why_stop():
            return
        # It brings numpy, which a server that starts should not wait for.
        from app.bench.experiments.passes import run_passes

        def make(cell: Cell, request: Request, meter: EnergyMeter | None = None) -> RunRecord:
            return self._run(maker, cell, request, partial(maker.make, meter=meter))

        work = PassWork(
            laboratory=rooms,
            experiment=self._experiment,
            workload=self._workload,
            cancel=self._cancel,
            left_out=self._ledger.left_out,
            run=make,
            why_stop=self._why_stop,
            tell=self.tell_status,
            keep=self._keep,
        )
        self._pass_missing = run_passes(work)

    def make_whole(self, cells: Sequence[Cell]) -> None:
        """Have pairs of these that are half made be made again from their beginning. What there is
        of them is kept and set aside."""
        for sample in self._ledger.set_aside(cells):
            record = self._store.run(sample.run_id, None)
            if record is not None:
                self._save_run(record.model_copy(update={"experiment": sample.place}))

    def _save_run(self, record: RunRecord) -> None:
        self._keep(lambda: self._store.save_run(record), "the run")

    def why_end(self) -> str:
        """The reason to make no further run; empty while there is none."""
        with self._lock:
            return self._why_stop() or self._enough

    def end(self, broken: str = "") -> Experiment:
        """Keep how it ended and return that; `broken` is why no more could be made, if so."""
        with self._lock:
            stopped = self._why_stop() or broken
            is_unmade = broken or self._pass_missing
            is_whole = not (is_unmade or self._ledger.missing())
            reason = "" if is_whole else stopped or self._enough
            state: State = "stopped" if stopped and not is_whole else "finished"
            if isinstance(self._cancel, StopToken) and self._cancel.is_pause:
                state, reason = "paused", ""
            self._keep_state(state=state, reason=reason)
            self.tell_status("done")
            return self._experiment

    def _warm_up(self, maker: Maker, setup: int) -> None:
        """Runs of the first prompt under other salts, kept and not compared."""
        with self._lock:
            self._warmed.add((maker.place, setup))
        for turn in range(self._plan.warm_ups):
            if setup in self._ledger.left_out or self.why_end():
                return
            cell = Cell(WARM_UP_ROUND, 0, turn, setup)
            is_failed = self._run(maker, cell).status == "failed"
            if is_failed and setup not in self._ledger.left_out:
                self._run(maker, cell)

    def _run(
        self,
        maker: Maker,
        cell: Cell,
        request: Request | None = None,
        make: Callable[[RunOrder, CancelToken], RunRecord] | None = None,
    ) -> RunRecord:
        setup, label = self._plan.setups[cell.setup].setup, self._labels[cell.setup]
        attempt = self._ledger.attempts(cell) + 1
        where = f" on {maker.place}" if maker.place else ""
        self.tell_status(f"{label}, {round_name(cell.round)}{where}")
        order = RunOrder(
            setup=setup,
            request=request or self._request(cell, attempt, is_served(setup)),
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
                worker=maker.place,
            ),
        )
        record = (make or maker.make)(order, self._cancel)
        self._save_run(record)
        self._note(record)
        self._ledger.count_failures(record, maker.place, cell.setup)
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
        sampling = self._plan.sampling_of(cell.conversation)
        return Request(messages=salted(messages, salt), sampling=sampling)

    def _note(self, record: RunRecord) -> None:
        self._ledger.note(record)
        with self._lock:
            self._tally.add(record)

    def _look(self) -> None:
        """Whether the intervals are narrow enough by now."""
        percent = self._plan.stop_within_percent
        if percent is None:
            return
        # It brings numpy, which a server that starts should not wait for.
        from app.bench.experiments.statistics import conclude

        ids = [one.setup.id for one in self._plan.setups]
        conclusion = conclude(self._labels, ids, self._ledger.samples(), self._plan.confidence)
        if is_known_within(conclusion, percent, without=set(self._ledger.left_out)):
            self._enough = f"Every interval is within ± {percent:g} %."

    def _why_stop(self) -> str:
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
        return self._experiment.seconds + (self._clock_ns() - self._begun_ns) / 1e9

    def _keep(self, save: Callable[[], None], what: str) -> None:
        for seconds in STORE_AGAIN_AFTER_SECONDS:
            try:
                save()
                return
            except NotRecorded:
                self.tell_status(f"{what} could not be recorded; trying again")
                self._cancel.wait(seconds)
        save()

    def _keep_state(self, **changes: object) -> None:
        with self._lock:
            now = {"updated_at": dt.datetime.now(dt.UTC), "seconds": self._seconds()}
            update = {"left_out": self._named_left_out(), **now, **changes}
            self._experiment = self._experiment.model_copy(update=update)
            self._begun_ns = self._clock_ns()
            experiment = self._experiment
        self._keep(lambda: self._store.save_experiment(experiment), "its state")

    def tell_status(self, doing: str, *, is_waiting: bool = False) -> None:
        with self._lock:
            left = self._ledger.missing()
            seconds = self._tally.seconds_for(left)
            status = Status(
                planned=len(self.cells),
                made=self._ledger.made,
                doing=doing,
                seconds=self._seconds(),
                seconds_left=None if seconds is None else seconds / self._makers,
                dollars=self._tally.dollars,
                dollars_left=self._tally.dollars_for(left),
                disturbed=self._tally.disturbed,
                left_out=self._named_left_out(),
                is_waiting=is_waiting,
            )
        self._tell(status)

    def _named_left_out(self) -> dict[str, str]:
        return {self._labels[setup]: said for setup, said in dict(self._ledger.left_out).items()}
