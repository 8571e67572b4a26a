"""An experiment before its first run: a new one, or an earlier one to go on with."""

from __future__ import annotations

import datetime as dt

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlanInvalid
from app.bench.experiments.workloads import Workload
from app.bench.quality.texts import quality_pieces
from app.bench.record import RunRecord
from app.bench.store import RunFilter, Store
from backends.errors import DynoError

MAX_RUNS = 100_000


class CannotResume(DynoError):
    """There is no such experiment, or it asked something else."""


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
