"""What the evaluation asks: held-out wordings of every kind, and questions written by hand."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.training.dialogues import Message, ask
from models.training.intents import geography, inference, lists, memory, notes, smalltalk, stories
from models.training.intents.base import Intent, State, Turn
from models.training.wording import Split

_HAND_WRITTEN = Path(__file__).parent / "questions.jsonl"

# The kinds that must be right in 95 of 100 cases, and the two with a bar of their own.
REQUIRED_95 = (
    "terms",
    "whys",
    "capitals",
    "names over turns",
    "cities over turns",
    "favourites over turns",
    "repeats",
    "shortens",
)
OFF_TOPIC = "off topic"
STORIES = "stories with their wish"


@dataclass(frozen=True)
class Question:
    """Messages that end in a user's turn. A right answer holds one key of each group of `keys`, in
    any case, and nothing of `wrong`."""

    kind: str
    messages: tuple[Message, ...]
    keys: tuple[tuple[str, ...], ...]
    wrong: tuple[str, ...] = ()

    def is_answered_by(self, answer: str) -> bool:
        said = answer.lower().replace("’", "'")
        holds = all(any(key.lower() in said for key in group) for group in self.keys)
        return holds and not any(part.lower() in said for part in self.wrong)


def generated_questions(each: int, split: Split = "held_out", seed: int = 99) -> list[Question]:
    """`each` questions of every kind, in wordings that training has not seen."""
    plans: dict[str, tuple[Sequence[Intent], Intent]] = {
        "terms": ((), inference.define),
        "whys": ((), inference.why),
        "comparisons": ((), inference.compare),
        "capitals": ((), geography.capital),
        "countries of capitals": ((), geography.country_of_capital),
        "unknown capitals": ((), geography.unknown_capital),
        "names over turns": ((memory.tell_name,), memory.ask_name),
        "name not told": ((), memory.ask_name),
        "cities over turns": ((memory.tell_city,), memory.ask_city),
        "city not told": ((), memory.ask_city),
        "favourites over turns": ((memory.tell_favourite,), memory.ask_favourite),
        "counting": ((), lists.count),
        "whole lists": ((), lists.whole_list),
        "short lists": ((), lists.some_of),
        "small talk": ((), smalltalk.small_talk),
        "who are you": ((), smalltalk.who_are_you),
        "repeats": ((inference.define,), smalltalk.repeat),
        "shortens": ((inference.define,), smalltalk.shorten),
        "off topic": ((), smalltalk.off_topic),
        "stories with their wish": ((), stories.story),
        "short notes": ((), notes.short_notes),
        "long notes": ((), _long_notes),
    }
    return [
        _question(kind, before, asked, random.Random(f"{seed}:{kind}:{n}"), split)
        for kind, (before, asked) in plans.items()
        for n in range(each)
    ]


def _long_notes(rng: random.Random, state: State, split: Split) -> Turn:
    return notes.long_notes(rng, state, split, notes_chars=rng.randint(1000, 3000))


def _question(
    kind: str, before: Sequence[Intent], asked: Intent, rng: random.Random, split: Split
) -> Question:
    state = State()
    turns = [ask(intent, rng, state, split) for intent in before]
    if "over turns" in kind:
        between: tuple[Intent, ...] = (inference.define, geography.capital, smalltalk.small_talk)
        turns += [ask(rng.choice(between), rng, state, split) for _ in range(rng.randint(1, 3))]
        if asked is memory.ask_favourite:
            rng = _first_asking_for(state, rng)
    last = ask(asked, rng, state, split)
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": turn.assistant})
    messages.append({"role": "user", "content": last.user})
    return Question(kind, tuple(messages), tuple((key,) for key in last.keys))


def _first_asking_for(state: State, rng: random.Random) -> random.Random:
    """A generator with which the next question is about a favourite that was told."""
    while True:
        seed = rng.random()
        trial = State(favourites=dict(state.favourites))
        if memory.ask_favourite(random.Random(seed), trial, "held_out").kind == "favourites":
            return random.Random(seed)


def hand_written_questions(path: Path = _HAND_WRITTEN) -> list[Question]:
    """Questions as people would ask them; the generator never reads them."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    questions = []
    for row in rows:
        messages: list[Message] = []
        if "system" in row:
            messages.append({"role": "system", "content": row["system"]})
        for number, text in enumerate(row["said"]):
            messages.append({"role": "assistant" if number % 2 else "user", "content": text})
        questions.append(
            Question(
                f"hand-written: {row['kind']}",
                tuple(messages),
                tuple(tuple(group) for group in row["keys"]),
                tuple(row.get("not", ())),
            )
        )
    return questions
