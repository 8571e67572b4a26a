"""Bad input and bad luck, done to real processes and disks: a sentence that says what to do, the
other columns go on, nothing recorded is lost, and the app stays up."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from app.bench.store import RunFilter
from backends.setup import Setup
from tests.bench.disks import fill, read_only, small_disk
from tests.browser.chat_page import ANSWER_MS, ChatPage, comparison
from tests.browser.server import AppServer

KV_ON, KV_OFF = Setup(), Setup(kv_cache="off")
StartServer = Callable[..., AppServer]
NewContext = Callable[..., BrowserContext]


def recorded(server: AppServer) -> int:
    """How many runs the disk holds."""
    store = server.store()
    try:
        return store.count(RunFilter(visitor=None))
    finally:
        store.close()


def use_model(chat: ChatPage, typed: str) -> None:
    """Type a Hub id or a folder into the model picker and take it."""
    picker = type_model(chat, typed)
    chat.click("Use it", picker)
    expect(chat.page.get_by_role("button", name="Use it")).to_have_count(0)
    chat.settled().close_popover()


def type_model(chat: ChatPage, typed: str) -> Locator:
    picker = chat.open_popover(re.compile("Bundled"))
    picker.get_by_text("Another one", exact=True).click()
    picker.get_by_role("textbox").fill(typed)
    picker.get_by_role("textbox").press("Enter")
    return picker


def next_prompt_works(chat: ChatPage) -> None:
    chat.open(comparison()).ask("What is decode?")
    for index in (0, 1):
        expect(chat.figures(index)).to_have_count(1)


# Processes


def test_a_killed_worker_fails_its_column_alone(chat: ChatPage, server: AppServer) -> None:
    chat.open(comparison(Setup(threads=1), KV_ON, tokens=400)).send("Tell me about attention.")
    chat.wait_streaming(0, characters=20)
    server.workers()[-1].kill()
    chat.wait_done()
    expect(chat.column(0).get_by_role("alert")).to_contain_text("The worker process ended")
    expect(chat.column(0).get_by_role("alert")).to_contain_text("Send again")
    assert len(chat.streamed(0)) >= 20, "what had come stays"
    assert chat.tokens(1, "Output tokens") == 400
    chat.column(0).locator("[class*='st-key-again-']").get_by_role("button").click()
    expect(chat.figures(0).get_by_label(re.compile(r"Output tokens:\s400"))).to_have_count(
        1, timeout=ANSWER_MS
    )


@pytest.mark.slow
def test_a_killed_engine_host_is_started_again(chat: ChatPage, server: AppServer) -> None:
    chat.open(comparison(KV_ON, tokens=800)).send("Tell me about attention.")
    chat.wait_streaming(0, characters=20)
    server.host().kill()
    chat.wait_done()
    expect(chat.column(0).get_by_role("alert")).to_contain_text("Send again")
    next_prompt_works(chat)


@pytest.mark.slow
def test_a_killed_server_keeps_what_was_recorded(
    start_server: StartServer, new_context: NewContext
) -> None:
    server = start_server()
    chat = ChatPage(new_context().new_page(), server.url)
    chat.open(comparison(KV_ON, Setup(weights="bf16"), tokens=250)).ask("What is the KV cache?")
    address, before = chat.page.url, chat.streamed(1)
    chat.send("Tell me a long story.").wait_started()
    server.end(signal.SIGKILL)
    assert recorded(server) == 2
    server.start()
    chat.page.goto(address)
    chat.wait_drawn()
    expect(chat.prompts(0)).to_have_text(["What is the KV cache?", "Tell me a long story."])
    expect(chat.figures(1)).to_have_count(1)
    assert chat.streamed(1, 0) == before
    chat.click("Answer it here too", chat.column(0))
    expect(chat.figures(0)).to_have_count(2, timeout=ANSWER_MS)


# Models


def test_a_hub_model_out_of_reach_is_told_with_what_to_choose(chat: ChatPage) -> None:
    chat.open(comparison())
    use_model(chat, "nobody/no-such-model")
    chat.ask("Hello?")
    for index in (0, 1):
        told = chat.column(index).get_by_role("alert")
        expect(told).to_contain_text("nobody/no-such-model is not on this machine")
        expect(told).to_contain_text("the bundled model or a local folder")


def test_a_name_that_can_be_no_model_is_refused_where_it_is_typed(chat: ChatPage) -> None:
    chat.open(comparison())
    picker = type_model(chat, "three words long")
    expect(picker.get_by_role("alert")).to_contain_text("neither a folder nor a Hub id")
    picker.get_by_role("textbox").fill("/there/is/no/such/folder")
    picker.get_by_role("textbox").press("Enter")
    expect(picker.get_by_role("alert")).to_contain_text("There is no folder")
    expect(picker.get_by_role("button", name="Use it")).to_have_count(0)


@pytest.mark.parametrize(
    ("files", "message", "remedy"),
    [
        ({}, "There is no model in", "config.json and the .safetensors files"),
        (
            {"config.json": b"{}", "pytorch_model.bin": b"\x80\x04."},
            "pickle files (pytorch_model.bin)",
            "convert",
        ),
    ],
    ids=["without a model", "with pickled weights only"],
)
def test_a_folder(
    chat: ChatPage, tmp_path: Path, files: dict[str, bytes], message: str, remedy: str
) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    chat.open(comparison(KV_ON))
    use_model(chat, str(folder))
    assert chat.permalink() == "", "a path is never put into a link"
    chat.ask("Hello?")
    expect(chat.column(0).get_by_role("alert")).to_contain_text(message)
    expect(chat.column(0).get_by_role("alert")).to_contain_text(remedy)


def test_a_local_folder_without_a_template_answers_and_says_so(
    chat: ChatPage, foreign_model: Path
) -> None:
    chat.open(comparison(KV_ON))
    use_model(chat, str(foreign_model))
    chat.ask("Once upon a time")
    assert chat.tokens(0, "Output tokens") == 16
    assert "no chat template" in chat.answer_text(0)


def test_too_little_memory_is_refused_with_the_numbers(
    start_server: StartServer, new_context: NewContext
) -> None:
    server = start_server(DYNO_MEMORY_BUDGET_GB="0.001")
    chat = ChatPage(new_context().new_page(), server.url)
    chat.open(comparison()).ask("Hello?")
    for index in (0, 1):
        told = chat.column(index).get_by_role("alert")
        expect(told).to_contain_text(re.compile(r"needs about \d+ MB.*leaves \d+ MB"))
        expect(told).to_contain_text("DYNO_MEMORY_BUDGET_GB")
    expect(chat.prompt).to_be_enabled()


# Prompts


def test_an_empty_prompt_is_not_sent(chat: ChatPage) -> None:
    chat.open(comparison(KV_ON)).send("   ")
    chat.page.wait_for_timeout(500)
    expect(chat.prompts(0)).to_have_count(0)
    chat.ask("What is decode?")
    chat.column(0).locator("[class*='st-key-edit-']").get_by_role("button").click()
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(" ")
    dialog.get_by_role("button", name="Ask all setups").click()
    expect(chat.page.get_by_text("The prompt is empty. Type a question.")).to_be_visible()
    expect(chat.prompts(0)).to_have_text(["What is decode?"])


def test_a_huge_prompt_is_refused_with_the_limit(chat: ChatPage) -> None:
    chat.open(comparison(KV_ON)).send("x" * 200_001)
    expect(chat.page.get_by_text(re.compile("200,001 characters; at most 200,000"))).to_be_visible()
    expect(chat.prompts(0)).to_have_count(0)
    expect(chat.settled().prompt).to_be_enabled()


def test_a_prompt_past_the_context_window_of_a_new_engine_is_told(chat: ChatPage) -> None:
    chat.open(comparison(Setup(weights="bf16"), fixed=False)).ask("word " * 3_000)
    told = chat.column(0).get_by_role("alert")
    expect(told).to_contain_text(re.compile(r"The prompt has [\d,]+ tokens.*window holds 2,048"))
    expect(told).to_contain_text("shorten the prompt")


def test_a_conversation_past_the_context_window_can_drop_its_oldest_turns(
    chat: ChatPage,
) -> None:
    long_text = "word " * 700
    chat.open(comparison(KV_ON, tokens=8, fixed=False))
    chat.ask(long_text).ask(long_text).send(long_text)
    drop = chat.page.locator(".st-key-drop-and-send").get_by_role("button")
    expect(drop).to_be_visible()
    expect(chat.prompts(0)).to_have_count(2)
    expect(chat.page.get_by_text(re.compile("the context window holds"))).to_be_visible()
    drop.click()
    chat.wait_asked(3).wait_done()
    expect(chat.figures(0)).to_have_count(3)
    expect(chat.column(0).get_by_role("alert")).to_have_count(0)


# The Machine page


def test_a_price_that_is_no_number_is_refused(chat: ChatPage, server: AppServer) -> None:
    chat.page.goto(f"{server.url}machine")
    field = chat.page.get_by_label("Dollars per hour").first
    for typed, told in (("cheap", "is not a number"), ("-1", "cannot be negative")):
        field.fill(typed)
        field.press("Enter")
        expect(chat.page.get_by_text(re.compile(told))).to_be_visible()
        expect(chat.page.get_by_text(re.compile("such as 0.40"))).to_be_visible()
    field.fill("0.40")
    field.press("Enter")
    expect(chat.page.get_by_text(re.compile(r"costs \$0\.40 per hour"))).to_be_visible()
    chat.open(comparison(KV_ON)).ask("What is decode?")
    assert chat.figure(0, "Cost").startswith("$")


# Disks


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "4m") as folder:
        yield folder


def test_a_read_only_data_folder_is_told_and_retried(
    start_server: StartServer, new_context: NewContext, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    with read_only(folder):
        server = start_server(folder)
        chat = ChatPage(new_context().new_page(), server.url)
        chat.open(comparison()).ask("What is decode?")
        for index in (0, 1):
            expect(chat.figures(index)).to_have_count(1)
        told = chat.page.get_by_role("alert").filter(has_text="2 runs are not recorded")
        expect(told).to_contain_text(re.compile("read-only|cannot be used|cannot be opened"))
        expect(told).to_contain_text("DYNO_DATA_DIR")
        with chat.page.expect_download() as download:
            chat.click("Download them")
        assert len(json.loads(Path(download.value.path()).read_text())) >= 1
        chat.click("Try again")
        expect(chat.page.get_by_role("alert")).to_have_count(2)  # once more, and why
    chat.click("Try again")
    expect(told).to_have_count(0)
    assert recorded(server) == 2
    chat.page.reload()
    chat.wait_drawn()
    expect(chat.figures(1)).to_have_count(1)
    server.close()


def test_a_full_disk_is_told_and_retried_once_there_is_room(
    start_server: StartServer, new_context: NewContext, disk: Path
) -> None:
    server = start_server(disk)
    chat = ChatPage(new_context().new_page(), server.url)
    chat.open(comparison()).ask("What is decode?")
    assert recorded(server) == 2
    ballast = fill(disk)
    chat.ask("What is prefill?")
    for index in (0, 1):
        expect(chat.figures(index)).to_have_count(2)
    told = chat.page.get_by_role("alert").filter(has_text="2 runs are not recorded")
    expect(told).to_contain_text("is full")
    expect(told).to_contain_text("Free some space")
    chat.click("Try again")
    expect(chat.page.get_by_role("alert").filter(has_text="is full")).to_have_count(2)
    ballast.unlink()
    chat.click("Try again")
    expect(told).to_have_count(0)
    assert recorded(server) == 4
    store = server.store()
    try:
        kept = store.conversation(chat.conversation_id(), None)
        assert kept is not None
        assert [len(turn.runs) for turn in kept.turns] == [2, 2]
    finally:
        store.close()
    server.close()
