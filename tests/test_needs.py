"""CI cannot pass without the tests that need a browser, PostgreSQL or a disk of their own."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from backends.settings import ROOT
from tests.bench import disks, postgres
from tests.needs import Needed, lacking


@pytest.mark.parametrize("needed", get_args(Needed))
def test_what_is_lacking_skips_here_and_fails_in_ci(
    needed: Needed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(f"REQUIRE_{needed}_TESTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="it is not here"):
        lacking(needed, "it is not here")
    assert f"export REQUIRE_{needed}_TESTS=1" in (ROOT / ".ci" / "run").read_text()
    monkeypatch.setenv(f"REQUIRE_{needed}_TESTS", "1")
    with pytest.raises(pytest.fail.Exception, match="it is not here"):
        lacking(needed, "it is not here")


def test_a_mount_that_is_refused_fails_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_DISK_TESTS", "1")
    monkeypatch.setattr(disks, "_is_root", lambda: False)
    with pytest.raises(pytest.fail.Exception, match="needs root"), disks.small_disk(tmp_path):
        pass
    monkeypatch.setattr(disks, "_is_root", lambda: True)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(pytest.fail.Exception, match="let us mount"), disks.small_disk(tmp_path):
        pass


def test_a_database_server_that_is_not_installed_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUIRE_POSTGRES_TESTS", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        postgres.program("no-such-program")
