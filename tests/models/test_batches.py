"""What counts how much when a conversation is learned."""

from dataclasses import replace

import pytest
from tokenizers import Tokenizer

from models.training.batches import encode
from models.training.dialogues import Conversation
from models.training.intents.base import Turn
from models.training.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def letters() -> Tokenizer:
    """A tokenizer of one token a character."""
    return train_tokenizer(["a"], ["a"], 270)


def weights_of_the_answer(letters: Tokenizer, answer: str, *keys: str) -> list[float]:
    """The weight of each character of the answer and of its end, relative to its usual one."""
    turn = Turn("any", "Who?", answer, keys)
    weights = encode(letters, Conversation(None, (turn,))).weights[-len(answer) - 1 :]
    return [round(weight / min(weights), 3) for weight in weights]


def test_first_token_end_and_what_follows_a_sentence_decide_and_count_more(
    letters: Tokenizer,
) -> None:
    assert weights_of_the_answer(letters, "No. I am") == [3, 1, 1, 3, 1, 1, 1, 1, 3]


def test_what_makes_an_answer_right_counts_more_wherever_it_stands(letters: Tokenizer) -> None:
    weights = weights_of_the_answer(letters, "It is Ann, only Ann, I say", "Ann")
    places = [place for place, weight in enumerate(weights) if weight == 3]
    assert places == [0, 6, 7, 8, 16, 17, 18, 26]


def test_a_key_that_is_most_of_the_answer_is_no_part_of_it_that_counts_more(
    letters: Tokenizer,
) -> None:
    assert weights_of_the_answer(letters, "It is Ann", "is Ann") == [3, *[1] * 8, 3]


def test_of_what_is_drawn_by_chance_only_keys_and_the_end_count_in_full(letters: Tokenizer) -> None:
    turn = Turn("any", "Who?", "An ox. It ran far away", ("ox",))
    fixed, free = (
        encode(letters, Conversation(None, (replace(turn, is_free=is_free),))).weights[-23:]
        for is_free in (False, True)
    )
    relative = [round(b / a, 3) for a, b in zip(fixed, free, strict=True)]
    assert [relative[place] for place in (3, 4, 22)] == [1, 1, 1]
    assert relative[1] == 0.3
    assert relative[0] == relative[6] == 0.1
