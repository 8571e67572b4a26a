"""The evaluation's question for what was told almost a whole context before."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from models.training.batches import render
from models.training.dialogues import Message
from models.training.long_talk import long_talks
from models.training.questions import Question
from models.training.tokenizer import CONTEXT_TOKENS

_TOKENIZER = Path(__file__).parents[2] / "models" / "bundled" / "target" / "tokenizer.json"
_BUNDLED = Tokenizer.from_file(str(_TOKENIZER))


def tokens_of(messages: Sequence[Message]) -> int:
    assert messages, "a chat template takes no empty conversation"
    return sum(len(_BUNDLED.encode(text).ids) for text, _ in render(list(messages)))


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return long_talks(60, tokens_of)


def test_a_name_was_last_said_1800_tokens_before_it_is_asked_for(questions: list[Question]) -> None:
    for asked in questions:
        (name,) = asked.keys[0]
        texts = [message["content"] for message in asked.messages]
        told = max(number for number, text in enumerate(texts) if name in text)
        assert asked.messages[told]["role"] == "assistant"
        assert tokens_of(asked.messages[told + 1 : -1]) >= 1800


def test_the_answer_has_room_in_the_context(questions: list[Question]) -> None:
    assert all(tokens_of(asked.messages) + 30 <= CONTEXT_TOKENS for asked in questions)


def test_the_same_seed_asks_the_same(questions: list[Question]) -> None:
    assert long_talks(2, tokens_of) == questions[:2]
    assert long_talks(2, tokens_of, seed=1) != questions[:2]
