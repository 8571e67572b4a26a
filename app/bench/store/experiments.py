"""Rows of experiments, inside a session that is given. Their runs are rows of `runs`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy import delete as delete_from
from sqlalchemy.orm import Session

from app.bench.experiments.experiment import Experiment
from app.bench.store import owned, runs
from app.bench.store.tables import ExperimentRow, RunGroupRow, RunRow
from app.bench.store.upserts import upsert
from app.bench.store.values import ExperimentSummary
from backends.errors import DynoError

MAX_NAME_CHARS = 120


def save(session: Session, experiment: Experiment) -> None:
    """Insert or replace; the name that a user gave it and whether it is hidden stay."""
    row = {
        "id": experiment.id,
        "created_at": experiment.created_at,
        "updated_at": experiment.updated_at,
        "visitor": experiment.visitor,
        "name": experiment.plan.name,
        "plan": experiment.plan.model_dump_json(),
        "workload_digest": experiment.workload_digest,
        "state": experiment.state,
        "reason": experiment.reason,
        "left_out": json.dumps(experiment.left_out, ensure_ascii=False),
        "seconds": experiment.seconds,
        "imported_from": experiment.imported_from,
    }
    upsert(session, ExperimentRow, [row])


def load(session: Session, id_: str, visitor: str | None) -> Experiment | None:
    """Raises `DynoError` for an experiment that this version cannot read."""
    row = _owned(session, id_, visitor)
    if row is None:
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
    parsed = (_parse(row) for row in session.scalars(_shown(visitor).limit(limit)))
    return [one for one in parsed if one is not None]


def count(session: Session, visitor: str | None) -> int:
    shown = _shown(visitor).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(shown)) or 0


def summaries(
    session: Session, visitor: str | None, limit: int, offset: int
) -> list[ExperimentSummary]:
    """Newest first; runs are counted by their groups."""
    rows = list(session.scalars(_shown(visitor).limit(limit).offset(offset)))
    counts = _counts(session, [row.id for row in rows])
    return [
        ExperimentSummary(
            id=row.id,
            visitor=row.visitor,
            name=row.title or row.name,
            created_at=row.created_at,
            updated_at=row.updated_at,
            state=row.state,
            reason=row.reason,
            **_planned(row.plan),
            left_out=len(_parsed(row.left_out)),
            imported_from=row.imported_from,
            **counts.get(row.id, _NO_RUNS),
        )
        for row in rows
    ]


def rename(session: Session, id_: str, visitor: str | None, name: str) -> bool:
    row = _owned(session, id_, visitor)
    if row is not None:
        row.title = " ".join(name.split())[:MAX_NAME_CHARS]
    return row is not None


def delete(session: Session, id_: str, visitor: str | None, now: dt.datetime) -> bool:
    return owned.hide(session, _owned(session, id_, visitor), RunRow.experiment_id == id_, now)


def restore(session: Session, id_: str, visitor: str | None) -> bool:
    row = _owned(session, id_, visitor, deleted=True)
    return owned.show(session, row, RunRow.experiment_id == id_)


def is_known(session: Session, id_: str) -> bool:
    """Also where it is hidden or someone else's."""
    return session.get(ExperimentRow, id_) is not None


def discard(session: Session, id_: str) -> None:
    """Remove it for good with its hidden runs, if it is hidden."""
    row = session.get(ExperimentRow, id_)
    if row is not None and row.deleted_at is not None:
        runs.discard(session, RunRow.experiment_id == id_)
        session.delete(row)


def purge(session: Session, before: dt.datetime) -> None:
    session.execute(delete_from(ExperimentRow).where(ExperimentRow.deleted_at < before))


_NO_RUNS: dict[str, Any] = {"finished": 0, "failed": 0, "disturbed": 0, "last_run_at": None}


def _counts(session: Session, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    def counted(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((which, RunGroupRow.runs), else_=0))

    found = session.execute(
        select(
            RunGroupRow.experiment_id,
            counted(RunGroupRow.status == "finished"),
            counted(RunGroupRow.status == "failed"),
            counted(RunGroupRow.is_disturbed.is_(True)),
            func.max(RunGroupRow.last_run_at),
        )
        .where(RunGroupRow.experiment_id.in_(ids), RunGroupRow.is_compared.is_(True))
        .group_by(RunGroupRow.experiment_id)
    )
    return {
        str(id_): {
            "finished": int(finished),
            "failed": int(failed),
            "disturbed": int(disturbed),
            "last_run_at": last_run_at,
        }
        for id_, finished, failed, disturbed, last_run_at in found
    }


def _shown(visitor: str | None) -> Select[ExperimentRow]:
    chosen = select(ExperimentRow).where(ExperimentRow.deleted_at.is_(None))
    if visitor is not None:
        chosen = chosen.where(ExperimentRow.visitor == visitor)
    return chosen.order_by(ExperimentRow.created_at.desc(), ExperimentRow.id)


def _owned(
    session: Session, id_: str, visitor: str | None, *, deleted: bool = False
) -> ExperimentRow | None:
    return owned.owned(session, ExperimentRow, id_, visitor, deleted=deleted)


def _planned(plan: str) -> dict[str, Any]:
    """What a list tells of a plan, whichever version wrote it."""
    parsed = _parsed(plan)
    return {
        "workload": str(parsed.get("workload", "")),
        "setups": len(parsed.get("setups", ())),
    }


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _parse(row: ExperimentRow) -> Experiment | None:
    names = ("id", "created_at", "updated_at", "visitor", "workload_digest", "state", "reason")
    fields = {name: getattr(row, name) for name in (*names, "seconds", "imported_from")}
    try:
        fields["left_out"] = json.loads(row.left_out)
        plan = json.loads(row.plan)
        fields["plan"] = {**plan, "name": row.title or plan["name"]}
        return Experiment.model_validate(fields)
    except (ValidationError, ValueError, KeyError, TypeError):
        return None
