"""A setup on a server is built by clicks: saved names, its list of models, its price."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from app.bench.conversation import Column, Comparison
from app.bench.record import Price, TokenPrice
from app.bench.saved_servers import SavedServers
from app.ui.server import OWNER, Server
from backends.settings import ROOT
from backends.setup import Setup
from tests.remote.fault_server import FaultServer, fault_server


@pytest.fixture
def there() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


@pytest.fixture
def open_menu(server: Server, there: FaultServer) -> Callable[..., AppTest]:
    """The chat page with the menu of its one column open, which is on the server `there`."""

    def open_(**options: str) -> AppTest:
        setup = Setup(backend="endpoint", options={"address": there.address, **options})
        page = AppTest.from_file(str(ROOT / "app/ui/main.py"), default_timeout=30)
        page.query_params["s"] = Comparison(
            columns=(Column(key="there", setup=setup),)
        ).to_permalink()
        page.session_state["menu-there"] = True
        page.run()
        assert not page.exception
        return page

    return open_


def click(page: AppTest, key: str) -> None:
    next(button for button in page.button if button.key == key).click().run()
    assert not page.exception


def options_of(page: AppTest, server: Server) -> dict[str, object]:
    conversation = server.book.get(page.session_state["conversation_id"], OWNER)
    assert conversation is not None
    return dict(conversation.comparison.columns[0].setup.options)


def group(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next((shown for shown in page.button_group if shown.label == label), None)


def field(page: AppTest, key: str):  # type: ignore[no-untyped-def]
    return next(shown for shown in page.text_input if shown.key == key)


def said(page: AppTest) -> str:
    shown = (*page.caption, *page.markdown, *page.error, *page.warning)
    return " ".join(str(element.value) for element in shown)


def test_a_server_is_saved_chosen_forgotten_and_brought_back(
    open_menu: Callable[..., AppTest], server: Server, there: FaultServer
) -> None:
    page = open_menu(server="vllm")
    assert group(page, "Saved servers") is None
    field(page, "servers-name-there").input("my box").run()
    click(page, "servers-save-there")
    kept = {"my box": {"address": there.address, "server": "vllm"}}
    assert SavedServers(server.settings).all() == kept
    assert group(page, "Saved servers").value == "my box"
    click(page, "servers-forget-there")
    assert SavedServers(server.settings).all() == {}
    assert "Forgot “my box”" in said(page)
    click(page, "servers-undo-there")
    assert SavedServers(server.settings).all() == kept


def test_a_saved_server_is_one_click_away(
    open_menu: Callable[..., AppTest], server: Server
) -> None:
    attic = {"address": "http://attic:1/v1", "served_model": "big"}
    SavedServers(server.settings).save("attic", attic)
    page = open_menu()
    group(page, "Saved servers").set_value("attic").run()
    assert options_of(page, server) == attic


def test_a_server_without_a_name_is_not_saved_and_says_why(
    open_menu: Callable[..., AppTest], server: Server
) -> None:
    page = open_menu()
    click(page, "servers-save-there")
    assert "has no name" in said(page)
    assert SavedServers(server.settings).all() == {}


def test_its_models_are_asked_for_and_chosen(
    open_menu: Callable[..., AppTest], server: Server, there: FaultServer
) -> None:
    page = open_menu()
    assert group(page, "Its models") is None, "nobody asked yet"
    click(page, "servers-ask-there")
    models = group(page, "Its models")
    assert list(models.options) == ["m", "other"]
    models.set_value("other").run()
    assert options_of(page, server)["served_model"] == "other"


def test_a_server_that_lists_nothing_says_what_to_do(
    open_menu: Callable[..., AppTest], there: FaultServer
) -> None:
    there.lists_models = False
    page = open_menu()
    click(page, "servers-ask-there")
    assert "500" in said(page)
    there.lists_models, there.listed = True, ()
    click(page, "servers-ask-there")
    assert "type the id" in said(page)


def test_a_price_by_token_is_typed_and_cleared(
    open_menu: Callable[..., AppTest], server: Server, there: FaultServer
) -> None:
    page = open_menu()
    field(page, "server-price-input-there").input("0.15")
    field(page, "server-price-output-there").input("x").run()
    click(page, "server-price-set-there")
    assert "not a number" in said(page)
    field(page, "server-price-output-there").input("0.6").run()
    click(page, "server-price-set-there")
    price = server.prices.price_set_for(there.address)
    assert isinstance(price, TokenPrice)
    assert price.output_per_million == Decimal("0.6")
    assert "per million tokens (set by you" in said(page)
    click(page, "server-price-clear-there")
    assert server.prices.price_set_for(there.address) is None


def test_a_server_of_ones_own_is_paid_by_the_hour(
    open_menu: Callable[..., AppTest], server: Server, there: FaultServer
) -> None:
    page = open_menu()
    group(page, "Charged").set_value("by hour").run()
    field(page, "server-price-hour-there").input("2.50").run()
    click(page, "server-price-set-there")
    price = server.prices.price_set_for(there.address)
    assert isinstance(price, Price)
    assert price.dollars_per_hour == Decimal("2.50")
