"""A prompt that does not fit is told before it is sent, with how many turns would make room."""

from __future__ import annotations

from app.bench.context import overflows
from app.bench.conversation import Conversation
from tests.fakes.engine import WINDOW
from tests.fakes.workshop import Workshop, columns_of


def talk(workshop: Workshop, *models: str, turns: int, words: int) -> Conversation:
    """A conversation whose every prompt has so many words (a token each), all answered."""
    conversation = workshop.conversation(columns_of(*models), *["word " * words] * turns)
    for turn in range(turns):
        workshop.finish(workshop.jobs.answer(workshop.now(conversation.id), turn))
    return workshop.now(conversation.id)


def test_a_prompt_that_fits_is_no_overflow(workshop: Workshop) -> None:
    conversation = talk(workshop, "a", turns=1, words=10)
    assert overflows(workshop.bench.pool, conversation, "one more") == []


def test_an_overflow_tells_how_many_turns_to_drop(workshop: Workshop) -> None:
    conversation = talk(workshop, "a", turns=3, words=WINDOW // 4)
    (overflow,) = overflows(workshop.bench.pool, conversation, "word " * (WINDOW // 3))
    assert overflow.column.key == "a"
    assert overflow.context_window == WINDOW
    assert overflow.prompt_tokens > WINDOW
    assert overflow.turns_to_drop == 1


def test_a_prompt_longer_than_the_window_finds_no_room_in_dropping_turns(
    workshop: Workshop,
) -> None:
    conversation = talk(workshop, "a", turns=2, words=10)
    (overflow,) = overflows(workshop.bench.pool, conversation, "word " * (WINDOW + 1))
    assert overflow.turns_to_drop is None


def test_a_setup_whose_engine_is_not_loaded_is_left_to_the_run(workshop: Workshop) -> None:
    conversation = talk(workshop, "a", turns=1, words=10)
    for engine in workshop.bench.pool.engines():
        workshop.bench.pool.unload(engine.key)
    assert overflows(workshop.bench.pool, conversation, "word " * (WINDOW + 1)) == []
