"""Both kinds of database for tests of the store: the same tests run on a file and on a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.store import Store
from backends.settings import Settings
from tests.bench.postgres import PostgresServer

BOTH = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres(session_folder: Path) -> Iterator[PostgresServer]:
    """One server for the whole session, started when it is first asked for."""
    server = PostgresServer(session_folder.parent)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database with all tables, of which others are copied."""
    name = postgres.create()
    Store.open(Settings(database_url=postgres.url(name))).close()
    return name


@pytest.fixture(params=BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An empty store's settings, once for each kind of database."""
    folder = tmp_path / "data"
    if request.param == "sqlite":
        yield Settings(data_dir=folder)
        return
    migrated: str = request.getfixturevalue("migrated")
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create(migrated)
    yield Settings(data_dir=folder, database_url=server.url(name))
    server.drop(name)


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Where there is not a table yet."""
    folder = tmp_path / "data"
    folder.mkdir()
    if request.param == "sqlite":
        yield Settings(data_dir=folder)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create()
    yield Settings(data_dir=folder, database_url=server.url(name))
    server.drop(name)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings)
    yield opened
    opened.close()


def environment_of(settings: Settings) -> dict[str, str]:
    """What another process needs to open the same store."""
    return {**os.environ, "DYNO_DATABASE_URL": settings.database_url or ""}
