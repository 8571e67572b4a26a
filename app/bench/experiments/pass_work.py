"""What a pass of an experiment works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from app.bench.energy.counters import CounterOf
from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.order import Cell
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.workloads import Workload
from app.bench.record import RunRecord
from app.bench.runner import Bench
from app.bench.store import Store
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.request import Request

Figures = Mapping[int, tuple[SetupFigure, ...]]


class Rooms(Protocol):
    """The laboratory, as far as a pass needs it."""

    @property
    def bench(self) -> Bench: ...
    @property
    def store(self) -> Store: ...
    @property
    def counter_of(self) -> CounterOf: ...


class RunMaker(Protocol):
    """Makes one run of a request in the place of a cell, and keeps it."""

    def __call__(
        self, cell: Cell, request: Request, meter: EnergyMeter | None = None
    ) -> RunRecord: ...


@dataclass(frozen=True, slots=True)
class PassWork:
    """`left_out`: why a setup makes no more runs, by its index; it may grow meanwhile. `why_stop`:
    the reason to end now, empty while there is none. `keep` saves something named, and tries again
    while the store is gone for a moment."""

    laboratory: Rooms
    experiment: Experiment
    workload: Workload
    cancel: CancelToken
    left_out: Mapping[int, str]
    run: RunMaker
    why_stop: Callable[[], str]
    tell: Callable[[str], None]
    keep: Callable[[Callable[[], None], str], None]

    def run_until(
        self,
        is_good: Callable[[RunRecord], bool],
        cell: Cell,
        request: Request,
        meter: EnergyMeter | None = None,
    ) -> RunRecord:
        """One run, made again once where it is not good."""
        record = self.run(cell, request, meter)
        if is_good(record) or cell.setup in self.left_out or self.why_stop():
            return record
        return self.run(cell, request, meter)


def reason_of(error: DynoError) -> str:
    """What an error says, as the reason behind "not measured"."""
    return error.message.rstrip(".")
