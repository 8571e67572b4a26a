"""Insert or replace in one statement, in each dialect's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.bench.store.tables import Base


def upsert(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with the same columns. Of a row that is there already those columns are replaced, and
    what is not named stays as it is."""
    if not rows:
        return
    target = inspect(table).local_table
    assert isinstance(target, Table)
    keys = [column.name for column in target.primary_key]
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement = sqlite.insert(target) if is_sqlite else postgresql.insert(target)
    named = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=named),
        [dict(one) for one in rows],
    )
