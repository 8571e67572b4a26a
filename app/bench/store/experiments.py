"""Rows of experiments, inside a session that is given. Their runs are rows of `runs`."""

from __future__ import annotations

import json

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bench.experiments.experiment import Experiment
from app.bench.store.tables import ExperimentRow
from backends.errors import DynoError


def save(session: Session, experiment: Experiment) -> None:
    session.merge(
        ExperimentRow(
            id=experiment.id,
            created_at=experiment.created_at,
            updated_at=experiment.updated_at,
            visitor=experiment.visitor,
            name=experiment.plan.name,
            plan=experiment.plan.model_dump_json(),
            workload_digest=experiment.workload_digest,
            state=experiment.state,
            reason=experiment.reason,
            left_out=json.dumps(experiment.left_out, ensure_ascii=False),
            seconds=experiment.seconds,
        )
    )


def load(session: Session, id_: str, visitor: str | None) -> Experiment | None:
    """Raises `DynoError` for an experiment that this version cannot read."""
    row = session.get(ExperimentRow, id_)
    if row is None or (visitor is not None and row.visitor != visitor):
        return None
    found = _parse(row)
    if found is None:
        raise DynoError(
            "This experiment was kept by another version and cannot be read by this one.",
            "Update the app.",
        )
    return found


def newest(session: Session, visitor: str | None, limit: int) -> list[Experiment]:
    """Newest first; unreadable ones are left out."""
    chosen = select(ExperimentRow).order_by(ExperimentRow.created_at.desc(), ExperimentRow.id)
    if visitor is not None:
        chosen = chosen.where(ExperimentRow.visitor == visitor)
    parsed = (_parse(row) for row in session.scalars(chosen.limit(limit)))
    return [one for one in parsed if one is not None]


def _parse(row: ExperimentRow) -> Experiment | None:
    names = ("id", "created_at", "updated_at", "visitor", "workload_digest", "state", "reason")
    fields = {name: getattr(row, name) for name in (*names, "seconds")}
    try:
        fields["left_out"] = json.loads(row.left_out)
        fields["plan"] = json.loads(row.plan)
        return Experiment.model_validate(fields)
    except (ValidationError, ValueError):
        return None
