"""The chat page in a real browser, against a real server with real engines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from app.bench.conversation import Comparison
from app.bench.store import RunFilter, RunSummary
from app.ui.presets import EXAMPLE_PROMPTS, PRESETS
from backends.request import Sampling
from backends.setup import Setup
from tests.browser.chat_page import ANSWER_MS, ChatPage, comparison
from tests.browser.server import AppServer, wait_until

KV_ON, KV_OFF = Setup(), Setup(kv_cache="off")
NewContext = Callable[..., BrowserContext]


def runs_of(server: AppServer, conversation_id: str) -> list[RunSummary]:
    """What the store on the disk holds of a conversation, oldest first."""
    store = server.store()
    try:
        found = store.runs(RunFilter(visitor=None, conversation_id=conversation_id, limit=None))
        return sorted(found, key=lambda run: run.created_at)
    finally:
        store.close()


# A first visit


def test_a_first_visit_has_prompts_and_comparisons_to_click(chat: ChatPage) -> None:
    chat.open()
    for prompt in EXAMPLE_PROMPTS:
        expect(chat.page.get_by_role("button", name=prompt)).to_be_visible()
    for preset in PRESETS:
        expect(chat.page.locator(f".st-key-start-{preset.key}")).to_be_visible()
    expect(chat.columns).to_have_count(2)
    expect(chat.title(0)).to_contain_text("KV on")
    expect(chat.title(1)).to_contain_text("KV off")


def test_an_example_prompt_is_one_click_from_answers_in_both_columns(chat: ChatPage) -> None:
    chat.open().click(EXAMPLE_PROMPTS[0])
    chat.wait_asked()
    expect(chat.page.get_by_role("button", name=EXAMPLE_PROMPTS[1])).to_have_count(0)
    expect(chat.page.get_by_test_id("stStatusWidget").get_by_role("button")).to_have_count(0)
    chat.wait_done()
    for index in (0, 1):
        expect(chat.prompts(index)).to_have_text([EXAMPLE_PROMPTS[0]])
        expect(chat.figures(index)).to_have_count(1)
        assert len(chat.streamed(index)) > 20
    assert chat.streamed(0) == chat.streamed(1), "the KV cache must not change a greedy answer"


def test_a_preset_replaces_the_columns(chat: ChatPage) -> None:
    chat.open()
    chat.page.locator(".st-key-start-sixteen").get_by_role("button").click()
    expect(chat.columns).to_have_count(3)
    chat.settled()
    columns = Comparison.from_permalink(chat.permalink()).columns
    assert [column.setup.weights for column in columns] == ["fp32", "bf16", "fp16"]


def test_the_512_token_preset_asks_its_long_prompt_at_once(chat: ChatPage) -> None:
    chat.open()
    chat.page.locator(".st-key-start-kv512").get_by_role("button").click()
    chat.wait_asked().wait_done()
    for index in (0, 1):
        assert chat.tokens(index, "Prompt tokens") >= 400


# Answers


def test_answers_stream_one_column_after_the_other(chat: ChatPage, server: AppServer) -> None:
    shown = comparison(tokens=120)
    chat.open(shown).send("Tell me about decode.").wait_started()
    for index in (0, 1):
        lengths = {len(chat.wait_streaming(index))}
        while chat.figures(index).count() == 0:
            lengths.add(len(chat.streamed(index)))
            if index == 0 and len(lengths) == 3:
                assert chat.figures(1).count() == 0, "fair: the second waits for the first"
            chat.page.wait_for_timeout(15)
        assert len(lengths) >= 4, f"column {index} did not grow: {sorted(lengths)}"
    chat.wait_done()
    for index in (0, 1):
        for name in ("Time to first token", "Decode speed", "Output tokens", "Peak memory"):
            assert re.match(r"\d", chat.figure(index, name)), name
    assert Comparison.from_permalink(chat.permalink()) == shown
    assert [run.status for run in runs_of(server, chat.conversation_id())] == [
        "finished",
        "finished",
    ]


def test_a_second_turn_sends_the_history_that_the_setup_keeps(chat: ChatPage) -> None:
    chat.open(comparison(Setup(history="full"), Setup(history="none")))
    chat.ask("What is prefill?").ask("Why?")
    assert chat.tokens(0, "Prompt tokens") > chat.tokens(1, "Prompt tokens")
    assert chat.prompts(0).all_inner_texts() == ["What is prefill?", "Why?"]


def test_regenerate_answers_one_column_again_and_keeps_the_other(
    chat: ChatPage, server: AppServer
) -> None:
    shown = comparison()
    chat.open(shown).ask("What is decode?")
    before = runs_of(server, chat.conversation_id())
    chat.column(0).locator("[class*='st-key-again-']").get_by_role("button").click()
    wait_until(lambda: len(runs_of(server, chat.conversation_id())) == 3, 60, "a third run")
    chat.wait_done()
    keys = [column.key for column in shown.columns]
    answered = [run.column_key for run in runs_of(server, chat.conversation_id())]
    assert answered == [keys[0], keys[1], keys[0]]
    assert chat.column(0).locator(f".st-key-again-{before[0].id}").count() == 0
    assert chat.column(1).locator(f".st-key-again-{before[1].id}").count() == 1


def test_edit_and_resend_starts_again_from_the_edited_turn(chat: ChatPage) -> None:
    chat.open(comparison()).ask("What is prefill?").ask("And decode?")
    chat.column(1).locator("[class*='st-key-edit-']").first.get_by_role("button").click()
    dialog = chat.page.get_by_role("dialog")
    expect(dialog.get_by_label("Prompt")).to_have_value("What is prefill?")
    dialog.get_by_label("Prompt").fill("What is a token?")
    dialog.get_by_role("button", name="Ask all setups").click()
    expect(dialog).to_have_count(0)
    for index in (0, 1):
        expect(chat.prompts(index)).to_have_text(["What is a token?"])
    chat.wait_done()
    for index in (0, 1):
        expect(chat.figures(index)).to_have_count(1)


def test_the_copy_button_puts_the_answers_markdown_on_the_clipboard(
    chat: ChatPage, server: AppServer
) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.open(comparison()).ask("What is the KV cache?")
    chat.column(0).get_by_role("button", name=re.compile("Copy")).click()
    expect(chat.column(0).get_by_text("Copied")).to_be_visible()
    store = server.store()
    run = store.run(runs_of(server, chat.conversation_id())[0].id, None)
    store.close()
    assert run is not None
    assert chat.page.evaluate("navigator.clipboard.readText()") == run.answer


def test_every_chart_can_be_looked_at_and_its_data_taken(chat: ChatPage) -> None:
    chat.open(comparison()).ask("What is decode?")
    charts = chat.page.get_by_role("radiogroup", name="Chart")
    for name, key in (
        ("Tokens over time", "race"),
        ("TTFT and total", "times"),
        ("Memory", "memory"),
    ):
        charts.get_by_text(name, exact=True).click()
        expect(chat.page.locator(f".st-key-chart-{key}")).to_be_visible()
        expect(chat.page.get_by_test_id("stPlotlyChart")).to_have_count(1)
        with chat.page.expect_download() as download:
            chat.page.locator(f".st-key-data-{key}").get_by_role("button").click()
        assert len(Path(download.value.path()).read_text().splitlines()) > 2, name
    charts.get_by_text("Cost", exact=True).click()
    expect(chat.page.get_by_text("Set a price for this device")).to_be_visible()


def test_repeat_to_be_sure_gives_a_verdict_with_an_interval(
    chat: ChatPage, server: AppServer
) -> None:
    shown = comparison()
    chat.open(shown).ask("What is decode?")
    chat.click("Repeat to be sure")
    told = chat.page.get_by_text(re.compile(r"Repeating: \d+ of 16 runs"))
    expect(told).to_be_visible()
    seen = {told.inner_text(timeout=5_000)}
    while chat.stop_button.count():
        seen.update(told.all_inner_texts())
        chat.page.wait_for_timeout(50)
    assert len(seen) >= 4, f"the progress must move: {sorted(seen)}"
    chat.wait_done()
    verdict = chat.page.get_by_text(re.compile(r"\[[\d.]+, [\d.]+\], 8 pairs of 48 tokens"))
    expect(verdict).to_be_visible(timeout=ANSWER_MS)
    repeats = [r for r in runs_of(server, chat.conversation_id()) if r.purpose == "repeat"]
    first, second = (column.key for column in shown.columns)
    assert [run.column_key for run in repeats[:4]] == [first, second, second, first]
    expect(chat.figures(0)).to_have_count(1)


def test_a_race_marks_its_runs_contended_and_ranks_none(chat: ChatPage) -> None:
    chat.open(comparison(tokens=60, race=True)).ask("What is decode?")
    for index in (0, 1):
        assert "Contended" in chat.answer_text(index)
        expect(chat.figures(index).get_by_label(re.compile("best of these"))).to_have_count(0)
    expect(chat.page.get_by_text(re.compile("Not ranked:.*shared the device"))).to_be_visible()


# Columns


def test_a_column_can_be_renamed_cloned_maximised_and_removed_with_undo(chat: ChatPage) -> None:
    chat.open(comparison())
    menu = chat.open_menu(0)
    menu.get_by_role("textbox", name="Name").fill("My favourite")
    menu.get_by_role("textbox", name="Name").press("Enter")
    expect(chat.title(0)).to_have_text("My favourite")
    chat.settled().click("Clone", menu)
    expect(chat.columns).to_have_count(3)
    chat.settled().close_popover()
    menu = chat.open_menu(0)
    chat.click("Maximise", menu)
    expect(chat.columns).to_have_count(1)
    chat.settled().close_popover()
    chat.click("Show all", chat.open_menu(0))
    expect(chat.columns).to_have_count(3)
    chat.settled().close_popover()
    chat.click("Remove", chat.open_menu(2))
    expect(chat.columns).to_have_count(2)
    chat.settled().close_popover().click("Undo")
    expect(chat.columns).to_have_count(3)


def test_there_are_at_most_six_setups(chat: ChatPage) -> None:
    chat.open(comparison(KV_ON))
    add = chat.page.locator(".st-key-add-setup").get_by_role("button")
    for count in range(2, 7):
        expect(add).to_be_enabled()
        add.click()
        expect(chat.columns).to_have_count(count)
        chat.settled()
        if count == 4:
            assert names_stay(chat) == ("sticky", True)
    expect(add).to_be_disabled()
    # They scroll sideways, where a name that stuck would lie over the prompt under it.
    assert names_stay(chat) == ("static", False)
    assert len(Comparison.from_permalink(chat.permalink()).columns) == 6


def names_stay(chat: ChatPage) -> tuple[str, bool]:
    """How the names above the columns are placed, and whether all columns fit on a wide page."""
    chat.page.set_viewport_size({"width": 1400, "height": 900})
    found = chat.column(0).evaluate("""column => {
        const head = column.querySelector('[class*="st-key-head-"]').parentElement;
        const row = column.closest('[data-testid="stHorizontalBlock"]');
        const iconEdge = 8;
        return [getComputedStyle(head).position, row.scrollWidth < row.clientWidth + iconEdge];
    }""")
    return found[0], found[1]


def test_a_setup_added_later_can_answer_the_last_turn_too(chat: ChatPage) -> None:
    chat.open(comparison(KV_ON)).ask("What is decode?")
    chat.page.locator(".st-key-add-setup").get_by_role("button").click()
    expect(chat.column(1).get_by_text("No answer: this setup was added later")).to_be_visible()
    chat.settled().click("Answer it here too", chat.column(1))
    expect(chat.figures(1)).to_have_count(1, timeout=ANSWER_MS)


def test_a_toggle_in_the_builder_changes_the_setup_and_the_title(chat: ChatPage) -> None:
    chat.open(comparison(KV_ON))
    menu = chat.open_menu(0)
    menu.get_by_text("bf16", exact=True).click()
    expect(chat.title(0)).to_contain_text("bf16")
    chat.settled()
    assert Comparison.from_permalink(chat.permalink()).columns[0].setup.weights == "bf16"


def test_sampling_is_shared_until_a_column_takes_its_own(chat: ChatPage) -> None:
    chat.open(comparison())
    panel = chat.open_popover("Sampling")
    panel.get_by_label("Most new tokens").fill("9")
    panel.get_by_label("Most new tokens").press("Enter")
    chat.page.wait_for_url(lambda url: "c=" in url)
    wait_until(lambda: _link(chat).sampling.max_new_tokens == 9, 20, "the shared limit")
    chat.settled().close_popover()
    menu = chat.open_menu(1)
    menu.get_by_text("Sampling of its own").click()
    own = menu.get_by_label("Most new tokens")
    own.fill("5")
    own.press("Enter")
    wait_until(lambda: _own_limit(chat) == 5, 20, "the column's own limit")
    chat.settled().close_popover()
    chat.ask("What is decode?")
    assert chat.tokens(0, "Output tokens") == 9
    assert chat.tokens(1, "Output tokens") == 5


def _link(chat: ChatPage) -> Comparison:
    chat.page.wait_for_timeout(50)  # lets the address change
    return Comparison.from_permalink(chat.permalink())


def _own_limit(chat: ChatPage) -> int | None:
    own = _link(chat).columns[1].sampling
    return own.max_new_tokens if own else None


# Stopping


def test_stop_ends_the_answer_says_how_and_leaves_the_setups_ready(
    chat: ChatPage, server: AppServer
) -> None:
    chat.open(comparison(KV_OFF, KV_ON, tokens=1500)).send("Tell me a long story.")
    text = chat.wait_streaming(0, characters=20)
    chat.stop_button.click()
    chat.wait_done()
    assert re.search(r"Stopped in .*\d.* tokens? made after it", chat.answer_text(0))
    assert chat.streamed(0).startswith(text)
    assert "Stopped before the first token" in chat.answer_text(1)
    stopped = runs_of(server, chat.conversation_id())
    assert [run.status for run in stopped] == ["stopped", "stopped"]
    panel = chat.open_popover("Sampling")
    panel.get_by_label("Most new tokens").fill("8")
    panel.get_by_label("Most new tokens").press("Enter")
    wait_until(lambda: _link(chat).sampling.max_new_tokens == 8, 20, "a shorter limit")
    chat.settled().close_popover().ask("What is decode?")
    for index in (0, 1):
        assert chat.tokens(index, "Output tokens") == 8


def test_escape_stops_too(chat: ChatPage) -> None:
    chat.open(comparison(KV_OFF, tokens=1500)).send("Tell me a long story.")
    chat.wait_streaming(0)
    chat.page.keyboard.press("Escape")
    chat.wait_done()
    assert "Stopped in" in chat.answer_text(0)


def test_a_prompt_can_be_stopped_while_its_model_loads(chat: ChatPage) -> None:
    chat.open(comparison(Setup(weights="fp16", threads=1), tokens=1500)).send("A long story.")
    chat.wait_started()
    chat.stop_button.click()
    chat.wait_done()
    assert "Stopped" in chat.answer_text(0)


# Refreshing, closing, two at once


def test_a_refresh_in_mid_answer_loses_nothing(chat: ChatPage, server: AppServer) -> None:
    chat.open(comparison(tokens=200)).send("Tell me about attention.")
    before = chat.wait_streaming(0, characters=10)
    chat.page.reload()
    chat.wait_drawn()
    assert chat.wait_streaming(0).startswith(before)
    chat.wait_done()
    for index in (0, 1):
        assert chat.tokens(index, "Output tokens") == 200
    runs = runs_of(server, chat.conversation_id())
    assert [run.status for run in runs] == ["finished", "finished"]


def test_a_closed_tab_in_mid_answer_still_records_its_runs(
    chat: ChatPage, server: AppServer, new_context: NewContext
) -> None:
    chat.open(comparison(tokens=150)).send("Tell me about attention.")
    chat.wait_streaming(0)
    address, id_ = chat.page.url, chat.conversation_id()
    chat.page.close()
    wait_until(lambda: len(runs_of(server, id_)) == 2, 60, "both runs in the store")
    assert {run.status for run in runs_of(server, id_)} == {"finished"}
    again = ChatPage(new_context().new_page(), server.url)
    again.page.goto(address)
    again.wait_drawn()
    expect(again.figures(1)).to_have_count(1)


def test_a_tab_closed_right_after_sending_is_answered_all_the_same(
    chat: ChatPage, server: AppServer
) -> None:
    chat.open(comparison())
    id_ = chat.conversation_id()
    chat.send("What is decode?").wait_asked()
    chat.page.close()
    wait_until(lambda: len(runs_of(server, id_)) == 2, 60, "both runs in the store")


def test_two_browsers_share_the_device_one_after_the_other(
    chat: ChatPage, server: AppServer, new_context: NewContext
) -> None:
    first = chat.open(comparison(KV_OFF, tokens=300))
    second = ChatPage(new_context().new_page(), server.url).open(comparison(KV_ON))
    first.send("Tell me about attention.").wait_streaming(0)
    second.send("What is decode?")
    waiting = second.column(0).get_by_text(re.compile(r"In the queue: \d ahead.*has the device"))
    expect(waiting).to_be_visible()
    assert first.figures(0).count() == 0, "the first must still be answering"
    second.wait_done()
    first.wait_done()
    expect(first.figures(0)).to_have_count(1)
    expect(second.figures(0)).to_have_count(1)


# Links


def test_a_permalink_brings_the_setups_and_not_what_was_said(
    chat: ChatPage, server: AppServer, new_context: NewContext
) -> None:
    shown = Comparison(
        columns=comparison(Setup(weights="bf16"), Setup(weights="fp16"), KV_OFF).columns,
        sampling=Sampling(temperature=0.7, max_new_tokens=12),
    )
    chat.open(shown).ask("A secret of mine.")
    other = ChatPage(new_context().new_page(), server.url)
    other.open(query=f"?s={chat.permalink()}")
    expect(other.columns).to_have_count(3)
    expect(other.title(1)).to_contain_text("fp16")
    assert Comparison.from_permalink(other.permalink()) == shown
    assert other.conversation_id() != chat.conversation_id()
    expect(other.prompts(0)).to_have_count(0)


def test_a_broken_permalink_is_told_and_the_page_works(chat: ChatPage) -> None:
    whole = comparison().to_permalink()
    for broken in (whole[: len(whole) // 2], "nonsense!", "A" * 9000):
        chat.open(query=f"?s={broken}")
        expect(chat.page.get_by_text("This link is broken or was cut off.")).to_be_visible()
        expect(chat.columns).to_have_count(2)
    chat.click(EXAMPLE_PROMPTS[0]).wait_asked().wait_done()
    expect(chat.figures(1)).to_have_count(1)


# Conversations


def test_conversations_are_listed_reopened_renamed_deleted_and_brought_back(
    chat: ChatPage,
) -> None:
    sidebar = chat.page.get_by_test_id("stSidebar")
    chat.open(comparison(KV_ON)).ask("A question about badgers")
    badgers = chat.conversation_id()
    chat.click("New conversation")
    expect(chat.prompts(0)).to_have_count(0)
    chat.settled().ask("A question about otters")
    chat.click("A question about badgers", sidebar)
    expect(chat.prompts(0)).to_have_text(["A question about badgers"])
    assert chat.settled().conversation_id() == badgers
    expect(chat.figures(0)).to_have_count(1)

    sidebar.get_by_text("This conversation").click()
    sidebar.get_by_label("Title").fill("On badgers")
    sidebar.get_by_label("Title").press("Enter")
    chat.settled().click("A question about otters", sidebar)
    chat.click("On badgers", sidebar)
    expect(chat.prompts(0)).to_have_text(["A question about badgers"])

    chat.settled()
    if not sidebar.get_by_role("button", name="Delete").is_visible():
        sidebar.get_by_text("This conversation").click()
    chat.click("Delete", sidebar)
    expect(chat.prompts(0)).to_have_count(0)
    expect(sidebar.get_by_text("Deleted “On badgers”.")).to_be_visible()
    expect(sidebar.get_by_role("button", name="On badgers")).to_have_count(0)
    chat.settled().click("Undo", sidebar)
    expect(chat.prompts(0)).to_have_text(["A question about badgers"])
    expect(chat.figures(0)).to_have_count(1)


def test_a_conversation_is_exported_as_markdown_and_as_json(chat: ChatPage) -> None:
    sidebar = chat.page.get_by_test_id("stSidebar")
    chat.open(comparison()).ask("What is the KV cache?")
    answer = chat.streamed(0)
    sidebar.get_by_text("This conversation").click()
    with chat.page.expect_download() as download:
        chat.click("Markdown", sidebar)
    markdown = Path(download.value.path()).read_text()
    assert "What is the KV cache?" in markdown
    assert answer[:30] in markdown
    assert "KV off" in markdown
    with chat.page.expect_download() as download:
        chat.click("JSON", sidebar)
    exported = json.loads(Path(download.value.path()).read_text())
    assert "What is the KV cache?" in json.dumps(exported)
