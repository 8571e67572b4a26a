"""Stories keep their wish: every wished thing is told in the first sentence, as it was typed."""

import random
import re

import pytest

from models.training.intents.base import State, Turn
from models.training.intents.plots import ENDS, OPENINGS
from models.training.intents.stories import story
from models.training.knowledge import first_sentence
from models.training.wording import Split

SPLITS: tuple[Split, ...] = ("train", "held_out")


def told(split: Split, count: int = 1500, *, brief: bool = False) -> list[Turn]:
    rng = random.Random(f"stories:{split}")
    return [story(rng, State(brief=brief), split) for _ in range(count)]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("brief", [False, True])
def test_every_wished_thing_is_in_the_first_sentence_as_typed(split: Split, brief: bool) -> None:
    for turn in told(split, brief=brief):
        assert turn.kind == "stories"
        for key in turn.keys:
            assert key in first_sentence(turn.assistant), turn
            assert key == "." or key[1:] in turn.user, turn


@pytest.mark.parametrize("split", SPLITS)
def test_a_story_has_a_beginning_an_end_and_its_length(split: Split) -> None:
    for turn in told(split):
        assert turn.assistant.startswith(OPENINGS)
        assert turn.assistant.endswith(ENDS)
        assert 55 <= len(turn.assistant.split()) <= 110, turn.assistant
        assert "{" not in turn.user + turn.assistant


def test_a_story_fits_any_hero() -> None:
    for turn in told("train"):
        # Any name can be wished, also one that is a word.
        unnamed = [word for word in ("he", "she", "its", "his", "her") if word not in turn.keys]
        assert not re.search(rf"\b({'|'.join(unnamed)})\b", turn.assistant), turn.assistant
        assert not re.search(r"\ba [aeio]|\ban [^aeiou]", turn.assistant), turn.assistant


def test_a_brief_story_is_one_sentence() -> None:
    for turn in told("train", 300, brief=True):
        assert turn.assistant == first_sentence(turn.assistant)
        assert turn.assistant.endswith("found a good friend.")


def test_wishes_are_worded_in_many_ways() -> None:
    assert len({turn.user for turn in told("train")}) > 1300


def test_another_one_is_a_story_only_after_a_story() -> None:
    rng = random.Random(5)
    first = [story(rng, State(), "train").user.lower() for _ in range(1500)]
    after = State(last_answer="Long ago a fox named Finn lived by a blue lake.")
    later = [story(rng, after, "train").user.lower() for _ in range(1500)]
    assert not {"another one", "another one."} & set(first)
    assert {"another one", "another one."} & set(later)
