"""What conversations and experiments have alike: an owner, and a way back from deletion."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.bench.store import runs
from app.bench.store.tables import ConversationRow, ExperimentRow

Row = TypeVar("Row", ConversationRow, ExperimentRow)


def owned(
    session: Session, table: type[Row], id_: str, visitor: str | None, *, deleted: bool = False
) -> Row | None:
    """The row, if it is the visitor's and shown (hidden, where `deleted` asks for that)."""
    row = session.get(table, id_)
    if row is None or (row.deleted_at is not None) != deleted:
        return None
    return row if visitor is None or row.visitor == visitor else None


def hide(
    session: Session,
    row: ConversationRow | ExperimentRow | None,
    its_runs: ColumnElement[bool],
    now: dt.datetime,
) -> bool:
    """With its runs, all at one moment."""
    if row is None:
        return False
    row.deleted_at = now
    runs.hide(session, now, its_runs)
    return True


def show(
    session: Session, row: ConversationRow | ExperimentRow | None, its_runs: ColumnElement[bool]
) -> bool:
    """With those of its runs that were hidden with it."""
    if row is None or row.deleted_at is None:
        return False
    runs.show(session, row.deleted_at, its_runs)
    row.deleted_at = None
    return True
