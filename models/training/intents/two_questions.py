"""Two short questions in one message, both answered in their order."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.training import knowledge
from models.training.intents import (
    arithmetic,
    colours,
    geography,
    memory,
    opposites,
    order,
)
from models.training.intents.base import Intent, State, Turn
from models.training.intents.circumstances import lowered
from models.training.wording import Split, Wordings, typed

_SHORT: tuple[Intent, ...] = (
    geography.capital,
    opposites.opposite,
    arithmetic.add_or_subtract,
    order.neighbour,
    colours.colour_of,
)
_BOTH = Wordings(
    "{first} and {second}?",
    "{first}[, and| and|. And|?|, also| and then|, plus] {second}?",
    "[Two questions: |Two things: |First, |]{first}[, and| and|. And then|. Second,|; ] "
    "{second}[?|]",
)
# Two things that were told, in as few words as one types.
_NAME_AND_HOME = Wordings(
    "What is my name and where do I live?",
    "[What is|What's|Tell me|Say|Do you know|Do you remember] my name and [where I live|my city|my "
    "home town][?|.|]",
    "[My name and|My name,|My name plus] [where do I live|where I live|my city][?|]",
    "[Who am I and|What am I called and|My name? And] where [do I live|is my home]?",
    "[Name and city|Name and home town|My name and city|Name and home] of mine[?|, please]",
)
_NAME_AND_HOME_SHARE = 0.2
_TOLD_SHARE = 0.5
_ALIKE_SHARE = 0.4


@dataclass(frozen=True)
class _Alike:
    """One question about two things at once, and how each of them is answered."""

    frames: Wordings
    facts: Callable[[], Mapping[str, str]]
    said_of: Callable[[str], str]


_ALIKE = (
    _Alike(
        Wordings(
            "What are the capitals of {a} and {b}?",
            "[What's|What is|Tell me|Name] the capital of {a} and [of |the one of |]{b}[?|]",
            "[Capitals|The capitals|Name the capitals|Tell me the capitals|I need the capitals] "
            "of {a} and {b}[?|, please.|]",
            "[Which cities are|Do you know|I need] the capitals of {a} and {b}[?|]",
            "Capital of {a}[ and capital of|, capital of| and of|? And of] {b}?",
        ),
        knowledge.capitals,
        geography.said_of,
    ),
    _Alike(
        Wordings(
            "What are the opposites of {a} and {b}?",
            "[What's|What is|Tell me|Name] the opposite of {a} and [of |the one of |]{b}[?|]",
            "[Opposites|The opposites|Name the opposites|Give me the opposites] of {a} and {b}[?|, "
            "please.|]",
            "Opposite of {a}[ and opposite of|, opposite of| and of|? And of] {b}?",
        ),
        opposites.opposites,
        opposites.said_of,
    ),
    _Alike(
        Wordings(
            "What colour are {a} and {b}?",
            "[What|Which] [colour|colours|color] [are|have] {a} and {b}[?|, please?]",
            "[What's|What is|Tell me] the colour of {a} and [of |the one of |]{b}[?|]",
            "Colour of {a}[ and colour of|, colour of| and of|? And of] {b}?",
        ),
        colours.colours,
        colours.said_of,
    ),
)


def two_questions(rng: random.Random, state: State, split: Split) -> Turn:
    """Often about what was told, so that something is recalled twice over."""
    are_told = state.user_name is not None and state.city is not None
    if not state.brief and are_told and rng.random() < _NAME_AND_HOME_SHARE:
        return _name_and_home(rng, state, split)
    if not state.brief and rng.random() < _ALIKE_SHARE:
        return _two_alike(rng, split)
    asked = rng.sample(_SHORT, 2)
    if rng.random() < _TOLD_SHARE:
        told = _told(state)
        asked = [*rng.sample(told, len(told)), *asked][:2]
    first, second = (ask(rng, state, split) for ask in rng.sample(asked, 2))
    if state.brief:
        return first
    text = _BOTH.pick(rng, split).format(
        first=first.user.rstrip("?.!"), second=_within(second.user)
    )
    answer = f"{first.assistant} {second.assistant}"
    return Turn("two questions", text, answer, (*first.keys, *second.keys))


def _two_alike(rng: random.Random, split: Split) -> Turn:
    kind = rng.choice(_ALIKE)
    facts = kind.facts()
    asked = rng.sample(tuple(facts), 2)
    text = kind.frames.pick(rng, split).format(a=asked[0], b=asked[1])
    user = typed(rng, text, protected=asked)
    answer = " ".join(map(kind.said_of, asked))
    return Turn("two questions", user, answer, tuple(facts[thing] for thing in asked))


def _name_and_home(rng: random.Random, state: State, split: Split) -> Turn:
    user = typed(rng, _NAME_AND_HOME.pick(rng, split))
    answer = f"Your name is {state.user_name}. You live in {state.city}."
    assert state.user_name is not None
    assert state.city is not None
    return Turn("two questions", user, answer, (state.user_name, state.city))


def _told(state: State) -> list[Intent]:
    """What can be asked of the user himself."""
    told: list[Intent] = []
    if state.user_name is not None:
        told.append(memory.ask_name)
    if state.city is not None:
        told.append(memory.ask_city)
    if state.favourites:
        told.append(memory.ask_favourite)
    return told


def _within(text: str) -> str:
    """A question as it stands within a sentence."""
    return lowered(text.rstrip("?.!"))
