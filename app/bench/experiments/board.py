"""Experiments as jobs of the server: each in a thread of its own, one after the other.

A page starts one, looks at its status whenever it likes, and may pause, go on or cancel. What is
done is in the store: after a restart of the app an experiment goes on from there.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from dataclasses import dataclass, field

from app.bench.experiments.bounds import bounded
from app.bench.experiments.experiment import Experiment, State
from app.bench.experiments.plan import Plan
from app.bench.experiments.progress import Status
from app.bench.experiments.running import (
    CannotResume,
    Laboratory,
    begin,
    conduct,
    resume,
)
from app.bench.experiments.shelf import WorkloadShelf, asked_by
from app.bench.experiments.sitting import STOPPED, StopToken
from app.bench.experiments.workloads import Workload
from backends.errors import Cancelled, DynoError, InvalidRequest, NotRecorded
from backends.settings import Settings

_CLOSE_SECONDS = 5.0
_log = logging.getLogger("llm_dyno")


@dataclass(slots=True)
class _Sitting:
    """Work on one experiment. `status` is replaced whole, so that a reader never sees half."""

    experiment: Experiment
    workload: Workload
    status: Status
    after: _Sitting | None
    is_unkept: bool = False
    stop: StopToken = field(default_factory=StopToken)
    done: threading.Event = field(default_factory=threading.Event)

    def take(self, status: Status) -> None:
        self.status = status


class ExperimentBoard:
    """Every experiment that this server works on or worked on.

    A visitor may touch only own ones; None is the machine's owner, who may touch all.
    """

    def __init__(self, laboratory: Laboratory, settings: Settings) -> None:
        self._laboratory = laboratory
        self._store = laboratory.store
        self._settings = settings
        self._shelf = WorkloadShelf(settings)
        self._lock = threading.Lock()
        self._sittings: dict[str, _Sitting] = {}

    def start(self, plan: Plan, workload: Workload, visitor: str) -> Experiment:
        """Begin a new one, at once or when those before it have ended.

        Raises `PlanInvalid` for too many runs, `InvalidRequest` where too many wait already, and
        `NotRecorded` where it cannot be kept.
        """
        allowed = bounded(plan, workload, self._settings)
        with self._lock:
            self._refuse_too_many(visitor)
            self._shelf.keep(workload)
            experiment = begin(self._store, allowed, workload, visitor)
            return self._sit(experiment, workload)

    def resume(self, id_: str, visitor: str | None) -> Experiment:
        """Go on with one that was paused, stopped or broken off; one that runs just runs on.

        Raises `CannotResume` where it is not the visitor's, `WorkloadGone` without its prompts.
        """
        with self._lock:
            found = self._found(id_, visitor)
            sitting = self._sittings.get(id_)
            if sitting is not None and self._goes_on(sitting):
                return sitting.experiment
            self._refuse_too_many(found.visitor)
            plan = bounded(found.plan, workload := self.workload_of(found), self._settings)
            experiment = resume(self._store, id_, plan, workload)
            self._store.save_experiment(experiment)
            return self._sit(experiment, workload)

    def pause(self, id_: str, visitor: str | None) -> None:
        """Stop the run that is made, keep the others, and free the device. Returns at once."""
        with self._lock:
            self._found(id_, visitor)
            sitting = self._sittings.get(id_)
        if sitting is not None and not sitting.done.is_set():
            sitting.stop.pause()

    def cancel(self, id_: str, visitor: str | None) -> None:
        """The same for good: it is "stopped" then, though it can be gone on with all the same."""
        with self._lock:
            found = self._found(id_, visitor)
            sitting = self._sittings.get(id_)
            is_here = sitting is not None and not sitting.done.is_set()
            if not is_here and found.state in ("begun", "paused"):
                self._store.save_experiment(_ended(found, "stopped", STOPPED))
        if sitting is not None:
            sitting.stop.is_pause = False
            sitting.stop.cancel()

    def status(self, id_: str) -> Status | None:
        """How far it is; None where it is not worked on here."""
        with self._lock:
            sitting = self._sittings.get(id_)
        return None if sitting is None or sitting.done.is_set() else sitting.status

    def running(self, visitor: str | None) -> tuple[str, ...]:
        """Ids of those that are worked on or wait, in the order in which they were started."""
        with self._lock:
            found = [one.experiment for one in self._sittings.values() if not one.done.is_set()]
        return tuple(one.id for one in found if visitor in (None, one.visitor))

    def last(self, id_: str, visitor: str | None) -> Experiment | None:
        """As it is kept; where the store could not be told how work on it here ended, as that.
        None where it is not the visitor's."""
        with self._lock:
            sitting = self._sittings.get(id_)
        if sitting is None or not (sitting.done.is_set() and sitting.is_unkept):
            return self._store.experiment(id_, visitor)
        ended = sitting.experiment
        try:
            kept = self._store.experiment(id_, visitor)
        except DynoError:
            return ended if visitor in (None, ended.visitor) else None
        if kept is None or kept.updated_at >= ended.updated_at:
            return kept
        return ended.model_copy(update={"plan": kept.plan})  # it may have another name by now

    def close(self) -> None:
        """Pause all and wait a little for it; each goes on after `resume`."""
        with self._lock:
            sittings = list(self._sittings.values())
        for sitting in sittings:
            if not sitting.done.is_set():
                sitting.stop.pause()
        deadline = time.monotonic() + _CLOSE_SECONDS
        for sitting in sittings:
            sitting.done.wait(max(0.0, deadline - time.monotonic()))

    def _found(self, id_: str, visitor: str | None) -> Experiment:
        found = self._store.experiment(id_, visitor)
        if found is None:
            raise CannotResume(
                f"There is no experiment {id_}.", "The list shows those that there are."
            )
        return found

    def _goes_on(self, sitting: _Sitting) -> bool:
        return not sitting.done.is_set() and not sitting.stop.is_cancelled

    def _refuse_too_many(self, visitor: str) -> None:
        going = [one.experiment for one in self._sittings.values() if self._goes_on(one)]
        if self._settings.public and any(one.visitor == visitor for one in going):
            raise InvalidRequest(
                "You have an experiment here that has not ended.", "Wait for it, or cancel it."
            )
        if len(going) > self._settings.max_queue:  # one of them is at work
            raise InvalidRequest(
                f"{self._settings.max_queue} experiments are waiting already.",
                "Try again when one of them has ended.",
            )

    def workload_of(self, experiment: Experiment) -> Workload:
        """What it asked. Raises `WorkloadGone`."""
        return asked_by(experiment, self._settings)

    def _sit(self, experiment: Experiment, workload: Workload) -> Experiment:
        """Start the thread. It begins its work when an earlier one on the same has ended."""
        planned = len(experiment.plan.setups) * experiment.plan.repeats * sum(workload.turns)
        before = self._sittings.pop(experiment.id, None)
        if before is not None and before.done.is_set():
            before = None
        # Those that ended are told by the store, and need not hold their prompts here.
        self._sittings = {
            id_: one
            for id_, one in self._sittings.items()
            if one.is_unkept or not one.done.is_set()
        }
        status = Status(planned, 0, "begins", experiment.seconds)
        sitting = _Sitting(experiment, workload, status, before)
        self._sittings[experiment.id] = sitting
        name = f"experiment-{experiment.id}"
        threading.Thread(target=self._work, args=(sitting,), name=name, daemon=True).start()
        return experiment

    def _work(self, sitting: _Sitting) -> None:
        """Conduct it; however that ends, the experiment says so."""
        try:
            self._wait_for_the_one_before(sitting)
            known_as = "an experiment" if self._settings.public else ""
            sitting.experiment = conduct(
                self._laboratory,
                sitting.experiment,
                sitting.workload,
                sitting.stop,
                sitting.take,
                known_as,
            )
        except Cancelled:  # while it waited for others
            state: State = "paused" if sitting.stop.is_pause else "stopped"
            self._end(sitting, state, "" if sitting.stop.is_pause else STOPPED)
        except DynoError as error:
            self._end(sitting, "stopped", f"{error.message} {error.remedy}".strip())
        except Exception as error:
            _log.exception("an experiment failed")
            reason = f"It failed ({type(error).__name__}); the log has the details."
            self._end(sitting, "stopped", reason)
        finally:
            sitting.done.set()

    def _wait_for_the_one_before(self, sitting: _Sitting) -> None:
        """An earlier sitting of the same experiment keeps how it ended: go on from that."""
        if sitting.after is None:
            return
        sitting.after.done.wait()
        sitting.after = None
        plan = sitting.experiment.plan
        sitting.experiment = resume(self._store, sitting.experiment.id, plan, sitting.workload)
        self._store.save_experiment(sitting.experiment)

    def _end(self, sitting: _Sitting, state: State, reason: str) -> None:
        """Say how it ended, in the store if that can be told."""
        try:
            kept = self._store.experiment(sitting.experiment.id, None) or sitting.experiment
        except DynoError:
            kept = sitting.experiment
        sitting.experiment = _ended(kept, state, reason)
        try:
            self._store.save_experiment(sitting.experiment)
        except NotRecorded as error:
            sitting.is_unkept = True
            _log.warning("the end of an experiment was not recorded: %s", error.message)


def _ended(experiment: Experiment, state: State, reason: str) -> Experiment:
    now = dt.datetime.now(dt.UTC)
    return experiment.model_copy(update={"state": state, "reason": reason, "updated_at": now})
