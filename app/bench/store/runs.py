"""Rows of runs: saved, filtered, read back, hidden and purged, inside a session that is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.bench.record import RunRecord
from app.bench.store.tables import RunBodyRow, RunRow
from app.bench.store.upserts import upsert
from app.bench.store.values import RunFilter, RunSummary, row_of, summary_of
from backends.errors import DynoError

_IDS_AT_ONCE = 500


def save(session: Session, run: RunRecord) -> None:
    """Insert or replace; whether it is hidden or superseded stays as it is."""
    save_all(session, [run])


def save_all(session: Session, runs: Sequence[RunRecord]) -> None:
    """The same for many at once."""
    upsert(session, RunRow, [row_of(run) for run in runs])
    upsert(session, RunBodyRow, [_body_of(run) for run in runs])


def _body_of(run: RunRecord) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "record_version": run.record_version,
        "body": run.model_dump_json(),
    }


def summaries(session: Session, filter_: RunFilter) -> list[RunSummary]:
    rows = session.scalars(_page(select(RunRow), filter_))
    return [summary_of(row) for row in rows]


def count(session: Session, filter_: RunFilter) -> int:
    return session.scalar(select(func.count()).select_from(RunRow).where(*_where(filter_))) or 0


def record(session: Session, id_: str, visitor: str | None) -> RunRecord | None:
    """Raises `DynoError` for a record that this version cannot read."""
    found = session.scalar(
        select(RunBodyRow.body)
        .join(RunRow, RunRow.id == RunBodyRow.run_id)
        .where(RunRow.id == id_, *_owned(visitor), RunRow.deleted_at.is_(None))
    )
    if found is None:
        return None
    parsed = _parse(found)
    if parsed is None:
        raise DynoError(
            "This run was recorded by another version and cannot be read by this one.",
            "Update the app.",
        )
    return parsed


def records(session: Session, filter_: RunFilter) -> list[RunRecord]:
    """Unreadable ones are left out."""
    chosen = select(RunBodyRow.body).join(RunRow, RunRow.id == RunBodyRow.run_id)
    parsed = (_parse(body) for body in session.scalars(_page(chosen, filter_)))
    return [run for run in parsed if run is not None]


def latest_answers(
    session: Session, conversation_id: str, visitor: str
) -> dict[tuple[int, str], RunRecord]:
    """The latest chat run of each turn and column, by turn index and column key.

    Repeats, warm-ups and benchmarks are no answers; neither are runs of other visitors.
    """
    places = session.execute(
        select(RunRow.turn, RunRow.column_key, RunRow.id)
        .where(
            RunRow.conversation_id == conversation_id,
            RunRow.visitor == visitor,
            RunRow.purpose == "chat",
            RunRow.superseded.is_(False),
            RunRow.deleted_at.is_(None),
        )
        .order_by(RunRow.created_at, RunRow.id)
    )
    latest = {(turn, key): id_ for turn, key, id_ in places if turn is not None and key is not None}
    bodies = _bodies(session, list(latest.values()))
    parsed = {place: _parse(bodies[id_]) for place, id_ in latest.items() if id_ in bodies}
    return {place: run for place, run in parsed.items() if run is not None}


def supersede(
    session: Session, conversation_id: str, visitor: str, turn: int, keep: Sequence[str]
) -> None:
    """Take a turn's runs out of its conversation, except `keep`."""
    session.execute(
        update(RunRow)
        .where(
            RunRow.conversation_id == conversation_id,
            RunRow.visitor == visitor,
            RunRow.turn == turn,
            RunRow.id.not_in(keep),
        )
        .values(superseded=True)
    )


def models(session: Session, visitor: str | None) -> list[str]:
    chosen = select(RunRow.model).where(*_owned(visitor), RunRow.deleted_at.is_(None))
    return list(session.scalars(chosen.distinct().order_by(RunRow.model)))


def delete(session: Session, ids: Sequence[str], visitor: str | None, now: dt.datetime) -> int:
    return sum(
        _mark(session, now, RunRow.id.in_(some), RunRow.deleted_at.is_(None), *_owned(visitor))
        for some in _in_parts(ids)
    )


def restore(session: Session, ids: Sequence[str], visitor: str | None) -> int:
    return sum(
        _mark(session, None, RunRow.id.in_(some), RunRow.deleted_at.is_not(None), *_owned(visitor))
        for some in _in_parts(ids)
    )


def delete_conversation(session: Session, conversation_id: str, now: dt.datetime) -> None:
    """Hide the runs of a conversation that are not hidden yet, all with this one moment."""
    _mark(session, now, RunRow.conversation_id == conversation_id, RunRow.deleted_at.is_(None))


def restore_conversation(session: Session, conversation_id: str, deleted_at: dt.datetime) -> None:
    """Show again those that were hidden at that moment, and not those hidden on their own."""
    _mark(session, None, RunRow.conversation_id == conversation_id, RunRow.deleted_at == deleted_at)


def purge(session: Session, before: dt.datetime) -> None:
    """Remove for good what was hidden before that moment."""
    old = select(RunRow.id).where(RunRow.deleted_at < before)
    session.execute(delete_from(RunBodyRow).where(RunBodyRow.run_id.in_(old)))
    session.execute(delete_from(RunRow).where(RunRow.deleted_at < before))


def _mark(session: Session, moment: dt.datetime | None, *where: ColumnElement[bool]) -> int:
    done = session.execute(update(RunRow).where(*where).values(deleted_at=moment))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _owned(visitor: str | None) -> list[ColumnElement[bool]]:
    return [] if visitor is None else [RunRow.visitor == visitor]


def _where(filter_: RunFilter) -> list[ColumnElement[bool]]:
    where = [RunRow.deleted_at.is_(None), *_owned(filter_.visitor)]
    if filter_.model is not None:
        where.append(RunRow.model == filter_.model)
    if filter_.setup:
        where.append(
            or_(
                RunRow.setup_id == filter_.setup,
                RunRow.label.icontains(filter_.setup, autoescape=True),
            )
        )
    if filter_.status is not None:
        where.append(RunRow.status == filter_.status)
    if filter_.purpose is not None:
        where.append(RunRow.purpose == filter_.purpose)
    if filter_.since is not None:
        where.append(RunRow.created_at >= filter_.since)
    if filter_.until is not None:
        where.append(RunRow.created_at < filter_.until)
    if filter_.conversation_id is not None:
        where.append(RunRow.conversation_id == filter_.conversation_id)
    if filter_.experiment_id is not None:
        where.append(RunRow.experiment_id == filter_.experiment_id)
    if filter_.comparable_only:
        where.append(RunRow.comparable.is_(True))
    return where


def _page(chosen: Select[Any], filter_: RunFilter) -> Select[Any]:
    return (
        chosen.where(*_where(filter_))
        .order_by(RunRow.created_at.desc(), RunRow.id)
        .limit(filter_.limit)
        .offset(filter_.offset)
    )


def _bodies(session: Session, ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in _in_parts(ids):
        rows = session.execute(
            select(RunBodyRow.run_id, RunBodyRow.body).where(RunBodyRow.run_id.in_(some))
        )
        found.update((run_id, body) for run_id, body in rows)
    return found


def _parse(body: str) -> RunRecord | None:
    try:
        return RunRecord.model_validate_json(body)
    except ValidationError:
        return None


def _in_parts(ids: Sequence[str]) -> list[Sequence[str]]:
    """SQLite takes a limited number of parameters in one statement."""
    return [ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE)]
