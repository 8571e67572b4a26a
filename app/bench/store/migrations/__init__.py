"""Numbered, append-only steps from an empty database to the newest tables, run when it is opened.

A step is never edited once it is released: a change is a new file with the next number.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from backends.errors import DynoError

FOLDER = Path(__file__).parent
# The lock that every writer takes, so that none writes while tables change.
POSTGRES_LOCK = 0x64796E6F


@cache
def revisions() -> tuple[str, ...]:
    """All known revisions, oldest first; file names begin with them."""
    names = (path.name for path in (FOLDER / "versions").iterdir())
    return tuple(sorted(name[:4] for name in names if re.match(r"^\d{4}_\w+\.py$", name)))


def revision_of(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def is_current(connection: Connection) -> bool:
    """Raises `DynoError` where the database was written by a newer version of the app."""
    found = revision_of(connection)
    if found is not None and found not in revisions():
        raise DynoError(
            f"The database was written by a newer version of LLM Dyno (its revision is {found}).",
            "Update the app, or set DYNO_DATA_DIR to another folder to begin afresh.",
        )
    return found == revisions()[-1]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing steps inside the connection's own transaction: all of them or none.

    The caller holds the write lock of a SQLite database (`BEGIN IMMEDIATE`); for PostgreSQL it is
    taken here. A second process that waited for it finds nothing left to do.
    """
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POSTGRES_LOCK})
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
