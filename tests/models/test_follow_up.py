"""Asking on in a word, and two terms of which no comparison is written."""

import random

from models.training import knowledge
from models.training.ambiguity import ambiguous
from models.training.intents import inference
from models.training.intents.base import State
from models.training.intents.follow_up import follow_up
from models.training.knowledge import first_sentence


def answers(last_answer: str | None, *, brief: bool = False) -> set[str]:
    state = State(last_answer=last_answer, brief=brief)
    return {follow_up(random.Random(seed), state, "train").assistant for seed in range(200)}


def test_more_of_a_definition_is_why_it_matters_and_then_when_to_use_it() -> None:
    definition = knowledge.term("speculative decoding").definition
    said = answers(definition)
    why = next(a for a in said if a.startswith("Decode is limited"))
    when = next(a for a in said if a.startswith("Use speculative"))
    assert why not in answers(why)
    assert when in answers(why)
    assert when not in answers(when)


def test_where_nothing_more_is_known_it_says_so() -> None:
    for last in (None, "Your name is Anna.", knowledge.term("ITL").definition):
        said = answers(last)
        assert any(answer.startswith("That is all I know") for answer in said)
        assert all("I know about it" in answer or "no example" in answer for answer in said)


def test_what_is_known_is_asked_for_more_often_than_what_is_not() -> None:
    only_why = knowledge.term("goodput").definition
    drawn = [
        follow_up(random.Random(seed), State(last_answer=only_why), "train").assistant
        for seed in range(1000)
    ]
    assert len([said for said in drawn if "That is all I know" in said]) < 150


def test_who_wants_one_sentence_gets_one() -> None:
    for answer in answers(knowledge.term("KV cache").definition, brief=True):
        assert answer == first_sentence(answer)


def test_any_two_terms_are_told_apart_by_what_they_are() -> None:
    compared = {fact.answer for fact in knowledge.comparisons()}
    first_sentences = {first_sentence(term.definition) for term in knowledge.terms()}
    for seed in range(300):
        turn = inference.compare_any(random.Random(seed), State(), "train")
        assert turn.assistant not in compared
        first = first_sentence(turn.assistant)
        assert first in first_sentences
        assert turn.assistant.removeprefix(first).strip() in {"", *first_sentences}


def test_of_a_term_and_something_else_only_the_term_is_told() -> None:
    for seed in range(100):
        turn = inference.compare_with_unknown(random.Random(seed), State(), "train")
        assert first_sentence(turn.assistant) in {
            first_sentence(term.definition) for term in knowledge.terms()
        }
        rest = turn.assistant.removeprefix(first_sentence(turn.assistant)).strip()
        assert rest in {"", "I don't know the other one."}


def test_no_question_has_two_answers() -> None:
    assert not ambiguous(10_000)
