"""What lies in the data folder is counted, and only what is safe to clear is cleared."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bench import data_folder
from app.bench.store import Store
from backends.errors import DynoError, InvalidRequest
from backends.settings import Settings
from backends.whole_files import write_atomically
from tests.bench.disks import fill, read_only, small_disk
from tests.bench.samples import make_run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def put(settings: Settings, name: str, size: int) -> Path:
    path = settings.data_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def sizes(settings: Settings) -> dict[str, int]:
    return {one.kind.id: one.size_bytes for one in data_folder.contents(settings) if one.files}


def test_a_folder_that_is_not_there_is_empty(settings: Settings) -> None:
    assert sizes(settings) == {}
    assert not settings.data_dir.exists()
    assert data_folder.free_bytes(settings)


def test_every_file_is_counted_once_under_its_kind(settings: Settings) -> None:
    put(settings, "dyno.sqlite3", 10)
    put(settings, "dyno.sqlite3-wal", 5)
    put(settings, "prices.json", 3)
    put(settings, "logs/app.log", 7)
    put(settings, "logs/engines/1.log", 1)
    put(settings, "downloads/a/b.safetensors", 100)
    put(settings, "cpu.lock", 2)
    put(settings, "notes.txt", 4)
    assert sizes(settings) == {
        "database": 15,
        "prices": 3,
        "logs": 8,
        "downloads": 100,
        "locks": 2,
        "other": 4,
    }


def test_the_database_of_the_store_is_known_by_its_name(settings: Settings) -> None:
    store = Store.open(settings)
    store.save_run(make_run())
    assert set(sizes(settings)) == {"database"}
    store.close()


def test_clearing_removes_one_kind_and_says_how_much(settings: Settings) -> None:
    put(settings, "downloads/a/b.safetensors", 100)
    put(settings, "dyno.sqlite3", 10)
    assert data_folder.clear("downloads", settings) == 100
    assert sizes(settings) == {"database": 10}
    assert data_folder.clear("downloads", settings) == 0


def test_logs_are_emptied_in_place_so_that_who_writes_them_goes_on(settings: Settings) -> None:
    log = put(settings, "logs/app.log", 50)
    with log.open("a") as writer:
        assert data_folder.clear("logs", settings) == 50
        writer.write("next")
    assert log.read_text() == "next"


@pytest.mark.parametrize("kind", ["database", "prices", "locks", "other", "../..", ""])
def test_what_is_not_safe_to_clear_is_refused(settings: Settings, kind: str) -> None:
    put(settings, "dyno.sqlite3", 10)
    put(settings, "cpu.lock", 2)
    put(settings, "notes.txt", 4)
    with pytest.raises(InvalidRequest):
        data_folder.clear(kind, settings)
    assert len(list(settings.data_dir.iterdir())) == 3


def test_links_are_never_followed(settings: Settings, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x" * 1_000)
    put(settings, "downloads/file", 1)
    (settings.data_dir / "downloads" / "link").symlink_to(outside)
    (settings.data_dir / "downloads" / "loop").symlink_to(settings.data_dir)
    assert sizes(settings)["downloads"] < 1_000
    data_folder.clear("downloads", settings)
    assert (outside / "precious").exists()


def test_what_cannot_be_removed_is_said(settings: Settings) -> None:
    put(settings, "downloads/file", 1)
    with read_only(settings.data_dir), pytest.raises(DynoError, match="could not be cleared"):
        data_folder.clear("downloads", settings)


def test_whether_the_folder_can_be_written_is_tried_out(settings: Settings) -> None:
    assert data_folder.why_not_writable(settings) == ""
    assert list(settings.data_dir.iterdir()) == []
    with read_only(settings.data_dir):
        assert data_folder.why_not_writable(settings)


def test_a_full_disk_has_no_free_bytes_and_keeps_the_old_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as folder:
        settings = Settings(data_dir=folder)
        write_atomically(folder / "prices.json", "old")
        fill(folder)
        assert data_folder.free_bytes(settings) == 0
        assert "space" in data_folder.why_not_writable(settings)
        with pytest.raises(OSError, match="space"):
            write_atomically(folder / "prices.json", "new")
        assert (folder / "prices.json").read_text() == "old"
        assert {path.name for path in folder.iterdir()} == {"prices.json", "ballast"}
