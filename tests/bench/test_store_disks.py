"""What the store does when the disk is full, read-only, damaged or taken away: real disks."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.bench.record import RunRecord
from app.bench.store import RunFilter, Store
from backends.errors import DynoError, MissingDependency, NotRecorded
from backends.settings import ROOT, Settings
from tests.bench.disks import fill, read_only, small_disk
from tests.bench.samples import make_conversation, make_run, stamps

ALL = RunFilter(visitor=None, limit=None)


def big_run(id_: str) -> RunRecord:
    return make_run(id=id_, chunks=stamps(*((n, 1) for n in range(2_000))))


def save_big_runs(store: Store, count: int) -> None:
    for n in range(count):
        store.save_run(big_run(f"big{n}"))


def test_a_full_disk_is_said_and_nothing_recorded_is_lost_and_saving_works_once_it_is_free(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk") as folder:
        store = Store.open(Settings(data_dir=folder))
        store.save_run(make_run(id="before"))
        ballast = fill(folder)
        with pytest.raises(NotRecorded) as caught:
            save_big_runs(store, 20)
        assert "full" in caught.value.message
        assert "Free some space" in caught.value.remedy
        assert store.problem is caught.value
        assert store.run("before", None) == make_run(id="before")
        ballast.unlink()
        store.save_run(make_run(id="after"))
        assert store.problem is None
        assert store.run("after", None) is not None
        store.close()


def test_a_disk_that_is_full_from_the_start_stops_nothing_and_is_used_once_it_is_free(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk") as folder:
        ballast = fill(folder)
        store = Store.open(Settings(data_dir=folder))
        assert store.problem is not None
        assert "full" in store.problem.message
        assert store.runs(ALL) == []
        assert store.conversations(None) == []
        with pytest.raises(NotRecorded):
            store.save_run(make_run(id="lost"))
        ballast.unlink()
        store.save_run(make_run(id="kept"))
        assert store.problem is None
        assert [run.id for run in store.runs(ALL)] == ["kept"]
        store.close()


def test_a_full_disk_never_leaves_half_a_run(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "600k") as folder:
        store = Store.open(Settings(data_dir=folder))
        with pytest.raises(NotRecorded):
            save_big_runs(store, 50)
        listed = store.runs(ALL)
        assert listed
        assert all(store.run(run.id, None) is not None for run in listed)
        store.close()


def test_a_limit_on_file_size_is_not_recorded_too(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from app.bench.record import RunRecord
from app.bench.store import RunFilter, Store
from backends.errors import NotRecorded
from backends.settings import Settings
from tests.bench.samples import make_run, stamps
store = Store.open(Settings(data_dir=Path(sys.argv[1])))
store.save_run(make_run(id="before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    for n in range(20):
        store.save_run(make_run(id=f"big{n}", chunks=stamps(*((n, 1) for n in range(2_000)))))
except NotRecorded as error:
    assert store.run("before", None) is not None
    print("not recorded:", error.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.startswith("not recorded:"), done.stderr
    store = Store.open(Settings(data_dir=tmp_path))
    assert store.run("before", None) is not None
    store.close()


def test_a_read_only_folder_can_be_read_and_written_again_when_it_is_writable(
    tmp_path: Path,
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first = Store.open(settings)
    first.save_run(make_run(id="before"))
    first.save_conversation(make_conversation("hello"))
    first.close()
    with read_only(settings.data_dir):
        store = Store.open(settings)
        assert store.problem is not None
        assert store.run("before", None) is not None
        assert len(store.conversations(None)) == 1
        with pytest.raises(NotRecorded) as caught:
            store.save_run(make_run(id="lost"))
        assert "read-only" in caught.value.message or "cannot be" in caught.value.message
        assert "DYNO_DATA_DIR" in caught.value.remedy
        with pytest.raises(NotRecorded):
            store.delete_runs(["before"], None)
    store.save_run(make_run(id="after"))
    assert store.problem is None
    assert {run.id for run in store.runs(ALL)} == {"before", "after"}
    store.close()


def test_an_empty_read_only_folder_gives_an_empty_store(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    with read_only(folder):
        store = Store.open(Settings(data_dir=folder / "data"))
        assert store.problem is not None
        assert store.runs(ALL) == []
        assert store.count(ALL) == 0
        with pytest.raises(NotRecorded):
            store.save_conversation(make_conversation("hello"))
        store.close()


def test_a_file_in_the_place_of_the_folder_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    store = Store.open(Settings(data_dir=tmp_path / "data"))
    assert isinstance(store.problem, NotRecorded)
    assert store.runs(ALL) == []
    store.close()


def test_a_damaged_database_stops_nothing_and_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "dyno.sqlite3"
    file.write_bytes(b"this is no database" * 500)
    store = Store.open(Settings(data_dir=tmp_path))
    assert store.problem is not None
    assert "damaged" in store.problem.message
    assert store.runs(ALL) == []
    with pytest.raises(NotRecorded):
        store.save_run(make_run())
    assert file.read_bytes() == b"this is no database" * 500
    file.unlink()
    store.save_run(make_run())
    assert store.count(ALL) == 1
    store.close()


def test_a_database_of_another_version_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    store = Store.open(Settings(data_dir=tmp_path))
    with contextlib.closing(sqlite3.connect(tmp_path / "dyno.sqlite3")) as database:
        database.execute("ALTER TABLE runs RENAME TO runs_of_long_ago")
    with pytest.raises(DynoError, match="is not of this version") as caught:
        store.runs(ALL)
    assert caught.value.remedy.startswith("Use the version that wrote it")
    store.close()


def test_a_database_removed_under_an_open_store_is_made_anew(tmp_path: Path) -> None:
    store = Store.open(Settings(data_dir=tmp_path / "data"))
    store.save_run(make_run(id="gone"))
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    store.save_run(make_run(id="kept"))
    store.close()
    again = Store.open(Settings(data_dir=tmp_path / "data"))
    assert [run.id for run in again.runs(ALL)] == ["kept"]
    again.close()


def test_a_database_held_by_another_program_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bench.store.database._BUSY_SECONDS", 0.2)
    store = Store.open(Settings(data_dir=tmp_path))
    holder = sqlite3.connect(tmp_path / "dyno.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotRecorded, match="another program"):
        store.save_run(make_run())
    holder.execute("ROLLBACK")
    store.save_run(make_run())
    holder.close()
    store.close()


def test_a_bad_database_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(DynoError) as caught:
        Store.open(Settings(database_url="secret-word"))
    assert "secret-word" not in str(caught.value) + caught.value.remedy
    with pytest.raises(MissingDependency):
        Store.open(Settings(database_url="nosuchdb://user:secret-word@host/name"))
