"""Fans an experiment out over a Ray cluster: one worker for each GPU, else for each host.

All setups of a pair run on the same worker, in the plan's order; records and store are the same as
on one machine.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.progress import Status
from app.bench.experiments.ray_cluster import LOCAL, RayMaker, WorkerLost, connected, started
from app.bench.experiments.running import Laboratory, records_of, turn_of
from app.bench.experiments.sitting import Sitting
from app.bench.experiments.units import Units, units_of
from app.bench.experiments.workloads import Workload
from backends.engine import CancelToken


def conduct_on_ray(
    laboratory: Laboratory,
    experiment: Experiment,
    workload: Workload,
    cancel: CancelToken,
    tell: Callable[[Status], None],
    address: str = LOCAL,
    workers: int | None = None,
) -> Experiment:
    """As `conduct`, but made by the workers of a cluster; those of this machine alone for "ray".

    `workers`: how many, by default one for each GPU, or where there is none for each host.
    What a worker had not ended when it died is made again by another one.

    Raises `MissingDependency` without Ray, `DynoError` where no cluster answers or a worker does
    not start, `NotRecorded` where a run cannot be kept.
    """
    sitting = Sitting(laboratory.store, laboratory.clock_ns, experiment, workload, cancel, tell)
    with contextlib.ExitStack() as held:
        held.enter_context(turn_of(laboratory, sitting, experiment.plan.name, cancel))
        sitting.tell_status("connects to Ray")
        ray = held.enter_context(connected(address))
        makers = held.enter_context(started(ray, workers, cancel))
        for maker in makers:
            maker.prices = laboratory.bench.prices
        sitting.begin(records_of(laboratory.store, experiment), len(makers))
        units = Units(units_of(sitting.cells))
        lost = _share_out(sitting, makers, units)
        if len(units) and lost and not sitting.why_end():
            return sitting.end(f"All workers were lost. {lost[-1].message}")
        return sitting.end()


def _share_out(sitting: Sitting, makers: Sequence[RayMaker], units: Units) -> list[WorkerLost]:
    """Have all workers do what there is; returns those that were lost. Raises what failed here."""
    lost: list[WorkerLost] = []
    failures: list[BaseException] = []

    def serve(maker: RayMaker) -> None:
        while not failures and not sitting.why_end() and (unit := units.take()) is not None:
            is_done = True
            try:
                sitting.work(maker, unit)
            except WorkerLost as error:
                is_done = False
                lost.append(error)
                sitting.spoil(unit)
                return
            except BaseException as error:
                failures.append(error)
            finally:
                units.end(unit, is_done=is_done)

    threads = [threading.Thread(target=serve, args=(maker,), daemon=True) for maker in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return lost
