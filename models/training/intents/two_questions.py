"""Two short questions in one message, both answered in their order."""

import random

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
from models.training.wording import Split, Wordings

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
_TOLD_SHARE = 0.5


def two_questions(rng: random.Random, state: State, split: Split) -> Turn:
    """Often about what was told, so that something is recalled twice over."""
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
