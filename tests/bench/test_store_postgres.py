"""What the store does when PostgreSQL is gone, full, read-only or refuses: a real server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.bench.record import RunRecord
from app.bench.store import RunFilter, Store, facade, migrations
from backends.errors import DynoError, NotRecorded
from backends.settings import Settings
from tests.bench.disks import fill, small_disk
from tests.bench.postgres import PASSWORD, PostgresServer
from tests.bench.samples import make_run, stamps

ALL = RunFilter(visitor=None, limit=None)


@pytest.fixture
def name(postgres: PostgresServer, migrated: str) -> Iterator[str]:
    made = postgres.create(migrated)
    yield made
    postgres.start_if_stopped()
    postgres.drop(made)


def opened(postgres: PostgresServer, name: str) -> Store:
    return Store.open(Settings(database_url=postgres.url(name)))


def refused(store: Store) -> NotRecorded:
    with pytest.raises(NotRecorded) as caught:
        store.save_run(make_run(id="lost"))
    assert store.problem is caught.value
    return caught.value


def test_a_server_that_goes_and_comes_back_loses_nothing_that_was_recorded(
    postgres: PostgresServer, name: str
) -> None:
    store = opened(postgres, name)
    store.save_run(make_run(id="before"))
    postgres.stop()
    error = refused(store)
    assert "shut down" in error.message or "does not answer" in error.message
    assert "tart it" in error.remedy
    with pytest.raises(DynoError, match="does not answer"):
        store.runs(ALL)
    postgres.start_if_stopped()
    store.save_run(make_run(id="after"))
    assert store.problem is None
    assert {run.id for run in store.runs(ALL)} == {"before", "after"}
    store.close()


def test_a_server_that_is_started_after_the_app_is_found(
    postgres: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(postgres, name)
    first.save_run(make_run(id="before"))
    first.close()
    postgres.stop()
    store = opened(postgres, name)
    assert store.problem is not None
    assert "does not answer" in store.problem.message
    assert store.runs(ALL) == []
    postgres.start_if_stopped()
    monkeypatch.setattr(facade, "_LOOK_AGAIN_SECONDS", 0.0)
    store._look_again_at = 0.0
    assert [run.id for run in store.runs(ALL)] == ["before"]
    assert store.problem is None
    store.close()


@pytest.mark.parametrize(
    ("database", "password", "told"),
    [("{}", "wrong", "refused the password"), ("nowhere", PASSWORD, "no such database")],
)
def test_who_is_not_let_in_is_told_why_without_the_password(
    postgres: PostgresServer, name: str, database: str, password: str, told: str
) -> None:
    address = postgres.url(database.format(name), password)
    store = Store.open(Settings(database_url=address))
    assert store.problem is not None
    assert told in store.problem.message
    assert "DYNO_DATABASE_URL" in store.problem.remedy
    said = f"{store.problem.message}{store.problem.remedy}{store.problem.detail}"
    assert "wrong" not in said
    assert PASSWORD not in said
    store.close()


def test_a_read_only_database_can_be_read(postgres: PostgresServer, name: str) -> None:
    first = opened(postgres, name)
    first.save_run(make_run(id="before"))
    first.close()
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = opened(postgres, name)
    assert [run.id for run in store.runs(ALL)] == ["before"]
    assert "read-only" in refused(store).message
    store.close()


def test_a_full_disk_of_the_server_is_said_and_saving_works_once_it_is_free(
    postgres: PostgresServer, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with small_disk(postgres.folder / "small", "24m") as disk:
        postgres.give_away(disk)
        postgres.run(f"CREATE TABLESPACE small LOCATION '{disk}'")
        postgres.run(f"CREATE DATABASE on_small TEMPLATE {migrated} TABLESPACE small")
        store = opened(postgres, "on_small")
        store.save_run(make_run(id="before"))
        ballast = fill(disk)
        with pytest.raises(NotRecorded, match="full") as caught:
            store.save_runs([_big_run(f"big{n}") for n in range(30)])
        assert "Free some space" in caught.value.remedy
        ballast.unlink()
        store.save_run(make_run(id="after"))
        assert {run.id for run in store.runs(ALL)} == {"before", "after"}
        store.close()
        postgres.drop("on_small")
        postgres.run("DROP TABLESPACE small")


def _big_run(id_: str) -> RunRecord:
    # Text that does not shrink: PostgreSQL compresses long values.
    noise = subprocess.run(["head", "-c", "60000", "/dev/urandom"], capture_output=True, check=True)
    return make_run(id=id_, chunks=stamps((1, 1)), answer=noise.stdout.hex())


def test_a_database_held_by_another_program_is_said(
    postgres: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bench.store.database._BUSY_SECONDS", 0.2)
    store = opened(postgres, name)
    with psycopg.connect(postgres.url(name)) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [migrations.POSTGRES_LOCK])
        assert "another program" in refused(store).message
    store.save_run(make_run())
    assert store.count(ALL) == 1
    store.close()


def test_the_short_spelling_of_the_address_is_understood(
    postgres: PostgresServer, name: str, tmp_path: Path
) -> None:
    address = postgres.url(name).replace("postgresql://", "postgres://")
    store = Store.open(Settings(database_url=address))
    assert store.problem is None
    store.close()
