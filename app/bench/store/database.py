"""One open database: connections, transactions, and how a SQLite file is opened as well as it can.

A file that cannot be written is opened for reading; where that fails too, an empty database in
memory takes its place, so that pages still work and say why.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool, StaticPool

from app.bench.store import migrations
from app.bench.store.tables import Base
from backends.errors import DynoError, MissingDependency
from backends.settings import Settings

FILE_NAME = "dyno.sqlite3"
FAILURES = (SQLAlchemyError, sqlite3.Error, OSError)
_BUSY_SECONDS = 15
_WAL_ATTEMPTS = 100
_CONNECT_SECONDS = 10
# As long as SQLite waits for another writer; and one that was frozen in the middle loses its lock.
_POSTGRES_BEGIN = text(
    "SELECT set_config('lock_timeout', :waits, true), "
    "set_config('idle_in_transaction_session_timeout', '60s', true), "
    "pg_advisory_xact_lock(:key)"
)


@dataclass(frozen=True, slots=True)
class Database:
    """`engine` answers; `writable` says whether it may be written. `file` is None off SQLite.

    `identity` is the file's device and inode: a file that was removed or replaced since would
    swallow what is written to it. `is_stand_in`: empty and in memory, for want of the real one.
    """

    engine: Engine
    writable: bool
    file: Path | None = None
    identity: tuple[int, int] | None = None
    is_stand_in: bool = False

    def is_still_there(self) -> bool:
        return self.file is None or _identity(self.file) == self.identity

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        with Session(self.engine) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the write lock from its start; committed on the way out.

        There is one writer at a time, on PostgreSQL too: what was read before a write still holds.
        """
        engine = self.engine.execution_options(dyno_begin="BEGIN IMMEDIATE")
        with Session(engine) as session, session.begin():
            if engine.dialect.name == "postgresql":
                limits = {"waits": f"{_BUSY_SECONDS}s", "key": migrations.POSTGRES_LOCK}
                session.execute(_POSTGRES_BEGIN, limits)
            yield session

    def close(self) -> None:
        self.engine.dispose()


def database_file(settings: Settings) -> Path | None:
    """Where the SQLite file lies; None for another kind of database."""
    if settings.database_url is None:
        return settings.data_dir / FILE_NAME
    url = _parse(settings.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file else None


def open_writable(settings: Settings) -> Database:
    """Open and migrate. Raises driver errors and `OSError` where the database cannot be written,
    `DynoError` where it is from a newer version or the address is wrong."""
    file = database_file(settings)
    if file is None:
        engine = _server_engine(settings)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        engine = _sqlite_engine(functools.partial(_connect_file, file))
    try:
        if file is not None:
            _use_wal(engine)
        with engine.connect() as connection:
            current = migrations.is_current(connection)
        if not current:
            begin_at_once = engine.execution_options(dyno_begin="BEGIN IMMEDIATE")
            with begin_at_once.begin() as connection:
                if not migrations.is_current(connection):
                    migrations.upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, True, file, _identity(file) if file else None)


def open_for_reading(settings: Settings) -> Database:
    """What can still be read: the file as it is, else nothing at all."""
    file = database_file(settings)
    if file is not None and file.is_file():
        for query in ("mode=ro", "immutable=1"):
            uri = f"{file.resolve().as_uri()}?{query}"
            engine = _sqlite_engine(functools.partial(_connect_uri, uri), pooled=False)
            with contextlib.suppress(DynoError, *FAILURES), engine.connect() as connection:
                if migrations.is_current(connection):
                    return Database(engine, False, file, _identity(file))
            engine.dispose()
    empty = create_engine("sqlite://", poolclass=StaticPool, isolation_level="AUTOCOMMIT")
    Base.metadata.create_all(empty)
    return Database(empty, False, is_stand_in=True)


def _sqlite_engine(connect: Callable[[], sqlite3.Connection], *, pooled: bool = True) -> Engine:
    """An engine whose transactions begin as we say: the driver's own guessing is switched off."""
    # A lone connection each: a pool would keep a file open that is about to become writable.
    engine = (
        create_engine("sqlite+pysqlite:///file", creator=connect)
        if pooled
        else create_engine("sqlite+pysqlite:///file", creator=connect, poolclass=NullPool)
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("dyno_begin", "BEGIN"))

    return engine


def _connect_file(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _connect_uri(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )


def _use_wal(engine: Engine) -> None:
    """Switch the file to WAL. SQLite does not wait for this lock by itself, so ask again."""
    raw = engine.raw_connection()
    try:
        for attempt in range(_WAL_ATTEMPTS):
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
                if not is_busy or attempt == _WAL_ATTEMPTS - 1:
                    raise
                time.sleep(_BUSY_SECONDS / _WAL_ATTEMPTS)
    finally:
        raw.close()


def _server_engine(settings: Settings) -> Engine:
    url = _parse(settings.database_url or "")
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    try:
        return create_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise MissingDependency(
            f"The driver for a {url.get_backend_name()} database is not installed.",
            "PostgreSQL's comes with requirements.txt. Or unset DYNO_DATABASE_URL.",
        ) from error


def _parse(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise DynoError(
            "DYNO_DATABASE_URL is not the address of a database.",
            "It looks like postgresql://user@host/name. Unset it to use a file.",
        ) from error
    # As people and hosting services write it; the driver is ours to choose.
    is_plain = url.drivername in ("postgres", "postgresql")
    return url.set(drivername="postgresql+psycopg") if is_plain else url


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino
