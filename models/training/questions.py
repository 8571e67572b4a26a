"""What the evaluation asks: held-out wordings of every kind, and questions written by hand."""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from models.training import names
from models.training.dialogues import RECALLING, TELLING, Message, ask, talk
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
from models.training.wording import Split

_HAND_WRITTEN = Path(__file__).parent / "questions.jsonl"

LONG_TALK = "names over 1,800 tokens"
# The kinds that must be right in 95 of 100 cases, and the two with a bar of their own.
REQUIRED_95 = (
    "terms",
    "whys",
    "capitals",
    "sums",
    "which city",
    "names over eight turns",
    "cities over eight turns",
    "favourites over eight turns",
    "weather in the told city",
    LONG_TALK,
    "repeats",
    "shortens",
    "upper case",
)
OFF_TOPIC = "off topic"
STORIES = "stories with their wish"
_TURNS_BETWEEN = 8


@dataclass(frozen=True)
class Question:
    """Messages that end in a user's turn. A right answer holds one key of each group of `keys`,
    in any case unless `case_matters`, and nothing of `wrong`."""

    kind: str
    messages: tuple[Message, ...]
    keys: tuple[tuple[str, ...], ...]
    wrong: tuple[str, ...] = ()
    case_matters: bool = False

    def is_answered_by(self, answer: str) -> bool:
        said = self._folded(answer.replace("’", "'"))
        holds = all(any(self._folded(key) in said for key in group) for group in self.keys)
        return holds and not any(self._folded(part) in said for part in self.wrong)

    def _folded(self, text: str) -> str:
        return text if self.case_matters else text.lower()


# A question on its own, and the turns before one that needs some.
_ALONE: dict[str, Intent] = {
    "terms": inference.define,
    "whys": inference.why,
    "whens": inference.when,
    "described terms": inference_reversed.term_for,
    "comparisons": inference.compare,
    "any two terms": inference.compare_any,
    "capitals": geography.capital,
    "countries of capitals": geography.country_of_capital,
    "unknown capitals": geography.unknown_capital,
    "weather": weather.weather_of,
    "which city": weather.weather_there,
    "sums": arithmetic.add_or_subtract,
    "order": order.neighbour,
    "opposites": opposites.opposite,
    "colours": colours.colour_of,
    "counting": lists.count,
    "whole lists": lists.whole_list,
    "short lists": lists.some_of,
    "small talk": smalltalk.small_talk,
    OFF_TOPIC: off_topic.off_topic,
    STORIES: stories.story,
    "name not told": memory.ask_name,
    "city not told": memory.ask_city,
    "short notes": notes.short_notes,
    "given words": given_words.say,
    "two questions": two_questions.two_questions,
}
_OVER_TURNS: dict[str, tuple[Intent, Intent]] = {
    "names over eight turns": (memory.tell_name, memory.ask_name),
    "cities over eight turns": (memory.tell_city, memory.ask_city),
    "weather in the told city": (memory.tell_city, weather.weather_there),
    "favourites over eight turns": (memory.tell_favourite, memory.ask_favourite),
}
_REWRITES: dict[str, Intent] = {
    "repeats": rewriting.repeat,
    "shortens": rewriting.shorten,
    "upper case": rewriting.upper_case,
}
_REWRITTEN = (inference.define, inference.why, geography.capital, inference.compare)


def generated_questions(each: int, split: Split = "held_out", seed: int = 99) -> list[Question]:
    """`each` questions of every kind, in wordings that training has not seen."""
    makers: dict[str, Callable[[random.Random, Split], Question]] = {
        **{kind: partial(_alone, kind, intent) for kind, intent in _ALONE.items()},
        **{kind: partial(_over_turns, kind, *pair) for kind, pair in _OVER_TURNS.items()},
        **{kind: partial(_rewrite, kind, intent) for kind, intent in _REWRITES.items()},
        "asked on": _asked_on,
        "who are you": _named_by_the_system,
        "one sentence": _one_sentence,
        "long notes": _long_notes,
    }
    return [
        make(random.Random(f"{seed}:{kind}:{n}"), split)
        for kind, make in makers.items()
        for n in range(each)
    ]


def question_after(
    kind: str, before: Iterable[Turn], last: Turn, system: str = "", *, case_matters: bool = False
) -> Question:
    """What was said before, then the last turn's question; its keys are the answer's."""
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    for turn in before:
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": turn.assistant})
    messages.append({"role": "user", "content": last.user})
    keys = tuple((key,) for key in last.keys)
    return Question(kind, tuple(messages), keys, case_matters=case_matters)


def _alone(kind: str, intent: Intent, rng: random.Random, split: Split) -> Question:
    return question_after(kind, (), ask(intent, rng, State(), split))


def _over_turns(
    kind: str, tell: Intent, asked: Intent, rng: random.Random, split: Split
) -> Question:
    """Something told, eight turns of other talk, and what was told asked for."""
    state = State()
    first = ask(tell, rng, state, split)
    other = (*TELLING, *RECALLING)
    between = list(talk(rng, state, split, 10**6, _TURNS_BETWEEN, without=other))
    last = ask(asked, rng, state, split)
    while asked is memory.ask_favourite and last.kind != "favourites":
        last = ask(asked, rng, state, split)
    return question_after(kind, (first, *between), last)


def _rewrite(kind: str, intent: Intent, rng: random.Random, split: Split) -> Question:
    while True:
        state = State()
        before = ask(rng.choice(_REWRITTEN), rng, state, split)
        last = ask(intent, rng, state, split)
        if last.kind == kind:
            return question_after(kind, (before,), last, case_matters=kind == "upper case")


def _asked_on(rng: random.Random, split: Split) -> Question:
    """ "Why?" and the like, after a definition."""
    state = State()
    before = ask(inference.define, rng, state, split)
    return question_after("asked on", (before,), ask(follow_up.follow_up, rng, state, split))


def _named_by_the_system(rng: random.Random, split: Split) -> Question:
    state = State(assistant_name=names.person_name(rng))
    last = ask(smalltalk.who_are_you, rng, state, split)
    return question_after("who are you", (), last, f"Your name is {state.assistant_name}.")


def _one_sentence(rng: random.Random, split: Split) -> Question:
    last = ask(rng.choice((inference.define, inference.why)), rng, State(brief=True), split)
    # A second sentence would begin after the first one's full stop.
    question = question_after("one sentence", (), last, "Answer in one sentence.")
    return replace(question, wrong=(". The ", ". It ", ". So ", ". A ", ". This "))


def _long_notes(rng: random.Random, split: Split) -> Question:
    last = notes.long_notes(rng, State(), split, notes_chars=rng.randint(1000, 5000))
    return question_after("long notes", (), last)


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
