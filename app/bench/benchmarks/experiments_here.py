"""Experiments that benchmarks conduct: real runs, kept in a store that goes with them."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from app.bench.benchmarks.engines import opened_bench
from app.bench.experiments.lengths import workload_of
from app.bench.experiments.plan import Plan
from app.bench.experiments.progress import Status
from app.bench.experiments.running import Laboratory, begin, conduct, records_of
from app.bench.record import RunRecord
from app.bench.store import Store
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.settings import get_settings


@dataclass(frozen=True, slots=True)
class Conducted:
    """The records of an experiment, oldest first, and the seconds from its plan to its end."""

    records: list[RunRecord]
    seconds: float


@contextlib.contextmanager
def conducted_here() -> Iterator[Callable[[Plan, Console], Conducted]]:
    """A function that conducts plans, with engines that stay loaded between them.

    The store lies on the disk of the data folder, so that keeping a run costs what it costs there.
    """
    settings = get_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=settings.data_dir) as folder:
        store = Store.open(
            settings.model_copy(update={"data_dir": Path(folder), "database_url": None})
        )
        try:
            with opened_bench() as bench:
                laboratory = Laboratory(bench, store)
                yield lambda plan, console: _conducted(laboratory, plan, console)
        finally:
            store.close()


def _conducted(laboratory: Laboratory, plan: Plan, console: Console) -> Conducted:
    told: set[int] = set()

    def tell(status: Status) -> None:
        tenth = 10 * status.made // status.planned
        if tenth not in told:
            told.add(tenth)
            console.print(f"{plan.name}: {status.made} of {status.planned} runs", highlight=False)

    begun = time.perf_counter()
    workload = workload_of(plan)
    experiment = begin(laboratory.store, plan, workload)
    ended = conduct(laboratory, experiment, workload, CancelToken(), tell)
    seconds = time.perf_counter() - begun
    if ended.state != "finished" or ended.left_out:
        why = "; ".join(ended.left_out.values()) or ended.reason
        raise DynoError(f"The experiment did not finish: {why}")
    return Conducted(records_of(laboratory.store, ended)[::-1], seconds)
