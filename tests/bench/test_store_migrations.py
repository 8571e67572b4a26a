"""Databases of every age are brought up to date, once, with their data; newer ones are refused."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, select
from sqlalchemy import types as sql_types

from app.bench.store import RunFilter, Store, migrations
from app.bench.store.tables import Base
from backends.errors import DynoError
from backends.settings import ROOT, Settings
from tests.bench.samples import make_run


def engine_of(folder: Path) -> Engine:
    return create_engine(f"sqlite:///{folder / 'dyno.sqlite3'}")


def engine_for(settings: Settings) -> Engine:
    url = settings.database_url
    if url is None:
        return engine_of(settings.data_dir)
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def upgrade_to(settings: Settings, revision: str) -> None:
    engine = engine_for(settings)
    with engine.begin() as connection:
        migrations.upgrade(connection, revision)
    engine.dispose()


def any_value(type_: sql_types.TypeEngine[Any]) -> object:
    if isinstance(type_, sql_types.DateTime):
        return dt.datetime(2026, 1, 2)
    if isinstance(type_, sql_types.Boolean):
        return False
    if isinstance(type_, sql_types.Integer | sql_types.Float):
        return 1
    return "one"


def rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: [dict(row._mapping) for row in connection.execute(select(table))]
        for table in found.sorted_tables
        if table.name != "alembic_version"
    }


def test_revisions_are_numbered_without_gaps() -> None:
    known = migrations.revisions()
    assert known == tuple(f"{n:04}" for n in range(1, len(known) + 1))


def test_the_migrations_make_the_tables_that_the_code_declares(empty: Settings) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    upgrade_to(empty, "head")
    engine = engine_for(empty)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("revision", migrations.revisions())
def test_a_database_of_any_revision_keeps_its_rows(empty: Settings, revision: str) -> None:
    upgrade_to(empty, revision)
    engine = engine_for(empty)
    tables = MetaData()
    with engine.begin() as connection:
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                values = {column.name: any_value(column.type) for column in table.columns}
                connection.execute(table.insert().values(**values))
        before = rows(connection)
    engine.dispose()
    upgrade_to(empty, "head")
    with engine.connect() as connection:
        after = rows(connection)
        assert migrations.revision_of(connection) == migrations.revisions()[-1]
    engine.dispose()
    for name, old_rows in before.items():
        assert len(after[name]) == len(old_rows) == 1
        kept = {
            column: after[name][0][column] for column in old_rows[0] if column in after[name][0]
        }
        assert kept == {column: old_rows[0][column] for column in kept}


def test_a_database_from_a_newer_version_is_refused_and_untouched(settings: Settings) -> None:
    store = Store.open(settings)
    store.save_run(make_run(id="kept"))
    store.close()
    engine = engine_for(settings)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DynoError) as caught:
        Store.open(settings)
    assert "newer version" in caught.value.message
    assert "Update the app" in caught.value.remedy
    with engine.begin() as connection:
        assert len(rows(connection)["runs"]) == 1
        connection.exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '{migrations.revisions()[-1]}'"
        )
    engine.dispose()
    store = Store.open(settings)
    assert store.count(RunFilter(visitor=None)) == 1
    store.close()


def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(
    empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_upgrade = migrations.upgrade

    def breaks_at_the_end(connection: Connection) -> None:
        real_upgrade(connection)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrations, "upgrade", breaks_at_the_end)
    store = Store.open(empty)
    assert store.problem is not None
    engine = engine_for(empty)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    store.save_run(make_run())
    assert store.count(RunFilter(visitor=None)) == 1
    store.close()


def test_processes_that_open_a_new_folder_at_once_all_get_the_store(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from app.bench.store import Store;"
        "from backends.settings import Settings;"
        "store = Store.open(Settings(data_dir=Path(sys.argv[1])));"
        "sys.exit(0 if store.problem is None else str(store.problem))"
    )
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for opener in openers:
        _, stderr = opener.communicate(timeout=60)
        assert opener.returncode == 0, stderr.decode()
