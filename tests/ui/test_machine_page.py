"""The Machine page: what it shows, prices, and clearing what may be cleared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.server import Server
from backends.settings import get_settings

OpenPage = Callable[[str], AppTest]


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.success, *page.error, *page.warning]
    return "\n".join(element.value for element in shown)


def test_an_idle_machine(open_page: OpenPage, server: Server) -> None:
    page = open_page("machine")
    assert not page.exception
    assert [heading.value for heading in page.subheader] == [
        "Device",
        "Price",
        "Loaded engines",
        "Queue",
        "Data folder",
        "What works here",
    ]
    assert "No engine is loaded." in texts(page)
    assert "Nothing runs and nobody waits." in texts(page)
    assert str(server.settings.logs_dir) in texts(page)


def test_a_price_is_set_and_cleared(open_page: OpenPage, server: Server) -> None:
    page = open_page("machine")
    page.text_input(key="price-cpu").set_value("0.40").run()
    price = server.prices.price_for("cpu")
    assert price is not None
    assert price.dollars_per_hour == Decimal("0.40")
    assert "cpu costs" in page.success[0].value
    page.button(key="price-cpu-clear").click().run()
    assert server.prices.price_for("cpu") is None
    assert "No price set." in texts(page)


def test_what_is_no_number_is_refused_with_a_remedy(open_page: OpenPage, server: Server) -> None:
    page = open_page("machine")
    page.text_input(key="price-cpu").set_value("a lot").run()
    assert not page.exception
    assert "is not a number" in page.error[0].value
    assert "Type dollars per hour" in page.error[0].value
    assert server.prices.price_for("cpu") is None


def test_a_suggestion_takes_one_click(
    open_page: OpenPage, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.price_editor.cpu_name", lambda: "Intel Xeon")
    page = open_page("machine")
    page.button(key="price-cpu-suggestion-0").click().run()
    price = server.prices.price_for("cpu")
    assert price is not None
    assert price.source not in ("", "set by you")
    assert price.source in texts(page).replace("\\", "")


def test_logs_are_cleared_after_a_second_click(open_page: OpenPage, server: Server) -> None:
    log = server.settings.logs_dir / "engine.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("x" * 5_000)
    page = open_page("machine")
    page.button(key="clear-now-logs").click().run()
    assert not page.exception
    assert log.stat().st_size == 0
    assert "Cleared logs" in page.success[0].value


def test_in_public_nothing_can_be_changed(
    open_page: OpenPage, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = server.settings.model_copy(update={"public": True})
    monkeypatch.setattr("app.ui.server._server", replace(server, settings=public))
    page = open_page("machine")
    assert not page.exception
    assert [button.key for button in page.main.button] == ["machine-refresh"]
    assert not page.text_input
    assert str(get_settings().data_dir) not in texts(page)
