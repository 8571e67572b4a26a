"""Rows of runs: saved, filtered, read back, hidden and purged, inside a session that is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.bench.record import RunRecord
from app.bench.store import groups
from app.bench.store.tables import ExperimentRow, RunBodyRow, RunGroupRow, RunRow
from app.bench.store.upserts import upsert
from app.bench.store.values import RunFilter, RunSummary, row_of, summary_of
from backends.errors import DynoError

_IDS_AT_ONCE = 500


def save(session: Session, run: RunRecord) -> None:
    """Insert or replace; whether it is hidden or superseded stays as it is."""
    save_all(session, [run])


def save_all(session: Session, runs: Sequence[RunRecord]) -> None:
    """The same for many at once. Runs of an experiment that is hidden are hidden with it."""
    runs = list({run.id: run for run in runs}.values())
    rows = [row_of(run) for run in runs]
    before: dict[str, str] = {}
    for some in _in_parts([run.id for run in runs]):
        kept = session.execute(select(RunRow.id, RunRow.group_key).where(RunRow.id.in_(some)))
        before.update((id_, key) for id_, key in kept)
    upsert(session, RunRow, rows)
    upsert(session, RunBodyRow, [_body_of(run) for run in runs])
    new = [row for row in rows if row["id"] not in before]
    hidden_at = _hidden_experiments(session, new)
    for experiment_id, moment in hidden_at.items():
        ids = [row["id"] for row in new if row["experiment_id"] == experiment_id]
        for some in _in_parts(ids):
            _mark(session, moment, RunRow.id.in_(some))
    groups.add(session, rows)
    if before or hidden_at:  # then they were not simply new ones
        groups.recount(session, {*before.values(), *(row["group_key"] for row in rows)})


def _hidden_experiments(
    session: Session, rows: Sequence[Mapping[str, Any]]
) -> dict[str, dt.datetime]:
    ids = {row["experiment_id"] for row in rows} - {None}
    if not ids:
        return {}
    hidden = select(ExperimentRow.id, ExperimentRow.deleted_at).where(
        ExperimentRow.id.in_(ids), ExperimentRow.deleted_at.is_not(None)
    )
    return {id_: moment for id_, moment in session.execute(hidden) if moment is not None}


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
    """Summed over groups, unless the filter asks for what only the runs know."""
    if filter_.since or filter_.until or filter_.conversation_id is not None:
        shown = RunRow.deleted_at.is_(None)
        chosen = select(func.count()).select_from(RunRow).where(shown, *_where(filter_))
    else:
        chosen = select(func.sum(RunGroupRow.runs)).where(*_kind(filter_, RunGroupRow))
    return int(session.scalar(chosen) or 0)


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


def records_of(session: Session, ids: Sequence[str]) -> list[RunRecord]:
    """Full records by id; unreadable ones are left out."""
    parsed = (_parse(body) for body in _bodies(session, ids).values())
    return [run for run in parsed if run is not None]


def earlier_runs(
    session: Session, setup_id: str, visitor: str | None, limit: int
) -> list[RunRecord]:
    """The newest comparable runs of one setup, and as many of its warm-ups in experiments, which
    have loads in them; newest first."""
    mine = (
        RunRow.setup_id == setup_id,
        RunRow.comparable.is_(True),
        RunRow.deleted_at.is_(None),
        *_owned(visitor),
    )
    newest = select(RunRow.id).where(*mine).order_by(RunRow.created_at.desc()).limit(limit)
    warm_ups = newest.where(RunRow.place_round == 0)
    found = records_of(session, [*{*session.scalars(newest), *session.scalars(warm_ups)}])
    return sorted(found, key=lambda run: run.created_at, reverse=True)


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
    wanted = _kind(RunFilter(visitor=visitor), RunGroupRow)
    chosen = select(RunGroupRow.model).where(*wanted, RunGroupRow.runs > 0)
    return list(session.scalars(chosen.distinct().order_by(RunGroupRow.model)))


def delete(session: Session, ids: Sequence[str], visitor: str | None, now: dt.datetime) -> int:
    return _mark_ids(session, now, ids, RunRow.deleted_at.is_(None), *_owned(visitor))


def restore(session: Session, ids: Sequence[str], visitor: str | None) -> int:
    return _mark_ids(session, None, ids, RunRow.deleted_at.is_not(None), *_owned(visitor))


def hide(session: Session, now: dt.datetime, of: ColumnElement[bool]) -> None:
    """Hide the runs of a conversation or an experiment that are not hidden yet, all with this one
    moment."""
    _mark_and_count(session, now, of, RunRow.deleted_at.is_(None))


def show(session: Session, hidden_at: dt.datetime, of: ColumnElement[bool]) -> None:
    """Show again those that were hidden at that moment, and not those hidden on their own."""
    _mark_and_count(session, None, of, RunRow.deleted_at == hidden_at)


def purge(session: Session, before: dt.datetime) -> None:
    """Remove for good what was hidden before that moment."""
    discard(session, RunRow.deleted_at < before)


def discard(session: Session, of: ColumnElement[bool]) -> None:
    """Remove for good those of some runs that are hidden."""
    hidden = (of, RunRow.deleted_at.is_not(None))
    some = select(RunRow.id).where(*hidden)
    session.execute(delete_from(RunBodyRow).where(RunBodyRow.run_id.in_(some)))
    session.execute(delete_from(RunRow).where(*hidden))
    groups.purge(session)


def are_known(session: Session, ids: Sequence[str]) -> bool:
    """Whether one of them is in use, also by a hidden run or someone else's."""
    return any(
        session.scalar(select(RunRow.id).where(RunRow.id.in_(some)).limit(1)) is not None
        for some in _in_parts(ids)
    )


def _mark_ids(
    session: Session, moment: dt.datetime | None, ids: Sequence[str], *where: ColumnElement[bool]
) -> int:
    keys: set[str] = set()
    marked = 0
    for some in _in_parts(ids):
        these = (RunRow.id.in_(some), *where)
        keys |= _keys(session, *these)
        marked += _mark(session, moment, *these)
    groups.recount(session, keys)
    return marked


def _mark_and_count(
    session: Session, moment: dt.datetime | None, *where: ColumnElement[bool]
) -> None:
    keys = _keys(session, *where)
    _mark(session, moment, *where)
    groups.recount(session, keys)


def _keys(session: Session, *where: ColumnElement[bool]) -> set[str]:
    return set(session.scalars(select(RunRow.group_key).where(*where).distinct()))


def _mark(session: Session, moment: dt.datetime | None, *where: ColumnElement[bool]) -> int:
    done = session.execute(update(RunRow).where(*where).values(deleted_at=moment))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _owned(visitor: str | None) -> list[ColumnElement[bool]]:
    return [] if visitor is None else [RunRow.visitor == visitor]


def _where(filter_: RunFilter) -> list[ColumnElement[bool]]:
    where = _kind(filter_, RunRow)
    if filter_.since is not None:
        where.append(RunRow.created_at >= filter_.since)
    if filter_.until is not None:
        where.append(RunRow.created_at < filter_.until)
    if filter_.conversation_id is not None:
        where.append(RunRow.conversation_id == filter_.conversation_id)
    return where


def _kind(filter_: RunFilter, of: type[RunRow] | type[RunGroupRow]) -> list[ColumnElement[bool]]:
    """What runs and groups of runs are both filtered by."""
    where: list[ColumnElement[bool]] = []
    if filter_.visitor is not None:
        where.append(of.visitor == filter_.visitor)
    if filter_.model is not None:
        where.append(of.model == filter_.model)
    if filter_.setup:
        is_label = of.label.icontains(filter_.setup, autoescape=True)
        where.append(or_(of.setup_id == filter_.setup, is_label))
    if filter_.status is not None:
        where.append(of.status == filter_.status)
    if filter_.purpose is not None:
        where.append(of.purpose == filter_.purpose)
    if filter_.experiment_id is not None:
        where.append(of.experiment_id == filter_.experiment_id)
    if filter_.comparable_only:
        where.append(of.comparable.is_(True))
    return where


def _page(chosen: Select[Any], filter_: RunFilter) -> Select[Any]:
    return (
        chosen.where(RunRow.deleted_at.is_(None), *_where(filter_))
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
