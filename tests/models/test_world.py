"""Capitals and lists: what the generator says about the world is right, however it is asked."""

import itertools
import random
import re
from pathlib import Path

import pytest

from models.training import knowledge
from models.training.intents import geography, lists, opposites
from models.training.intents.base import Intent, State, Turn
from models.training.world import table

_DRAWS = 2000


def _drawn(intent: Intent, state: State | None = None) -> list[Turn]:
    rng = random.Random(11)
    return [intent(rng, state or State(), "train") for _ in range(_DRAWS)]


def test_every_way_to_ask_belongs_to_wordings_and_those_are_drawn() -> None:
    folder = Path(geography.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert sorted(re.findall(r'ways\("(\w+)"\)', code)) == sorted(table("ways"))
    asked = {turn.user.lower() for turn in _drawn(opposites.opposite)}
    assert any("matching game" in text for text in asked)


@pytest.mark.parametrize("part", ["aliases", "adjectives", "big_cities"])
def test_whatever_is_said_of_a_country_is_said_of_one_with_a_capital(part: str) -> None:
    assert set(table("countries")[part]) <= set(knowledge.capitals())


def test_no_city_is_the_capital_of_two_countries() -> None:
    cities = list(knowledge.capitals().values())
    assert len(cities) == len(set(cities))


def test_no_unknown_place_has_a_known_capital() -> None:
    assert not set(knowledge.words("unknown_places")) & set(knowledge.capitals())


def test_a_capital_is_told_with_the_full_name_of_its_country() -> None:
    told = {
        f"the capital of {country} is {city}." for country, city in knowledge.capitals().items()
    }
    for turn in _drawn(geography.capital):
        answer = turn.assistant.removeprefix("Yes, ").removeprefix("No, ")
        assert answer[:1].lower() + answer[1:] in told
        assert turn.keys[0] in answer


def test_a_city_that_is_not_the_capital_is_denied() -> None:
    answers = [turn.assistant for turn in _drawn(geography.capital)]
    assert any(answer.startswith("Yes, ") for answer in answers)
    assert any(answer.startswith("No, ") for answer in answers)
    for turn in _drawn(geography.capital):
        if turn.assistant.startswith("No, "):
            assert turn.keys[0].lower() not in turn.user.lower().split()


@pytest.mark.parametrize("intent", [geography.capital, geography.unknown_capital])
def test_only_after_a_capital_a_country_alone_asks_for_one(intent: Intent) -> None:
    after = State(last_answer="The capital of France is Paris.")

    def share(turns: list[Turn]) -> float:
        return sum("what about" in turn.user.lower() for turn in turns) / len(turns)

    assert share(_drawn(intent, after)) > 2 * share(_drawn(intent))


def test_the_capital_of_an_unknown_place_is_not_known() -> None:
    for turn in _drawn(geography.unknown_capital):
        place = turn.assistant.removeprefix("I don't know the capital of ").removesuffix(".")
        assert place in turn.user
        assert place not in knowledge.capitals()


def test_a_list_is_the_beginning_of_its_kind() -> None:
    kinds = [list(map(str.lower, things)) for things in table("lists").values()]
    for turn in _drawn(lists.some_of):
        lines = turn.assistant.lower().removesuffix(".").replace(" and ", ", ")
        items = lines.split(", ")
        if "\n" in lines:
            items = [line.partition(" ")[2] for line in lines.split("\n")]
        assert any(items == things[: len(items)] for things in kinds), turn


def test_a_numbered_list_counts_its_lines() -> None:
    for turn in (*_drawn(lists.some_of), *_drawn(lists.whole_list)):
        if turn.assistant.startswith("1. "):
            lines = turn.assistant.split("\n")
            assert [line.split(". ")[0] for line in lines] == [
                str(place) for place in range(1, len(lines) + 1)
            ]


def test_counting_goes_by_one_up_or_down() -> None:
    steps = set()
    for turn in _drawn(lists.count):
        numbers = [int(number) for number in turn.assistant.removesuffix(".").split(", ")]
        steps |= {b - a for a, b in itertools.pairwise(numbers)}
    assert steps == {1, -1}


@pytest.mark.parametrize(
    ("things", "thing"),
    [
        ("animals", "animal"),
        ("capital cities", "capital city"),
        ("dishes", "dish"),
        ("ways to quantize", "way to quantize"),
        ("topics you know", "topic you know"),
    ],
)
def test_one_of_the_things_is_named_in_the_singular(things: str, thing: str) -> None:
    assert lists.singular(things) == thing


def test_a_name_keeps_its_spelling_at_the_start_of_a_list() -> None:
    drawn = [turn for turn in _drawn(lists.some_of) if not turn.assistant.isupper()]
    starts = {turn.assistant.split(",")[0].rstrip(".") for turn in drawn}
    assert "VLLM" not in starts
    assert "vLLM" in {start.split(" ")[0] for start in starts}
