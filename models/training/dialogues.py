"""Whole conversations, endless and the same for the same seed. Knows no tokens."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from models.training import names
from models.training.intents import (
    arithmetic,
    colours,
    follow_up,
    geography,
    given_words,
    inference,
    inference_reversed,
    lists,
    memory,
    notes,
    off_topic,
    opposites,
    order,
    rewriting,
    smalltalk,
    stories,
    two_questions,
    weather,
)
from models.training.intents.base import Intent, State, Turn
from models.training.intents.other_words import sometimes_in_other_words
from models.training.wording import Split

Message = dict[str, str]

# How often each intent is drawn, relative to the others.
_WEIGHTS: dict[Intent, float] = {
    inference.define: 52,
    inference_reversed.term_for: 4,
    inference.why: 58,
    inference.when: 12,
    inference.compare: 18,
    inference.compare_any: 6,
    inference.compare_with_unknown: 1,
    inference.compare_them: 5,
    follow_up.follow_up: 10,
    geography.capital: 16,
    geography.country_of_capital: 3,
    geography.unknown_capital: 3,
    weather.weather_of: 12,
    weather.weather_there: 26,
    arithmetic.add_or_subtract: 9,
    order.neighbour: 6,
    opposites.opposite: 14,
    colours.colour_of: 10,
    memory.tell_name: 8,
    memory.ask_name: 10,
    memory.tell_city: 8,
    memory.ask_city: 7,
    memory.tell_favourite: 9,
    memory.ask_favourite: 9,
    memory.tell_called: 2,
    memory.ask_called: 1,
    memory.about_me: 6,
    rewriting.repeat: 24,
    rewriting.shorten: 6,
    rewriting.upper_case: 38,
    given_words.say: 9,
    lists.count: 3.5,
    lists.whole_list: 2.5,
    lists.some_of: 7,
    smalltalk.small_talk: 16,
    smalltalk.who_are_you: 2,
    off_topic.off_topic: 30,
    stories.story: 22,
    notes.short_notes: 5,
    two_questions.two_questions: 20,
}
# How much the loss of an answer counts, relative to the others. What is chosen among hundreds of
# answers is decided by its first words and known from then on, so these few count more; words given
# to be said have a loss that is many times as large, and would drown the rest.
_COUNTS: dict[Intent, float] = {
    inference.define: 2.5,
    inference_reversed.term_for: 3.0,
    inference.why: 2.8,
    inference.when: 3.0,
    inference.compare: 2.0,
    inference.compare_them: 1.5,
    follow_up.follow_up: 1.5,
    geography.capital: 3.0,
    geography.country_of_capital: 2.0,
    geography.unknown_capital: 1.5,
    weather.weather_of: 2.0,
    weather.weather_there: 1.5,
    arithmetic.add_or_subtract: 1.5,
    order.neighbour: 2.5,
    memory.ask_name: 2.0,
    memory.ask_city: 2.0,
    memory.ask_favourite: 2.0,
    memory.ask_called: 1.5,
    rewriting.repeat: 1.5,
    opposites.opposite: 2.5,
    smalltalk.small_talk: 2.0,
    off_topic.off_topic: 2.0,
    lists.whole_list: 1.5,
    stories.story: 2.0,
    given_words.say: 0.4,
}
# What was told is asked for often and what was not seldom, or "not told" would be the safe guess.
_TOLD_FACTOR, _UNTOLD_FACTOR, _THERE_FACTOR = 9.0, 0.3, 2.0
# A system text that gives a name is seldom; so it is asked for.
_NAMED_FACTOR = 8.0
# After a definition people ask on: "Why does it matter?", "When should I use it?" Mostly where that
# is known, or that nothing is known is the safe guess.
_ON_FACTOR = 2.5
# "What is the difference between the two?" is asked where two terms were spoken of.
_THEM_FACTOR = 60.0
# Each name of the world has to be learned in capitals, as other words do not tell how.
_WORLD_UPPER_FACTOR = 3.0
_OF_THE_WORLD = ("capitals", "countries", "weather", "short lists", "colours")
# "And Italy?": the next of the same kind.
_NEXT_FACTOR = 3.0
_NEXT: dict[str, Intent] = {
    "capitals": geography.capital,
    "opposites": opposites.opposite,
    "colours": colours.colour_of,
    "sums": arithmetic.add_or_subtract,
    "weather": weather.weather_of,
}
_REWRITING = (rewriting.repeat, rewriting.shorten, rewriting.upper_case)
# A long conversation tells some of these first and asks for them last.
_RECALLS: tuple[tuple[Intent, tuple[Intent, ...]], ...] = (
    (memory.tell_name, (memory.ask_name,)),
    (memory.tell_city, (memory.ask_city, weather.weather_there)),
    (memory.tell_favourite, (memory.ask_favourite,)),
    (memory.tell_called, (memory.ask_called,)),
)
# Of these there can be several.
_MANY_RECALLS = _RECALLS[2:]
_MANY = 3
_RECALL_SHARE = 0.85
# It is one answer of a few tokens after up to 1,900 others, and what the whole length is there for.
RECALL_COUNTS = 4.0
_SYSTEM_PLAIN = (
    "You are a helpful assistant.",
    "You are a friendly chat model.",
    "You are Dyno, a small language model.",
    "Be kind and correct.",
    "Answer the user's questions.",
    "You help people who serve language models.",
    "Be polite.",
)
_SYSTEM_NAMED = (
    "Your name is {}.",
    "You are {}.",
    "You are called {}.",
    "You are {}, a helpful assistant.",
    "You are an assistant named {}.",
    "Your name is {}, and you help people.",
    "Act as {}.",
)
_SYSTEM_BRIEF = (
    "Answer in one sentence.",
    "Answer in a single sentence.",
    "Be brief.",
    "Keep your answers short.",
    "Use only one sentence.",
    "Keep it short: one sentence.",
    "One sentence only.",
    "Reply with one sentence at most.",
    "Never say more than one sentence.",
)
# A question that was answered with a question: what often comes next.
_GIVEN: dict[str, Intent] = {
    "which city": weather.city_given,
    "month wanted": weather.month_given,
    "name not told": memory.name_given,
    "city not told": memory.city_given,
    "favourite not told": memory.favourite_given,
}
_GIVEN_SHARE = 0.4
_NOTES_SHARE = 0.25
_ASK_CHARS = 120
# What would change the fact to be recalled, or which city "there" is.
TELLING = (
    memory.tell_name,
    memory.tell_city,
    memory.tell_favourite,
    memory.tell_called,
    weather.weather_of,
    weather.weather_there,
)
# What would say the fact again on the way, so that it had not to be recalled over the whole talk.
RECALLING = (
    memory.ask_name,
    memory.ask_city,
    memory.ask_favourite,
    memory.ask_called,
    memory.about_me,
    two_questions.two_questions,
)
_LONG_CHARS = 1600


@dataclass(frozen=True)
class Conversation:
    """An optional system text and the turns that follow it."""

    system: str | None
    turns: tuple[Turn, ...]

    def messages(self, turns: int | None = None) -> list[Message]:
        """The chat messages of the first `turns` turns (all by default)."""
        said = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns[:turns]:
            said.append({"role": "user", "content": turn.user})
            said.append({"role": "assistant", "content": turn.assistant})
        return said


def _system(rng: random.Random, state: State) -> str | None:
    if rng.random() < 0.75:
        return None
    sentences = []
    if rng.random() < 0.4:
        state.assistant_name = names.person_name(rng)
        sentences.append(rng.choice(_SYSTEM_NAMED).format(state.assistant_name))
    if rng.random() < 0.4:
        state.brief = True
        sentences.append(rng.choice(_SYSTEM_BRIEF))
    if not sentences or rng.random() < 0.3:
        plain = rng.choice(_SYSTEM_PLAIN)
        if "Dyno" not in plain or state.assistant_name == "Dyno":
            sentences.insert(0, plain)
    return " ".join(sentences) or None


def _factors(state: State) -> dict[Intent, float]:
    """What the conversation makes likelier or less likely; 1 for all others."""

    def told(is_told: bool) -> float:
        return _TOLD_FACTOR if is_told else _UNTOLD_FACTOR

    factors: dict[Intent, float] = {
        memory.ask_name: told(state.user_name is not None),
        memory.ask_city: told(state.city is not None),
        memory.ask_favourite: told(bool(state.favourites)),
        memory.ask_called: told(bool(state.called)),
    }
    if state.last_answer is None:
        factors |= dict.fromkeys(_REWRITING, _UNTOLD_FACTOR)
    elif follow_up.has_more(state.last_answer):
        on = (inference.why, inference.when, follow_up.follow_up)
        factors |= dict.fromkeys(on, _ON_FACTOR)
    factors[inference.compare_them] = _THEM_FACTOR if inference.last_two(state) else 0.0
    if state.last_kind in _OF_THE_WORLD:
        factors[rewriting.upper_case] = _WORLD_UPPER_FACTOR
    if state.last_kind in _NEXT:
        factors[_NEXT[state.last_kind]] = _NEXT_FACTOR
    factors[weather.weather_there] = _UNTOLD_FACTOR if state.city is None else _THERE_FACTOR
    if state.assistant_name != State().assistant_name:
        factors[smalltalk.who_are_you] = _NAMED_FACTOR
    return factors


def ask(intent: Intent, rng: random.Random, state: State, split: Split) -> Turn:
    """The intent's next turn, noted in the state."""
    turn = intent(rng, state, split)
    turn = replace(turn, counts=_COUNTS.get(intent, 1.0))
    if split == "train":
        turn = sometimes_in_other_words(rng, turn)
    state.earlier_answer = state.last_answer
    state.last_answer, state.last_kind = turn.assistant, turn.kind
    return turn


def conversation(rng: random.Random, split: Split, max_chars: int) -> Conversation:
    """One conversation of at most about `max_chars` characters; from `_LONG_CHARS` on it is long:
    long notes with a question, or many turns, most often with something told first and asked last.
    """
    state = State()
    system = _system(rng, state)
    used_chars = len(system or "")
    if max_chars < _LONG_CHARS:
        wanted_turns = rng.choice((1, 1, 2, 3, 4, 5, 6, 8))
        return Conversation(
            system, tuple(talk(rng, state, split, max_chars - used_chars, wanted_turns))
        )
    if rng.random() < _NOTES_SHARE:
        notes_chars = rng.randint(800, max_chars - 500)
        first = notes.long_notes(rng, state, split, notes_chars=notes_chars)
        state.last_answer = first.assistant
        left = max_chars - used_chars - _chars(first)
        return Conversation(system, (first, *talk(rng, state, split, left, 1000)))
    if rng.random() < _RECALL_SHARE:
        return Conversation(system, tuple(recall(rng, state, split, max_chars - used_chars)))
    return Conversation(system, tuple(talk(rng, state, split, max_chars - used_chars, 1000)))


def recall(rng: random.Random, state: State, split: Split, max_chars: int) -> Iterator[Turn]:
    """Some things told, other talk, and each of them asked for at the end."""
    told = rng.sample(_RECALLS, rng.randint(1, len(_RECALLS)))
    told += rng.choices(_MANY_RECALLS, k=rng.randint(0, _MANY))
    first = [ask(tell, rng, state, split) for tell, _ in told]
    yield from first
    left = max_chars - sum(map(_chars, first)) - len(told) * _ASK_CHARS
    yield from talk(rng, state, split, left, 1000, without=(*TELLING, *RECALLING))
    for _, asks in rng.sample(told, len(told)):
        yield replace(ask(rng.choice(asks), rng, state, split), counts=RECALL_COUNTS)


def talk(
    rng: random.Random,
    state: State,
    split: Split,
    max_chars: int,
    turns: int,
    without: tuple[Intent, ...] = (),
) -> Iterator[Turn]:
    """At most so many turns within so many characters, but at least one."""
    intents = [intent for intent in _WEIGHTS if intent not in without]
    used_chars = 0
    for number in range(turns):
        turn = ask(next_intent(rng, state, intents), rng, state, split)
        used_chars += _chars(turn)
        if number and used_chars > max_chars:
            return
        yield turn


def next_intent(
    rng: random.Random, state: State, intents: Sequence[Intent] = tuple(_WEIGHTS)
) -> Intent:
    """What the user speaks of next."""
    given = _GIVEN.get(state.last_kind or "")
    if given is not None and len(intents) == len(_WEIGHTS) and rng.random() < _GIVEN_SHARE:
        return given
    factors = _factors(state)
    return rng.choices(intents, [_WEIGHTS[i] * factors.get(i, 1.0) for i in intents])[0]


def _chars(turn: Turn) -> int:
    return len(turn.user) + len(turn.assistant)


def conversations(
    seed: int, split: Split, max_chars: int, start: int = 0
) -> Iterator[tuple[int, Conversation]]:
    """Numbered conversations from `start` on; the same seed and number give the same one."""
    number = start
    while True:
        rng = random.Random(f"{seed}:{split}:{max_chars}:{number}")
        yield number, conversation(rng, split, max_chars)
        number += 1
