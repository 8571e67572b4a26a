"""A server is kept under its name, whole or not at all, and never with a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bench.saved_servers import SavedServers
from backends.errors import InvalidRequest, NotRecorded
from backends.settings import Settings
from tests.bench.disks import fill, read_only, small_disk

HERE = {"address": "http://127.0.0.1:8000/v1", "server": "vllm"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_what_was_saved_is_there_for_the_next_who_looks(settings: Settings) -> None:
    assert SavedServers(settings).all() == {}
    assert SavedServers(settings).save("  my   box ", HERE) == "my box"
    SavedServers(settings).save("Attic", {"address": "http://attic/v1"})
    assert list(SavedServers(settings).all()) == ["Attic", "my box"]
    assert SavedServers(settings).all()["my box"] == HERE


def test_a_forgotten_server_can_be_brought_back(settings: Settings) -> None:
    servers = SavedServers(settings)
    servers.save("box", HERE)
    gone = servers.forget("box")
    assert servers.all() == {}
    assert gone is not None
    servers.save("box", gone)
    assert servers.all() == {"box": HERE}
    assert servers.forget("another") is None


@pytest.mark.parametrize(("name", "says"), [("", "no name"), ("  ", "no name"), ("x" * 41, "40")])
def test_what_is_no_name_is_refused(name: str, says: str, settings: Settings) -> None:
    with pytest.raises(InvalidRequest, match=says) as caught:
        SavedServers(settings).save(name, HERE)
    assert caught.value.remedy


def test_there_is_an_end_to_how_many(settings: Settings) -> None:
    servers = SavedServers(settings)
    for number in range(50):
        servers.save(f"box {number}", HERE)
    with pytest.raises(InvalidRequest, match="50 servers"):
        servers.save("one more", HERE)
    servers.save("box 7", {})


def test_a_disk_that_takes_nothing_keeps_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as folder:
        servers = SavedServers(Settings(data_dir=folder))
        servers.save("box", HERE)
        fill(folder)
        with pytest.raises(NotRecorded):
            servers.save("box", {"address": "x" * 100_000})
        assert servers.all() == {"box": HERE}


def test_in_a_read_only_folder_nothing_is_said_to_be_saved(settings: Settings) -> None:
    settings.data_dir.mkdir()
    with read_only(settings.data_dir), pytest.raises(NotRecorded, match="not changed") as caught:
        SavedServers(settings).save("box", HERE)
    assert caught.value.remedy


def test_a_file_that_cannot_be_read_counts_as_none(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "servers.json").write_text("{broken")
    assert SavedServers(settings).all() == {}
    SavedServers(settings).save("box", HERE)
    assert SavedServers(settings).all() == {"box": HERE}
    assert (settings.data_dir / "servers.json.unreadable").read_text() == "{broken"
