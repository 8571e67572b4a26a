"""Whole conversations, endless and the same for the same seed. Knows no tokens."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.training import names
from models.training.intents import memory, notes, two_questions, weather
from models.training.intents.base import Intent, State, Turn
from models.training.intents.other_words import sometimes_in_other_words
from models.training.mix import counts, next_intent
from models.training.wording import Split

Message = dict[str, str]

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


def ask(intent: Intent, rng: random.Random, state: State, split: Split) -> Turn:
    """The intent's next turn, noted in the state."""
    turn = intent(rng, state, split)
    turn = replace(turn, counts=counts(intent))
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
    used_chars = 0
    for number in range(turns):
        turn = ask(next_intent(rng, state, without), rng, state, split)
        used_chars += _chars(turn)
        if number and used_chars > max_chars:
            return
        yield turn


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
