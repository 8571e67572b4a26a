"""Who makes the runs of an experiment: this machine, with its load watched."""

from __future__ import annotations

from typing import Protocol

from app.bench.conversation import Column
from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.disturbance import OtherLoad
from app.bench.lane import Lane
from app.bench.record import RunRecord
from app.bench.runner import Bench, RunOrder, run
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.registry import get_backend
from backends.remote.paid import Paid
from backends.setup import Setup


class Maker(Protocol):
    """Makes one run at a time. `place` is where, in words; empty where there is only one."""

    @property
    def place(self) -> str: ...

    def make(self, order: RunOrder, cancel: CancelToken) -> RunRecord:
        """The record, with what disturbed the run; however the run ended, it is in the record."""
        ...


class HereMaker:
    """Makes runs in this process's bench and watches the load of the machine meanwhile."""

    place = ""

    def __init__(self, bench: Bench, load: OtherLoad) -> None:
        self._bench = bench
        self._load = load

    def make(
        self, order: RunOrder, cancel: CancelToken, meter: EnergyMeter | None = None
    ) -> RunRecord:
        load = None if is_served(order.setup) else self._load
        lane = _WatchedLane(Column(setup=order.setup), order.label, load=load, meter=meter)
        record = run(self._bench, order, lane, cancel)
        if meter is not None:
            meter.end()
        return record.model_copy(update={"disturbed": load.look(record) if load else ""})


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


def is_served(setup: Setup) -> bool:
    """Whether a server answers: its work is not this program's, and its cache may be shared."""
    try:
        return isinstance(get_backend(setup.backend), Paid)
    except DynoError:
        return False  # the run itself will say so
