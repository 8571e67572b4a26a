"""The conversations that are open here: changed in one place, stored, private to their visitor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench import conversations
from app.bench.conversations import (
    ConversationBook,
    up_to,
    with_dropped_turn,
    with_run,
    with_turn,
)
from backends.errors import NotRecorded
from backends.settings import Settings
from tests.bench.samples import make_conversation, make_run
from tests.fakes import FakeBackend
from tests.fakes.workshop import VISITOR, Workshop, columns_of


@pytest.fixture
def workshop(fake: FakeBackend, settings: Settings, tmp_path: Path) -> Iterator[Workshop]:
    """On both kinds of database."""
    made = Workshop.make(tmp_path, settings=settings)
    yield made
    made.close()


def renamed(workshop: Workshop, id_: str, title: str) -> None:
    workshop.book.change(id_, VISITOR, lambda one: one.model_copy(update={"title": title}))


def test_an_empty_conversation_is_not_kept_in_the_store(workshop: Workshop) -> None:
    started = workshop.book.start(make_conversation().comparison, VISITOR)
    assert workshop.book.get(started.id, VISITOR) == started
    assert workshop.store.conversations(VISITOR) == []


def test_its_first_turn_brings_it_there_with_a_title(workshop: Workshop) -> None:
    workshop.conversation(columns_of("a"), "What  is\nprefill?")
    (summary,) = workshop.store.conversations(VISITOR)
    assert summary.title == "What is prefill?"
    assert summary.turns == 1


def test_another_book_on_the_same_store_finds_it(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"), "One", "Two")
    found = ConversationBook(workshop.store).get(conversation.id, VISITOR)
    assert found is not None
    assert [turn.prompt for turn in found.turns] == ["One", "Two"]
    assert found.comparison == conversation.comparison


def test_knowing_its_id_is_not_enough(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"))
    assert workshop.book.get(conversation.id, "mallory") is None
    assert workshop.book.change(conversation.id, "mallory", lambda one: up_to(one, 0)) is None
    assert ConversationBook(workshop.store).get(conversation.id, "mallory") is None
    assert len(workshop.now(conversation.id).turns) == 1


def test_two_pages_see_each_others_changes(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"))
    renamed(workshop, conversation.id, "Mine")
    workshop.book.change(conversation.id, VISITOR, lambda one: with_turn(one, "More"))
    seen = workshop.now(conversation.id)
    assert (seen.title, len(seen.turns)) == ("Mine", 2)
    assert seen.updated_at > conversation.updated_at


def test_one_that_was_forgotten_is_read_from_the_store(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"))
    elsewhere = ConversationBook(workshop.store)
    elsewhere.change(
        conversation.id, VISITOR, lambda one: one.model_copy(update={"title": "Elsewhere"})
    )
    workshop.book.forget(conversation.id)
    assert workshop.now(conversation.id).title == "Elsewhere"


def test_a_deleted_one_is_gone_once_forgotten(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"))
    workshop.store.delete_conversation(conversation.id, VISITOR)
    workshop.book.forget(conversation.id)
    assert workshop.book.get(conversation.id, VISITOR) is None


def test_only_so_many_are_held_in_memory(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "_OPEN_CONVERSATIONS", 2)
    made = [workshop.conversation(columns_of("a"), f"Number {i}") for i in range(4)]
    assert [workshop.now(one.id).title for one in made] == [one.title for one in made]


def test_a_change_that_cannot_be_stored_is_kept_here_and_stored_by_the_next(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = workshop.conversation(columns_of("a"))

    def refuse(*_: object) -> None:
        raise NotRecorded("Not recorded: the disk is full.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(workshop.store, "save_conversation", refuse)
        renamed(workshop, conversation.id, "Kept")
    assert workshop.now(conversation.id).title == "Kept"
    workshop.book.change(conversation.id, VISITOR, lambda one: with_turn(one, "More"))
    assert workshop.store.conversations(VISITOR)[0].title == "Kept"


def test_runs_that_were_not_recorded_are_those_of_their_visitor(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotRecorded("Not recorded: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(workshop.store, "save_run", refuse)
        assert workshop.book.add_run(make_run(visitor=VISITOR)) is not None
    assert len(workshop.book.unrecorded(VISITOR)) == 1
    assert workshop.book.unrecorded("mallory") == []


def test_a_repeat_is_stored_but_is_no_answer(workshop: Workshop) -> None:
    conversation = workshop.conversation(columns_of("a"))
    run = make_run(
        visitor=VISITOR, conversation_id=conversation.id, turn=0, column_key="a", purpose="repeat"
    )
    assert workshop.book.add_run(run) is None
    assert workshop.store.run(run.id, VISITOR) is not None
    assert workshop.now(conversation.id).turns[0].runs == {}


# Values


def test_a_long_prompt_gives_a_short_title() -> None:
    assert len(with_turn(make_conversation(), "word " * 100).title) <= 60


def test_a_title_that_was_given_stays() -> None:
    assert with_turn(make_conversation(title="Mine"), "What?").title == "Mine"


def test_an_answer_takes_its_place_and_the_latest_stays() -> None:
    conversation = make_conversation("One", "Two")
    first = make_run("Two", turn=1, column_key="b", answer="Old.")
    second = make_run("Two", turn=1, column_key="b", answer="New.")
    changed = with_run(with_run(conversation, first), second)
    assert changed.turns[0].runs == {}
    assert changed.turns[1].runs == {"b": second}


def test_an_answer_to_a_prompt_that_was_edited_meanwhile_is_not_put_under_the_new_one() -> None:
    conversation = make_conversation("What is decode?")
    late = make_run("What is prefill?", turn=0, column_key="a")
    assert with_run(conversation, late) == conversation


def test_an_answer_to_a_turn_that_is_gone_changes_nothing() -> None:
    conversation = make_conversation("One")
    assert with_run(conversation, make_run("Two", turn=1, column_key="a")) == conversation
    assert with_run(conversation, make_run("One")) == conversation


def test_going_back_drops_the_turns_from_there_on() -> None:
    conversation = make_conversation("One", "Two", "Three", dropped_turns={"a": 2, "b": 1})
    back = up_to(conversation, 1)
    assert [turn.prompt for turn in back.turns] == ["One"]
    assert back.dropped_turns == {"a": 1, "b": 1}


def test_dropping_the_oldest_turns_shortens_what_is_sent(tmp_path: Path) -> None:
    conversation = make_conversation("One", "Two")
    for turn, prompt in enumerate(("One", "Two")):
        run = make_run(prompt, turn=turn, column_key="a", answer=f"Answer {turn}.")
        conversation = with_run(conversation, run)
    assert len(conversation.messages_for("a", "Three")) == 5
    dropped = with_dropped_turn(conversation, "a", 1)
    assert [m.content for m in dropped.messages_for("a", "Three")] == ["Two", "Answer 1.", "Three"]
    assert dropped.dropped_turns == {"a": 1}
