"""Fans an experiment out over a Ray cluster: one worker for each GPU, else for each host.

All setups of a pair run on the same worker, in the plan's order; records and store are the same as
on one machine. Every machine needs the app in the folder where it is here.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.progress import Status
from app.bench.experiments.ray_cluster import LOCAL, LOOK_SECONDS, Actor, connected, started
from app.bench.experiments.ray_worker import ORDERS
from app.bench.experiments.running import Laboratory, kept_runs, turn_of
from app.bench.experiments.sitting import Sitting
from app.bench.experiments.units import Units, units_of
from app.bench.experiments.workloads import Workload
from app.bench.record import RunRecord
from app.bench.runner import RunOrder
from backends.engine import CancelToken
from backends.errors import DynoError

ALL_LOST = "All workers were lost."
PASSES_ARE_MADE_HERE = "The quality and energy passes are made on one machine: go on without --on."

_log = logging.getLogger("llm_dyno")


class WorkerLost(DynoError):
    """A worker of the cluster ended, or cannot be reached any more."""


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
    What a worker had not ended when it died is made again by another one. Passes are not made.

    Raises `MissingDependency` without Ray, `DynoError` where no cluster answers or a worker cannot
    do its part, `NotRecorded` where a run cannot be kept, `Cancelled` for a stop before it begins.
    """
    plan = experiment.plan
    sitting = Sitting(laboratory.store, laboratory.clock_ns, experiment, workload, cancel, tell)
    setups = dict(zip(plan.labels, (one.setup for one in plan.setups), strict=True))
    sitting.tell_status("connects to Ray")
    is_here = address == LOCAL
    with (
        turn_of(laboratory, sitting, plan.name, cancel) if is_here else contextlib.nullcontext(),
        connected(address) as ray,
        started(ray, setups, workers, cancel, sitting.tell_status) as actors,
    ):
        makers = [RayMaker(actor) for actor in actors]
        sitting.begin(kept_runs(laboratory.store, experiment), [maker.place for maker in makers])
        crew = _Crew(sitting, Units(units_of(sitting.cells, salted=plan.salted)))
        crew.work(makers)
        if len(crew.units) and crew.lost and not sitting.why_end():
            return sitting.end(f"{ALL_LOST} {crew.lost[-1].message}")
        passes = {one.name for one in laboratory.store.passes(experiment.id)}
        wanted = {"quality": plan.quality, "energy": plan.energy}
        is_missing = any(asked and name not in passes for name, asked in wanted.items())
        return sitting.end(PASSES_ARE_MADE_HERE if is_missing else "")


class RayMaker:
    """Has runs made by one worker."""

    def __init__(self, actor: Actor) -> None:
        self.place = actor.place
        self._actor = actor

    def make(self, order: RunOrder, cancel: CancelToken) -> RunRecord:
        """Raises `WorkerLost`, and `DynoError` where the worker does not do as it should."""
        ray, worker = self._actor.ray, self._actor.handle
        forget = cancel.on_cancel(self._stop)
        try:
            made = worker.make.remote(ORDERS.dump_json(order).decode())
            while not ray.wait([made], timeout=LOOK_SECONDS)[0]:
                pass
            return RunRecord.model_validate_json(ray.get(made))
        except ray.exceptions.RayTaskError as error:
            raise DynoError(
                f"The worker {self.place} failed: {str(error).strip().splitlines()[-1]}",
                "Its log in the cluster has the details.",
            ) from error
        except (ray.exceptions.RayError, ConnectionError) as error:
            _log.warning("the worker %s was lost: %s", self.place, error)
            raise WorkerLost(
                f"The worker {self.place} was lost ({type(error).__name__}).",
                "The others go on; the log has the details.",
            ) from error
        except ValidationError as error:
            raise DynoError(
                f"The worker {self.place} answers in another way than this version.",
                "Install the same version of the app on every machine.",
            ) from error
        finally:
            forget()

    def _stop(self) -> None:
        with contextlib.suppress(Exception):
            self._actor.handle.stop.remote()


@dataclass
class _Crew:
    """Makers at work on one sitting, each in a thread of its own."""

    sitting: Sitting
    units: Units
    failures: list[BaseException] = field(default_factory=list)
    lost: list[WorkerLost] = field(default_factory=list)

    def work(self, makers: Sequence[RayMaker]) -> None:
        """Until nothing is left, there is a reason to end, or all are lost. Raises what failed."""
        threads = [
            threading.Thread(target=self._serve, args=(maker,), daemon=True) for maker in makers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _serve(self, maker: RayMaker) -> None:
        """Have one worker do unit after unit."""
        while not self.failures and not self.sitting.why_end():
            unit = self.units.take()
            if unit is None:
                return
            is_done = True
            try:
                try:
                    self.sitting.work(maker, unit)
                except WorkerLost as error:
                    is_done = False
                    self.lost.append(error)
                    self.sitting.tell_status(error.message)
                    self.sitting.make_whole(unit)
                    return
            except BaseException as error:
                self.failures.append(error)
            finally:
                self.units.end(unit, is_done=is_done)
