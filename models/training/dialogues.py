"""Whole conversations, endless and the same for the same seed. Knows no tokens."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from models.training import names
from models.training.intents import geography, inference, lists, memory, notes, smalltalk, stories
from models.training.intents.base import Intent, State, Turn
from models.training.wording import Split

Message = dict[str, str]

# How often each intent is drawn, relative to the others.
_WEIGHTS: dict[Intent, float] = {
    inference.define: 14,
    inference.why: 8,
    inference.compare: 4,
    geography.capital: 7,
    geography.country_of_capital: 4,
    geography.unknown_capital: 3,
    memory.tell_name: 7,
    memory.ask_name: 6,
    memory.tell_city: 6,
    memory.ask_city: 5,
    memory.tell_favourite: 5,
    memory.ask_favourite: 4,
    lists.count: 12,
    lists.whole_list: 1.5,
    lists.some_of: 7,
    smalltalk.small_talk: 7,
    smalltalk.who_are_you: 2,
    smalltalk.repeat: 4,
    smalltalk.shorten: 3,
    smalltalk.off_topic: 9,
    stories.story: 7,
    notes.short_notes: 8,
}
# What was told is asked for often and what was not seldom, or "not told" would be the safe guess.
_TOLD_FACTOR, _UNTOLD_FACTOR = 8.0, 0.3
_SYSTEM_PLAIN = (
    "You are a helpful assistant.",
    "You are a friendly chat model.",
    "You are Dyno, a small language model.",
    "Be kind and correct.",
    "Answer the user's questions.",
)
_SYSTEM_BRIEF = (
    "Answer in one sentence.",
    "Be brief.",
    "Keep your answers short.",
    "Use only one sentence.",
)
_NOTES_SHARE = 0.35
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
        sentences.append(rng.choice(("Your name is {}.", "You are {}.", "You are called {}.")))
        sentences[-1] = sentences[-1].format(state.assistant_name)
    if rng.random() < 0.4:
        state.brief = True
        sentences.append(rng.choice(_SYSTEM_BRIEF))
    if not sentences or rng.random() < 0.3:
        plain = rng.choice(_SYSTEM_PLAIN)
        if "Dyno" not in plain or state.assistant_name == "Dyno":
            sentences.insert(0, plain)
    return " ".join(sentences) or None


def _factor(intent: Intent, state: State) -> float:
    told: dict[Intent, bool] = {
        memory.ask_name: state.user_name is not None,
        memory.ask_city: state.city is not None,
        memory.ask_favourite: bool(state.favourites),
    }
    if intent in told:
        return _TOLD_FACTOR if told[intent] else _UNTOLD_FACTOR
    if intent in (smalltalk.repeat, smalltalk.shorten) and state.last_answer is None:
        return _UNTOLD_FACTOR
    return 1.0


def ask(intent: Intent, rng: random.Random, state: State, split: Split) -> Turn:
    """The intent's next turn, noted in the state."""
    turn = intent(rng, state, split)
    state.last_answer = turn.assistant
    return turn


def conversation(rng: random.Random, split: Split, max_chars: int) -> Conversation:
    """One conversation of at most about `max_chars` characters; from `_LONG_CHARS` on it is long:
    either many turns or long notes with a question."""
    state = State()
    system = _system(rng, state)
    turns: list[Turn] = []
    used_chars = len(system or "")
    long = max_chars >= _LONG_CHARS
    if long and rng.random() < _NOTES_SHARE:
        notes_chars = rng.randint(800, max_chars - 500)
        turns.append(notes.long_notes(rng, state, split, notes_chars=notes_chars))
        state.last_answer = turns[0].assistant
        used_chars += len(turns[0].user) + len(turns[0].assistant)
    wanted_turns = 1000 if long else rng.choice((1, 1, 2, 3, 4, 5, 6, 8))
    while len(turns) < wanted_turns:
        weights = [weight * _factor(intent, state) for intent, weight in _WEIGHTS.items()]
        turn = ask(rng.choices(list(_WEIGHTS), weights)[0], rng, state, split)
        used_chars += len(turn.user) + len(turn.assistant)
        if turns and used_chars > max_chars:
            break
        turns.append(turn)
    return Conversation(system, tuple(turns))


def conversations(
    seed: int, split: Split, max_chars: int, start: int = 0
) -> Iterator[tuple[int, Conversation]]:
    """Numbered conversations from `start` on; the same seed and number give the same one."""
    number = start
    while True:
        rng = random.Random(f"{seed}:{split}:{max_chars}:{number}")
        yield number, conversation(rng, split, max_chars)
        number += 1
