"""Insert or replace in one statement, in each dialect's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.bench.store.tables import Base


def insert_into(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can be told what to do about rows that are there already."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    target = _target(table)
    return sqlite.insert(target) if is_sqlite else postgresql.insert(target)


def upsert(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with the same columns. Of a row that is there already those columns are replaced, and
    what is not named stays as it is."""
    if not rows:
        return
    keys = [column.name for column in _target(table).primary_key]
    statement = insert_into(session, table)
    named = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=named),
        [dict(one) for one in rows],
    )


def _target(table: type[Base]) -> Table:
    target = inspect(table).local_table
    assert isinstance(target, Table)
    return target
