"""The chat page over the fake backend: empty, running, answered, failed; links and notices."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from app.bench.conversation import Column, Comparison, Conversation
from app.bench.jobs import Job
from app.bench.record import RunRecord
from app.ui.live import LiveAnswer
from app.ui.presets import EXAMPLE_PROMPTS, PRESETS
from app.ui.server import OWNER, Server
from backends.errors import GenerationFailed, LoadFailed, NotRecorded
from backends.registry import get_backend
from backends.remote.keys import TakesKey
from backends.request import Sampling
from backends.settings import ROOT
from backends.setup import Setup
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import Opening

OpenChat = Callable[..., AppTest]
COLUMNS = tuple(
    Column(key=key, setup=Setup(backend="fake", model="a", kv_cache=kv_cache))
    for key, kv_cache in (("on", "dynamic"), ("off", "off"))
)
COMPARISON = Comparison(columns=COLUMNS, sampling=Sampling(max_new_tokens=6, fixed_length=True))


@pytest.fixture
def open_chat(server: Server, fake: FakeBackend) -> OpenChat:
    """`open_chat(comparison, **query)` runs the entry with this address."""

    def open_(shown: Comparison | None = COMPARISON, **query: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app/ui/main.py"), default_timeout=30)
        if shown is not None:
            query["s"] = shown.to_permalink()
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    return open_


@pytest.fixture
def look_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page looks at a running job once instead of following it to its end."""

    def follow(job: Job, live: dict[str, LiveAnswer], progress: object = None) -> None:
        for key, place in live.items():
            lane = job.lane(key)
            assert lane is not None
            place.update(lane)
        st.stop()

    monkeypatch.setattr("app.ui.live.follow", follow)


def ask(page: AppTest, prompt: str) -> AppTest:
    page.chat_input[0].set_value(prompt).run()
    assert not page.exception
    return page


def in_address(page: AppTest, name: str) -> str:
    """A value of the page's address; a test's own is text, one set by the page a list."""
    value = page.query_params.get(name, "")
    return value if isinstance(value, str) else value[0]


def conversation_of(page: AppTest, server: Server) -> Conversation:
    found = server.book.get(in_address(page, "c"), OWNER)
    assert found is not None
    return found


def texts(page: AppTest) -> str:
    """Everything that is written on the page, in order."""
    kinds = [page.markdown, page.caption, page.warning, page.error]
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(page: AppTest, key: str) -> Button:
    """The one button whose key starts with `key`."""
    found = [one for one in page.button if str(one.key or "").startswith(key)]
    assert len(found) == 1, [one.key for one in page.button]
    return found[0]


# Empty


@pytest.mark.usefixtures("fake")
def test_a_first_visit_offers_prompts_and_comparisons(open_chat: OpenChat) -> None:
    page = open_chat(None)
    labels = [one.label for one in page.button]
    assert set(EXAMPLE_PROMPTS) <= set(labels)
    assert all(labels.count(preset.title) == 2 for preset in PRESETS)  # the menu's and the page's
    assert not page.warning
    assert not page.error


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("missing", ["", "llama-cpp-python is not installed"])
def test_two_engines_are_compared_where_both_are_here(
    open_chat: OpenChat, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr("backends.llamacpp.backend._missing", lambda: missing)
    preset = button(open_chat(None), "start-engines")
    assert preset.disabled == bool(missing)
    assert missing in preset.help
    assert ("requirements-llamacpp.txt" in preset.help) == bool(missing)


# Answered


def test_a_prompt_is_answered_in_every_column(open_chat: OpenChat, server: Server) -> None:
    page = ask(open_chat(), "What is prefill?")
    runs = conversation_of(page, server).turns[0].runs
    assert [runs[column.key].status for column in COLUMNS] == ["finished", "finished"]
    written = texts(page)
    for run in runs.values():
        assert run.answer.strip() in written
    assert "Ended at the length limit" in written
    assert not page.chat_input[0].disabled
    assert [one.label for one in page.button if one.key == "repeat"] == ["Repeat to be sure"]


def test_clearing_a_conversation_can_be_undone(open_chat: OpenChat, server: Server) -> None:
    page = ask(open_chat(), "What is prefill?")
    before = conversation_of(page, server)
    button(page, "clear-conversation").click().run()
    assert conversation_of(page, server).turns == ()
    button(page, "undo-clear").click().run()
    assert conversation_of(page, server).turns == before.turns


def test_conversations_that_begin_alike_are_told_apart_by_their_time(open_chat: OpenChat) -> None:
    page = open_chat()
    for prompt in ("Hello", "Hello", "What is prefill?", "What is decode?"):
        ask(page, prompt)
        button(page, "new-conversation").click().run()
    names = [one.label for one in page.button if str(one.key).startswith("open-")]
    assert names[:2] == ["What is decode?", "What is prefill?"]
    assert all(re.fullmatch(r":gray\[.*\d\d:\d\d.*\] Hello", name) for name in names[2:])


def test_the_answers_are_compared_with_the_first_columns(open_chat: OpenChat) -> None:
    page = ask(open_chat(), "What is prefill?")
    html = "".join(str(element.value) for element in page.get("html"))
    assert html.count("= same answer") == 2 or "differs from" in html


def test_an_example_prompt_is_sent_by_one_click(open_chat: OpenChat, server: Server) -> None:
    page = open_chat()
    button(page, "example-1").click().run()
    assert [turn.prompt for turn in conversation_of(page, server).turns] == [EXAMPLE_PROMPTS[1]]


def test_a_setup_without_history_is_sent_the_last_prompt_alone(
    open_chat: OpenChat, server: Server, fake: FakeBackend
) -> None:
    columns = tuple(
        Column(key=history, setup=Setup(backend="fake", model="a", history=history))
        for history in ("full", "none")
    )
    page = ask(ask(open_chat(Comparison(columns=columns)), "one two"), "three four")
    runs = conversation_of(page, server).turns[1].runs
    assert runs["full"].usage is not None
    assert runs["none"].usage is not None
    assert runs["none"].usage.prompt_tokens == 2
    assert runs["full"].usage.prompt_tokens > 4


def test_regenerate_answers_one_column_again(open_chat: OpenChat, server: Server) -> None:
    page = ask(open_chat(), "What is prefill?")
    before = conversation_of(page, server).turns[0].runs
    button(page, f"again-{before['on'].id}").click().run()
    after = conversation_of(page, server).turns[0].runs
    assert after["on"].id != before["on"].id
    assert after["off"].id == before["off"].id


def test_model_output_is_shown_as_text(
    open_chat: OpenChat, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "<script>alert(1)</script> ![x](http://example.org/x.png)"
    monkeypatch.setattr("tests.fakes.engine._text", lambda ids: hostile if ids else "")
    page = ask(open_chat(), "Be bad")
    shown = [one.value for one in page.markdown if "alert" in one.value]
    assert shown
    assert all("<script>" not in value and "![x](" not in value for value in shown)


# Running


@pytest.mark.usefixtures("look_once")
def test_while_it_answers_there_is_a_stop_and_no_second_prompt(
    open_chat: OpenChat, server: Server, fake: FakeBackend
) -> None:
    page = ask(open_chat(), "What is prefill?")
    wait_for(lambda: not server.jobs.running())
    fake.scripts["a"] = Script(gate=threading.Event(), hold_at=3)
    fake.engines[0].script = fake.scripts["a"]
    ask(page.run(), "And decode?")
    job = server.jobs.of(conversation_of(page, server).id, OWNER)
    assert job is not None
    lane = job.lane("on")
    assert lane is not None
    wait_for(lambda: lane.tokens == 3)
    page.run()
    written = texts(page)
    assert lane.text.strip() in written
    assert "3 tokens" in written
    assert "Waiting for its turn" in written
    assert page.chat_input[0].disabled
    assert button(page, "add-setup").disabled
    button(page, "stop").click().run()
    assert job.wait(20)
    page.run()
    assert re.search("Stopped in .* made after it", texts(page))
    assert "Stopped before the first token." in texts(page)
    assert not page.chat_input[0].disabled


@pytest.mark.usefixtures("look_once")
def test_loading_shows_what_is_loaded_and_how_far(
    open_chat: OpenChat, server: Server, fake: FakeBackend
) -> None:
    fake.openings["a"] = Opening(gate=threading.Event())
    page = ask(open_chat(), "What is prefill?")
    wait_for(lambda: bool(fake.opened))
    page.run()
    (bar,) = page.get("progress")
    assert bar.proto.text == "Loading"
    assert bar.proto.value == 50
    assert "Waiting for its turn" in texts(page)
    button(page, "stop").click().run()


def test_a_run_that_ends_while_the_page_is_drawn_is_drawn_once_more(
    open_chat: OpenChat, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app.ui.columns as columns

    def draw_late(conversation: Conversation, job: Job | None) -> dict[str, LiveAnswer]:
        if job is not None:
            job.begin()
            assert job.wait(20)  # all of it happens after the conversation was read
        return drawn(conversation, job)

    drawn = columns.draw_columns
    monkeypatch.setattr(columns, "draw_columns", draw_late)
    page = ask(open_chat(), "What is prefill?")
    assert "No answer:" not in texts(page)
    assert not page.chat_input[0].disabled
    assert not button(page, "add-setup").disabled
    assert len(conversation_of(page, server).turns[0].runs) == 2


def wait_for(happened: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(2_000):
        if happened():
            return
        done.wait(0.005)
    raise AssertionError("it never happened")


# Errors


def test_a_failed_column_says_why_and_the_other_answers(
    open_chat: OpenChat, server: Server, fake: FakeBackend
) -> None:
    other = Column(key="other", setup=Setup(backend="fake", model="b"))
    page = ask(open_chat(Comparison(columns=(COLUMNS[0], other))), "What is prefill?")
    fake.engines[0].script = Script(fail_at=2, error=GenerationFailed("It broke.", "Mend it."))
    ask(page, "And decode?")
    assert [error.value.split() for error in page.error] == [["It", "broke.", "Mend", "it."]]
    runs = conversation_of(page, server).turns[1].runs
    assert (runs["on"].status, runs["other"].status) == ("failed", "finished")
    assert runs["on"].answer.strip() in texts(page), "what had come is kept"


def test_a_model_that_does_not_load_says_what_to_do(open_chat: OpenChat, fake: FakeBackend) -> None:
    fake.openings["a"] = Opening(error=LoadFailed("Weights are pickles.", "Use safetensors."))
    page = ask(open_chat(), "What is prefill?")
    told = "Weights are pickles. Use safetensors."
    assert [" ".join(error.value.split()) for error in page.error] == [told] * 2


def test_a_page_that_fails_says_so_without_a_traceback(
    open_chat: OpenChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_chat()

    def fail(conversation: Conversation) -> None:
        raise ZeroDivisionError("a secret path /home/someone")

    monkeypatch.setattr("app.ui.chart_panel.draw_charts", fail)
    page.run()
    assert not page.exception
    assert "This page failed (ZeroDivisionError)" in page.error[0].value
    assert "secret" not in texts(page)


def test_runs_that_could_not_be_recorded_are_kept_told_and_retried(
    open_chat: OpenChat, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(record: RunRecord) -> None:
        server.store.problem = NotRecorded("Not recorded: the disk is full.", "Free some space.")
        raise server.store.problem

    with monkeypatch.context() as patch:
        patch.setattr(server.store, "save_run", refuse)
        page = ask(open_chat(), "What is prefill?")
        told = "2 runs are not recorded. Not recorded: the disk is full. Free some space."
        assert [error.value for error in page.error] == [told]
        assert len(conversation_of(page, server).turns[0].runs) == 2
        button(page, "retry-record").click().run()
        assert page.error
    button(page, "retry-record").click().run()
    assert not page.error
    kept = server.store.conversation(conversation_of(page, server).id, OWNER)
    assert kept is not None
    assert len(kept.turns[0].runs) == 2


# Links


def test_a_permalink_rebuilds_the_columns_in_a_new_conversation(
    open_chat: OpenChat, server: Server
) -> None:
    first = ask(open_chat(), "What is prefill?")
    second = open_chat()
    assert conversation_of(second, server).comparison == COMPARISON
    assert in_address(second, "c") != in_address(first, "c")
    assert not conversation_of(second, server).turns


def test_an_address_comes_back_to_its_conversation(open_chat: OpenChat, server: Server) -> None:
    first = ask(open_chat(), "What is prefill?")
    id_ = in_address(first, "c")
    again = open_chat(c=id_)
    assert conversation_of(again, server).id == id_
    assert "What is prefill?" in texts(again)


@pytest.mark.parametrize("link", ["", "nonsense", "AAAA", COMPARISON.to_permalink()[:-9]])
def test_a_broken_link_is_told_and_a_preset_shown(
    open_chat: OpenChat, server: Server, link: str
) -> None:
    page = open_chat(None, s=link)
    assert [warning.value.split(".")[0] for warning in page.warning] == [
        "This link is broken or was cut off"
    ]
    assert conversation_of(page, server).comparison.columns[1].setup.kv_cache == "off"


def test_a_conversation_in_a_folder_of_this_machine_has_no_link(
    open_chat: OpenChat, server: Server, tmp_path: Path
) -> None:
    private = Comparison(columns=(Column(setup=Setup(backend="fake", model=str(tmp_path))),))
    id_ = server.book.start(private, OWNER).id
    page = open_chat(None, c=id_)
    assert conversation_of(page, server).id == id_
    assert "s" not in page.query_params
    assert "it has no link" in texts(page)


# Notices


@pytest.mark.parametrize(
    ("prompt", "told"),
    [("   ", "The prompt is empty."), ("x" * 200_001, "at most 200,000 are taken")],
)
def test_a_prompt_that_cannot_be_sent(
    open_chat: OpenChat, server: Server, prompt: str, told: str
) -> None:
    page = ask(open_chat(), prompt)
    assert told in page.warning[0].value
    assert not conversation_of(page, server).turns
    page.run()
    assert not page.warning, "a notice is said once"


def test_a_prompt_that_does_not_fit_is_held_back_and_turns_can_be_dropped(
    open_chat: OpenChat, server: Server
) -> None:
    page = ask(ask(open_chat(), "word " * 900), "word " * 900)
    ask(page, "word " * 900)
    assert "the context window holds 2 048" in " ".join(page.warning[0].value.split())
    assert len(conversation_of(page, server).turns) == 2
    button(page, "drop-and-send").click().run()
    turns = conversation_of(page, server).turns
    assert len(turns) == 3
    assert {run.status for run in turns[2].runs.values()} == {"finished"}


def test_a_removed_column_can_be_brought_back(open_chat: OpenChat, server: Server) -> None:
    page = open_chat()
    page.session_state["menu-off"] = True  # the menu's popover is open
    page.run()
    button(page, "remove-off").click().run()
    assert [c.key for c in conversation_of(page, server).comparison.columns] == ["on"]
    button(page, "undo-remove").click().run()
    assert [c.key for c in conversation_of(page, server).comparison.columns] == ["on", "off"]


def test_the_text_that_a_choice_works_with_can_be_read_where_it_is_chosen(
    open_chat: OpenChat,
) -> None:
    page = open_chat()
    page.session_state["menu-on"] = True
    page.run()
    assert "Made of" in [expander.label for expander in page.expander]
    assert "Text of fp32" in [code.value for code in page.code]
    assert "Text of bf16" not in [code.value for code in page.code]


@pytest.mark.parametrize("missing", ["", "llama-cpp-python is not installed"])
def test_llama_cpps_formats_are_greyed_with_the_reason(
    open_chat: OpenChat, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr("backends.llamacpp.backend._missing", lambda: missing)
    column = Column(key="llama", setup=Setup(backend="llamacpp", weights="fp16"))
    page = open_chat(Comparison(columns=(COLUMNS[0], column)))
    page.session_state["menu-llama"] = True
    page.run()
    weights = next(shown for shown in page.button_group if shown.label == "Weights")
    offered = set(weights.options)
    if missing:
        assert not offered
        assert f"Q8_0: {missing}" in texts(page)
        assert "requirements-llamacpp.txt" in texts(page)
    else:
        assert {"F32", "F16", "Q8_0", "Q4_0"} <= offered
        assert "Q4_K_M: Q4_K_M packs 256 weights together" in texts(page)


def test_a_servers_key_is_kept_by_its_backend_and_is_in_no_link(open_chat: OpenChat) -> None:
    setup = Setup(backend="endpoint", options={"address": "http://localhost:1/v1"})
    column = Column(key="there", setup=setup)
    page = open_chat(Comparison(columns=(COLUMNS[0], column)))
    page.session_state["menu-there"] = True
    page.run()
    kinds = next(shown for shown in page.button_group if shown.label == "Kind of server")
    assert kinds.value == "standard", "an option that is not set shows its default"
    (field,) = [shown for shown in page.text_input if shown.label == "Key"]
    field.input("sk-planted").run()
    backend = get_backend("endpoint")
    assert isinstance(backend, TakesKey)
    assert backend.has_key(setup)
    assert "sk-planted" not in str(page.query_params) + str(page.main)
    backend.keep_key(setup, "")
