"""Inventories for slots: names made of syllables, and short lists of common things."""

import random

from models.training.knowledge import words

ANIMALS = words("animals")
COLOURS = words("colours")
FOODS = words("foods")
SPORTS = words("sports")
FRUITS = words("fruits")
PLANETS = words("planets")
DAYS = words("days")
MONTHS = words("months")
_REAL = words("first_names")
_STARTS = words("syllable_starts")
_VOWELS = words("syllable_vowels")
_ENDS = ("", "", "", *words("word_ends"))
_CONSONANTS = "bcdfghjklmnpqrstvwxz"


def invented_word(rng: random.Random, syllables: int = 2) -> str:
    """A made-up lower-case word, so that repeating it can only be copying."""
    if rng.random() < 0.15:
        return _any_letters(rng, 2 * syllables)
    parts = (rng.choice(_STARTS) + rng.choice(_VOWELS) for _ in range(syllables))
    return "".join(parts) + rng.choice(_ENDS)


def _any_letters(rng: random.Random, length: int) -> str:
    """Consonants and vowels in turn, all equally likely: rare letters in rare places."""
    start = rng.randrange(2)
    letters = ("aeiouy" if (start + place) % 2 else _CONSONANTS for place in range(length + 1))
    return "".join(rng.choice(choice) for choice in letters)


def person_name(rng: random.Random) -> str:
    """A first name: mostly made up, sometimes a real one."""
    if rng.random() < 0.3:
        return rng.choice(_REAL)
    return invented_word(rng, rng.choice((1, 2, 2, 2, 3))).capitalize()


def full_name(rng: random.Random) -> str:
    """What people give as their name: a first name, seldom a double one or one with a surname."""
    name = person_name(rng)
    draw = rng.random()
    if draw < 0.04:
        return f"{name}-{person_name(rng)}"
    if draw < 0.1:
        return f"{name} {person_name(rng)}"
    return name


def with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
