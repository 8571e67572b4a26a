"""The real entry, pages and store over an empty data folder, driven without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.server import Server, close_server, get_server
from backends.settings import ROOT, get_settings


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of this test alone, without the host process that engines need."""
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("app.ui.server.shared_host", lambda: None)
    monkeypatch.setattr("app.ui.drawn._WAIT_SECONDS", 0.0)  # no browser will say that it has drawn
    close_server()
    get_settings.cache_clear()
    yield get_server()
    close_server()
    get_settings.cache_clear()


@pytest.fixture
def open_page(server: Server) -> Callable[[str], AppTest]:
    """`open_page("runs")` runs the entry and goes to that page."""

    def open_(name: str) -> AppTest:
        entry = AppTest.from_file(str(ROOT / "app/ui/main.py"), default_timeout=30)
        return entry.switch_page(f"../../pages/{name}.py").run()

    return open_
