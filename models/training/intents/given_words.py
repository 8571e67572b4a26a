"""Saying any words that the user gives, as they are or in capitals: it can only be copying."""

import random
import re
from functools import cache

from models.training import knowledge, names
from models.training.intents import geography
from models.training.intents.base import State, Turn
from models.training.intents.circumstances import circumstance
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, capitalized

_SAY = Wordings(
    "Repeat after me: {text}",
    "[Say|Repeat|Please say|Write|Please repeat|Type][:|] {text}",
    "[Say|Repeat|Echo] [this|these words|the following|what I write]: {text}",
    "[Can you|Could you] [say|repeat]: {text}",
    '[Say|Repeat|Write|Echo|Please say|Repeat after me:|Can you say] "{text}"',
    "[Repeat after me|Say after me|Repeat these words|Echo|Say|Type this|Just say][,| -|] {text}",
    "[Say|Repeat|Write] [exactly|just|only|word for word][:|] {text}",
)
_SAY_IN_CAPITALS = Wordings(
    "Say in upper case: {text}",
    "[Write|Say|Put|Repeat] [this|the following] in [upper case|capitals|all caps|caps]: {text}",
    "[Shout|Upper case|In capitals|Uppercase]: {text}",
    "[Write|Say|Repeat] {text} in [upper case|capitals|all caps|capital letters]",
    '[Write|Say|Repeat|Put] "{text}" in [upper case|capitals|all caps|capital letters|caps]',
    "{text}[: in capitals please|, now in upper case| in all caps please|. In capitals, please]",
)
_CAPITALS_SHARE = 0.3
# What is given: a sentence of what the model knows, one that it has never heard, or some words.
_KNOWN_SHARE, _SENTENCE_SHARE = 0.08, 0.2
# Of the words, those that are put together from two, and those that are made up of syllables.
_CROSSED_SHARE, _INVENTED_SHARE = 0.4, 0.15
# Mostly a few: the first word is the hardest, as it has no space before it in the answer.
_MOST_WORDS = (3, 3, 9)
_WORD = re.compile(r"[a-zA-Z]+")
# Stands before what is said again: the first word then has a space or a quotation mark before it as
# it had in the question, so that it is the same token and can be copied as any other.
_OPENING = "Of course:"
_QUOTED = '"{text}"'
# "Say it in capitals" means the last answer.
_POINTING = {"it", "It", "that", "That", "this", "This", "them", "Them"}


def say(rng: random.Random, state: State, split: Split) -> Turn:
    given = _given(rng)
    if rng.random() < _CAPITALS_SHARE:
        text = _SAY_IN_CAPITALS.pick(rng, split).format(text=given)
        return Turn("echoes in capitals", text, given.upper(), (given.upper(),))
    wording = _SAY.pick(rng, split)
    said = f'"{given}"' if _QUOTED in wording else given
    return Turn("echoes", wording.format(text=given), f"{_OPENING} {said}", (given,))


def _given(rng: random.Random) -> str:
    draw = rng.random()
    if draw < _KNOWN_SHARE:
        of_the_world = geography.said_of(rng.choice(tuple(knowledge.capitals())))
        return rng.choice((first_sentence(rng.choice(knowledge.answers())), of_the_world))
    if draw < _KNOWN_SHARE + _SENTENCE_SHARE:
        said = circumstance(rng)
        return rng.choice((said, said.lower(), capitalized(said) + "."))
    given = " ".join(_word(rng) for _ in range(rng.randint(1, rng.choice(_MOST_WORDS))))
    return given if rng.random() < 0.3 else given.lower()


def _word(rng: random.Random) -> str:
    """One that is said otherwise too, or one that nobody knows but that looks like one."""
    draw = rng.random()
    if draw < _INVENTED_SHARE:
        return names.invented_word(rng)
    word = rng.choice(_words())
    if draw < _INVENTED_SHARE + _CROSSED_SHARE:
        other = rng.choice(_words())
        return word[: rng.randint(1, 4)] + other[-rng.randint(2, 4) :]
    return word


@cache
def _words() -> tuple[str, ...]:
    """Ordinary words of every kind: all that the model ever says, and names of the world."""
    said = {word for text in knowledge.answers() for word in _WORD.findall(text)} - _POINTING
    capitals = knowledge.capitals()
    places = (*capitals, *capitals.values())
    listed = (*names.ANIMALS, *names.COLOURS, *names.FOODS, *names.FRUITS, *places)
    return (*sorted(said), *listed)
