"""Makes one run of an experiment: its prompt under its salt, on its setup, watched. Keeps nothing
and decides nothing."""

from __future__ import annotations

from app.bench.conversation import Column
from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.laboratory import Laboratory
from app.bench.experiments.order import WARM_UP_ROUND, Cell
from app.bench.experiments.workloads import Workload, prompts_of, salt_of, salted
from app.bench.lane import Lane
from app.bench.record import ExperimentPlace, RunRecord
from app.bench.runner import RunOrder, run
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.registry import get_backend
from backends.remote.paid import Paid
from backends.request import Request
from backends.setup import Setup


class PlannedRuns:
    """The runs of one experiment."""

    def __init__(
        self,
        laboratory: Laboratory,
        experiment: Experiment,
        workload: Workload,
        cancel: CancelToken,
    ) -> None:
        self._laboratory = laboratory
        self._experiment = experiment
        self._plan = experiment.plan
        self._labels = experiment.plan.labels
        self._prompts = [prompts_of(messages) for messages in workload.conversations]
        self._cancel = cancel

    def make(
        self,
        cell: Cell,
        attempt: int,
        request: Request | None = None,
        meter: EnergyMeter | None = None,
    ) -> RunRecord:
        """The record of one run, marked where something disturbed it. Without a request it is that
        of the cell's turn. Never raises a `DynoError`: it is in the record."""
        setup, label = self._plan.setups[cell.setup].setup, self._labels[cell.setup]
        is_served = _is_served(setup)
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
        return record.model_copy(update={"disturbed": load.end() if load else ""})

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
        return Request(
            messages=salted(messages, salt), sampling=self._plan.sampling_of(cell.conversation)
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
