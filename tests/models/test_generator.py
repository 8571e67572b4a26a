"""The generated conversations: the same for the same seed, with wordings kept out of training."""

import random
import re
from dataclasses import replace

import pytest

from models.training import knowledge
from models.training.batches import encode
from models.training.dialogues import RECALL_COUNTS, Conversation, conversation, recall
from models.training.intents import (
    arithmetic,
    colours,
    given_words,
    inference,
    inference_reversed,
    inference_scenes,
    lists,
    memory,
    notes,
    off_topic,
    opposites,
    order,
    rewriting,
    two_questions,
    weather,
)
from models.training.intents.base import State
from models.training.intents.circumstances import with_circumstance
from models.training.intents.synonyms import with_synonyms
from models.training.knowledge import first_sentence
from models.training.mix import next_intent
from models.training.questions import Question, generated_questions
from models.training.tokenizer import train_tokenizer
from models.training.wording import Wordings, as_typed, expand, typed


def test_the_same_seed_gives_the_same_conversation() -> None:
    def drawn(seed: str) -> list[dict[str, str]]:
        return conversation(random.Random(seed), "train", 800).messages()

    assert drawn("1:2") == drawn("1:2")
    assert drawn("1:2") != drawn("1:3")


def test_a_conversation_keeps_to_its_length() -> None:
    for number in range(100):
        said = conversation(random.Random(number), "train", 3000)
        assert sum(len(message["content"]) for message in said.messages()) <= 3400


def test_expand_gives_every_combination_and_leaves_slots() -> None:
    assert expand("[a|b] {x}[!|]") == ["a {x}!", "a {x}", "b {x}!", "b {x}"]


def test_held_out_wordings_are_never_trained_on_and_the_canonical_one_always_is() -> None:
    wordings = Wordings("one {x}", "[a|b|c|d|e|f|g|h] [i|j|k|l|m|n|o|p] {x}")
    assert not wordings.all("train") & wordings.all("held_out")
    assert len(wordings.all("held_out")) > 3
    assert "one {x}" in wordings.all("train")
    rng = random.Random(0)
    assert {wordings.pick(rng, "train") for _ in range(500)} <= wordings.all("train")
    assert {wordings.pick(rng, "held_out") for _ in range(100)} <= wordings.all("held_out")


def test_a_wording_with_a_word_of_its_own_is_trained_on() -> None:
    letters = [chr(number) for number in range(ord("a"), ord("z") + 1)]
    alone = Wordings("say {x}", *(f"{letter * 3} {{x}}" for letter in letters))
    assert not alone.all("held_out")
    both = Wordings(
        "say {x}", *(f"[{letter}|so {letter}|{letter} now] {{x}}" for letter in letters)
    )
    assert both.all("held_out")


def test_typing_noise_leaves_protected_words_readable() -> None:
    for seed in range(300):
        text = typed(random.Random(seed), "My name is Zubarin.", protected=["Zubarin"])
        assert "zubarin" in text.lower()
        assert as_typed(text, "Zubarin") in text


def test_short_forms_are_typed_beside_a_protected_word_but_not_in_it() -> None:
    texts = [
        typed(random.Random(seed), "Are you young? What colours are you and your you-yous?",
              protected=["you-yous"], typo_share=0.0)
        for seed in range(400)
    ]  # fmt: skip
    assert all("you-yous" in text.lower() for text in texts)
    asked = [
        typed(random.Random(seed), "So lemons are red?", protected=["lemons"])
        for seed in range(400)
    ]
    assert any(" r red" in text.lower() for text in asked)


def test_a_name_that_was_told_is_the_answer_later_and_none_is_invented_before() -> None:
    state = State()
    assert "not told me" in memory.ask_name(random.Random(1), state, "train").assistant
    memory.tell_name(random.Random(2), state, "train")
    assert state.user_name is not None
    assert state.user_name in memory.ask_name(random.Random(3), state, "train").assistant


def test_what_is_asked_is_answered_with_every_key_and_no_slot_is_left() -> None:
    for number in range(400):
        said = conversation(random.Random(number), "train", 2500)
        for turn in said.turns:
            question = Question("any", (), tuple((key,) for key in turn.keys))
            assert question.is_answered_by(turn.assistant) or not turn.is_learned, turn
            assert "{" not in turn.user + turn.assistant, turn
            assert not set("[|") & set(turn.user), turn
            assert turn.user.strip()
            assert turn.assistant.strip()


def test_what_is_asked_for_at_the_end_was_not_asked_for_on_the_way() -> None:
    """Or an answer near the end would be there to copy, and nothing recalled over eight turns."""
    asked_again = {"names", "cities", "favourites", "about me"}
    talks = [list(recall(random.Random(n), State(), "train", 6000)) for n in range(40)]
    between = [turn for turns in talks for turn in turns if turn.counts < RECALL_COUNTS]
    assert not [turn for turn in between if turn.kind in asked_again]
    over_turns = [q for q in generated_questions(20) if q.kind.endswith("over eight turns")]
    for question in over_turns:
        said = [message["content"] for message in question.messages[2:-1]]
        assert not [text for text in said if text.startswith(("Your name is", "You live in"))]


def test_a_long_talk_ends_with_what_was_told_at_its_beginning() -> None:
    for number in range(60):
        turns = list(recall(random.Random(number), State(), "train", 5000))
        asked = [turn for turn in turns if turn.counts == RECALL_COUNTS]
        told = turns[: len(asked)]
        assert turns[-len(asked) :] == asked
        for turn in asked:
            if turn.kind in ("favourite not told", "called not told"):
                wanted = re.search(r"your (favourite )?\w+ ", turn.assistant)
                assert wanted
                assert not any(wanted[0] in first.assistant for first in told)
            else:
                keys = {key for first in told for key in first.keys}
                assert any(key in turn.assistant for key in keys), (told, turn)


def test_what_is_recalled_over_a_long_talk_weighs_more_than_the_same_said_at_once() -> None:
    turns = list(recall(random.Random(1), State(), "train", 5000))
    tokenizer = train_tokenizer(["a"], ["a"], 300)
    far = encode(tokenizer, Conversation(None, (turns[-1],))).weights
    near = encode(tokenizer, Conversation(None, (replace(turns[-1], counts=1.0),))).weights
    assert sum(far) == pytest.approx(4 * sum(near))


def test_the_weather_there_is_that_of_the_told_city_and_without_one_the_city_is_asked_for() -> None:
    state = State()
    assert "Which city" in weather.weather_there(random.Random(1), state, "train").assistant
    memory.tell_city(random.Random(2), state, "train")
    assert state.city is not None
    assert state.city in weather.weather_there(random.Random(3), state, "train").assistant


def test_a_city_without_a_climate_is_said_to_be_unknown() -> None:
    for number in range(40):
        state = State(city="Zubarin", weather_city="Zubarin")
        turn = weather.weather_there(random.Random(number), state, "train")
        assert "I don't know" in turn.keys, turn
        assert turn.assistant.startswith("The weather in Zubarin is ")


def test_where_no_city_was_told_the_weather_there_is_seldom_asked_for() -> None:
    def share(state: State) -> float:
        drawn = [next_intent(random.Random(number), state) for number in range(4000)]
        return drawn.count(weather.weather_there) / len(drawn)

    assert share(State(city="Paris", last_answer="It is so.")) > 3 * share(State())


def test_answers_about_the_world_are_often_wanted_in_upper_case() -> None:
    def share_after(kind: str) -> float:
        state = State(last_answer="It is so.", last_kind=kind)
        drawn = [next_intent(random.Random(number), state) for number in range(4000)]
        return drawn.count(rewriting.upper_case) / len(drawn)

    assert share_after("capitals") > 2 * share_after("terms")


def test_another_assistants_words_are_not_learned_but_what_follows_them_is() -> None:
    drawn = (conversation(random.Random(seed), "train", 800).turns for seed in range(2000))
    talks = [turns for turns in drawn if not turns[0].is_learned and turns[-1].is_learned]
    assert len(talks) > 20
    tokenizer = train_tokenizer(["a"], ["a"], 300)
    for turns in talks:
        encoded = encode(tokenizer, Conversation(None, turns))
        first = len(encode(tokenizer, Conversation(None, turns[:1])).ids)
        assert not any(encoded.weights[:first])
        assert encoded.weights[-1] > 0


def test_a_correction_replaces_what_was_told() -> None:
    state = State()
    memory.tell_name(random.Random(5), state, "train")
    memory.tell_name(random.Random(6), state, "train")
    last = state.user_name
    assert last is not None
    assert last in memory.ask_name(random.Random(7), state, "train").assistant


def test_two_things_told_in_one_message_are_both_kept() -> None:
    for number in range(40):
        for tell in (memory.tell_name, memory.tell_favourite, memory.tell_called):
            state = State()
            turn = tell(random.Random(number), state, "train")
            kept = {state.user_name, state.city, *state.favourites.values(), *state.called.values()}
            assert kept - {None} == set(turn.keys), turn
            assert all(key in turn.user or key in turn.assistant for key in turn.keys), turn


def test_two_questions_in_one_message_get_both_answers_in_their_order() -> None:
    for number in range(60):
        state = State(user_name="Zubarin", city="Oslo")
        turn = two_questions.two_questions(random.Random(number), state, "train")
        one, dot, other = turn.assistant.partition(". ")
        assert turn.keys[0].lower() in (one + dot).lower(), turn
        assert turn.keys[-1].lower() in other.lower(), turn


def test_of_one_who_told_who_he_is_and_where_both_may_be_asked_at_once() -> None:
    state = State(user_name="Zubarin", city="Oslo")
    drawn = (two_questions.two_questions(random.Random(n), state, "train") for n in range(30))
    assert any({"Zubarin", "Oslo"} == set(turn.keys) for turn in drawn)


def test_the_difference_between_the_two_is_that_of_the_last_two_terms() -> None:
    prefill, decode = (knowledge.term(name).definition for name in ("prefill", "decode"))
    state = State(earlier_answer=prefill, last_answer=decode)
    turn = inference.compare_them(random.Random(3), state, "train")
    assert turn.kind == "comparisons"
    assert "prefill" in turn.assistant.lower()
    assert "decode" in turn.assistant.lower()


def test_two_terms_without_a_comparison_are_each_defined_when_the_difference_is_asked() -> None:
    pruning, ttft = (knowledge.term(name) for name in ("pruning", "TTFT"))
    state = State(earlier_answer=pruning.definition, last_answer=ttft.definition)
    turn = inference.compare_them(random.Random(3), state, "train")
    both = (first_sentence(term.definition) for term in (pruning, ttft))
    assert turn.assistant == " ".join(both)


def test_words_given_to_be_said_are_of_every_kind() -> None:
    drawn = [given_words.say(random.Random(number), State(), "train") for number in range(1000)]
    echoed = [turn.assistant.removeprefix("Of course: ") for turn in drawn if turn.kind == "echoes"]
    asked = [turn.user for turn in drawn if turn.kind == "echoes"]
    assert all(said in user for said, user in zip(echoed, asked, strict=True))
    assert all(turn.assistant.isupper() for turn in drawn if turn.kind == "echoes in capitals")
    assert len({word for turn in drawn for word in turn.assistant.lower().split()}) > 1000


def test_a_list_that_is_wanted_in_capitals_is_written_in_them() -> None:
    drawn = [lists.some_of(random.Random(number), State(), "train") for number in range(300)]
    wanted = re.compile("upper|all caps|in capitals|in capital letters|big letters", re.IGNORECASE)
    asked = [turn for turn in drawn if wanted.search(turn.user)]
    assert len(asked) > 5
    assert all(turn.assistant.isupper() for turn in asked)


def test_where_a_term_was_met_is_said_around_its_name() -> None:
    for number in range(200):
        text = inference_scenes.met_somewhere(random.Random(number), "train", "TTFT")
        assert "TTFT" in text
        assert not re.search(r"[.?] [a-z]", text), text


def test_what_is_said_beside_a_question_leaves_the_question_whole() -> None:
    said = set()
    for number in range(300):
        text = with_circumstance(random.Random(number), "What is TTFT?")
        assert "hat is TTFT" in text
        said.add(text)
    assert len(said) > 295


def test_a_term_that_is_described_is_not_named_and_its_definition_is_the_answer() -> None:
    for number in range(200):
        turn = inference_reversed.term_for(random.Random(number), State(), "held_out")
        term = knowledge.spoken_of(turn.assistant)
        assert term is not None
        assert not turn.user.startswith(term.names[0])
        assert turn.assistant == term.definition


def test_after_an_answer_the_next_of_its_kind_is_asked_for_in_short() -> None:
    for intent, kind in ((opposites.opposite, "opposites"), (colours.colour_of, "colours")):
        state = State(last_kind=kind)
        texts = [intent(random.Random(number), state, "train").user for number in range(60)]
        assert [text for text in texts if re.match("(and|what about|how about)", text.lower())]


def test_a_why_is_asked_with_other_words_that_mean_the_same() -> None:
    asked = "Why is a slow draft model of no use on one GPU?"
    drawn = {with_synonyms(random.Random(number), asked) for number in range(200)}
    assert asked in drawn
    assert "Why is a laggy draft model of no use on one graphics card?" in drawn
    assert all("draft model of no use on" in text for text in drawn)
    loud = "Is an idle GPU paid for?"
    said = {with_synonyms(random.Random(number), loud) for number in range(50)}
    assert said >= {loud, "Is an unused GPU paid for?"}
    assert not any("a un" in text for text in said)


def test_the_colour_of_things_may_be_asked_of_many() -> None:
    drawn = [colours.colour_of(random.Random(number), State(), "train") for number in range(2000)]
    asked = {(turn.user.lower(), turn.assistant) for turn in drawn}
    for many, answer in (("cherries", "A cherry is red."), ("wolves", "A wolf is grey.")):
        assert any(many in user and said == answer for user, said in asked)
    assert not any("grasss" in user or "grasses" in user for user, _ in asked)


def test_a_word_beside_a_thing_leaves_it_its_colour() -> None:
    drawn = [colours.colour_of(random.Random(number), State(), "train") for number in range(4000)]
    asked = [turn for turn in drawn if re.search(r"\b(ripe|ordinary) \w", turn.user)]
    assert asked
    assert not [turn for turn in asked if re.search("ripe|ordinary", turn.assistant)]


def test_a_colour_may_be_asked_for_by_a_wrong_one() -> None:
    drawn = [colours.colour_of(random.Random(number), State(), "train") for number in range(400)]
    asked = [turn for turn in drawn if re.search(r"^is (?!there)", turn.user.lower())]
    assert [turn for turn in asked if turn.keys[0].removeprefix("is ") not in turn.user.lower()]
    assert [turn for turn in asked if turn.keys[0].removeprefix("is ") in turn.user.lower()]


def test_what_is_off_its_topics_is_refused_in_another_way_each_time() -> None:
    rng, state = random.Random(4), State()
    for _ in range(40):
        refused = off_topic.off_topic(rng, state, "train").assistant
        assert refused != state.last_answer
        state.last_answer = refused
    first = {off_topic.off_topic(rng, State(), "train").assistant for _ in range(200)}
    assert len({said for said in first if "about" in said or "topics" in said}) > 3


def test_the_same_question_is_refused_in_the_same_way() -> None:
    drawn = [off_topic.off_topic(random.Random(seed), State(), "train") for seed in range(3000)]
    said = {turn.assistant for turn in drawn if turn.user.startswith("Translate ")}
    assert len(said) == 1


def test_rewriting_uses_the_last_answer() -> None:
    state = State(last_answer="The KV cache keeps keys and values. It saves time.")
    rng = random.Random(8)
    said = {rewriting.repeat(rng, state, "train").assistant for _ in range(50)}
    assert state.last_answer in said
    short = {rewriting.shorten(rng, state, "train").assistant for _ in range(50)}
    assert "The KV cache keeps keys and values." in short
    loud = {rewriting.upper_case(rng, state, "train").assistant for _ in range(50)}
    assert "THE KV CACHE KEEPS KEYS AND VALUES." in loud


def test_sums_and_neighbours_are_right() -> None:
    rng = random.Random(9)
    drawn = [arithmetic.add_or_subtract(rng, State(), "train") for _ in range(300)]
    assert {turn.kind for turn in drawn} == {"sums", "products"}
    assert all("don't know" in turn.assistant for turn in drawn if turn.kind == "products")
    for turn in (turn for turn in drawn if turn.kind == "sums"):
        a, sign, b, _, result = turn.assistant.split()
        expected = int(a) + int(b) if sign == "plus" else int(a) - int(b)
        assert result == f"{expected}."
    said = {order.neighbour(rng, State(), "train").assistant for _ in range(2000)}
    assert "After December comes January." in said
    assert "Before Monday comes Sunday." in said
    assert "If today is Sunday, tomorrow is Monday." in said
    assert "The 3rd month of the year is March." in said
    assert "Before 100 comes 99." in said


def test_name_and_home_can_be_asked_for_at_once() -> None:
    state = State(user_name="Kofi", city="Nairobi")
    drawn = [two_questions.two_questions(random.Random(n), state, "train") for n in range(100)]
    assert "Your name is Kofi. You live in Nairobi." in {turn.assistant for turn in drawn}


def test_a_system_turn_that_wants_brevity_gets_one_sentence() -> None:
    turn = inference.define(random.Random(4), State(brief=True), "train")
    assert turn.assistant == knowledge.first_sentence(turn.assistant)


def test_looked_up_notes_hold_the_answer_once() -> None:
    looked_up = [
        turn
        for seed in range(60)
        if (turn := notes.long_notes(random.Random(seed), State(), "train", notes_chars=900)).kind
        == "notes, looked up"
    ]
    assert looked_up
    for turn in looked_up:
        assert turn.user.count(turn.assistant) >= 1


def test_every_definition_and_answer_is_two_plain_sentences_at_most() -> None:
    answers = [term.definition for term in knowledge.terms()]
    answers += [fact.answer for fact in (*knowledge.whys(), *knowledge.comparisons())]
    for text in answers:
        assert text.isascii()
        assert text.endswith(".")
        assert len(text) < 320


@pytest.mark.parametrize("fact_names", [[t.names for t in knowledge.terms()]])
def test_no_name_means_two_terms(fact_names: list[tuple[str, ...]]) -> None:
    names = [name.lower() for term_names in fact_names for name in set(term_names)]
    assert len(names) == len(set(names))


def test_the_world_is_wide_enough() -> None:
    assert len(knowledge.terms()) >= 80
    assert len(knowledge.capitals()) >= 60
    assert len(knowledge.whys()) >= 30
    assert len(knowledge.whens()) >= 30
    assert len(knowledge.comparisons()) >= 20
