"""The server's processes: what the app's own never loads, and that nothing outlives it."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.chat_page import ChatPage, comparison
from tests.browser.server import AppServer, wait_until

StartServer = Callable[..., AppServer]
NewContext = Callable[..., BrowserContext]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_server_never_loads_torch_whatever_page_is_opened(
    chat: ChatPage, server: AppServer
) -> None:
    chat.open(comparison()).ask("What is decode?")
    for page in ("Compare", "Runs", "Machine"):
        chat.page.goto(f"{server.url}{page.lower()}")
        expect(chat.page.get_by_role("heading", name=page, level=1)).to_be_visible()
        chat.settled()
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libpython" in mapped or "python" in mapped
    for library in ("libtorch", "torch/_C", "tokenizers.abi3", "libc10"):
        assert library not in mapped, f"{library} is in the server's process"
    by_worker = Path(f"/proc/{server.workers()[0].pid}/maps").read_text()
    assert "libtorch" in by_worker, "the test must be able to see it where it is"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_server_ends_in_mid_answer(
    start_server: StartServer, new_context: NewContext, sent: signal.Signals
) -> None:
    server = start_server()
    chat = ChatPage(new_context().new_page(), server.url)
    chat.open(comparison(tokens=1500)).send("Tell me a long story.")
    chat.wait_streaming(0)
    assert len(server.workers()) == 1
    server.end(sent)  # fails if the host or a worker outlives the server


def test_a_bad_setting_stops_the_start_with_a_sentence(start_server: StartServer) -> None:
    with pytest.raises(AssertionError, match="DYNO_MEMORY_BUDGET_GB has a bad value") as told:
        start_server(DYNO_MEMORY_BUDGET_GB="lots")
    assert "Traceback" not in str(told.value)


@pytest.mark.slow
def test_two_servers_take_turns_on_the_device(
    start_server: StartServer, new_context: NewContext, tmp_path: Path
) -> None:
    shared = {"TMPDIR": str(tmp_path)}  # where a user's device locks lie
    first, second = (start_server(**shared) for _ in range(2))
    chats = [ChatPage(new_context().new_page(), one.url) for one in (first, second)]
    chats[0].open(comparison(tokens=600))
    chats[1].open(comparison())
    chats[0].send("Tell me a long story.").wait_streaming(0)
    chats[1].send("What is decode?")
    waiting = chats[1].column(0).get_by_text("another program")
    wait_until(waiting.count, 20, "the second says for whom it waits")
    assert str(first.process.pid) in waiting.inner_text()
    chats[0].stop_button.click()
    chats[1].wait_done()
    expect(chats[1].figures(1)).to_have_count(1)


@pytest.mark.slow
def test_on_a_public_server_visitors_do_not_see_each_others_conversations(
    start_server: StartServer, new_context: NewContext
) -> None:
    server = start_server(DYNO_PUBLIC="1")
    ada, ben = (ChatPage(new_context().new_page(), server.url) for _ in range(2))
    ada.open(comparison()).ask("A secret of Ada's")
    ben.page.goto(ada.page.url)
    ben.wait_drawn()
    expect(ben.prompts(0)).to_have_count(0)
    assert ben.conversation_id() != ada.conversation_id()
    sidebar = ben.page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("button", name="New conversation")).to_be_visible()
    expect(sidebar.get_by_text("A secret of Ada's")).to_have_count(0)
    ben.page.goto(f"{server.url}runs")
    expect(ben.page.get_by_text("Every answer in the chat is recorded here")).to_be_visible()
    ada.page.reload()
    ada.wait_drawn()
    expect(ada.prompts(0)).to_have_text(["A secret of Ada's"])
    picker = ada.open_popover(re.compile("Bundled"))
    expect(picker.get_by_text("Another one")).to_have_count(0)
