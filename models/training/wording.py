"""One meaning said in many ways, and the noise of people's typing. Knows no topic and no model."""

import itertools
import random
import re
import zlib
from collections.abc import Collection, Sequence
from typing import Literal

Split = Literal["train", "held_out"]

# One wording in this many is kept out of training and asked in the evaluation.
_HELD_OUT_EVERY = 8
_WORD = re.compile(r"[a-z']+")
_CHOICE = re.compile(r"\[([^\]]*)\]")
# How often people mistype a word of what they ask.
TYPO_SHARE = 0.15
# To know a word by a misspelled form needs more practice than people give.
_PRACTISED_TYPO_SHARE = 0.3
_KEYBOARD_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def expand(pattern: str) -> list[str]:
    """All wordings of a pattern: `[a|b] c` means `a c` and `b c`; `{slots}` stay as they are."""
    pieces = _CHOICE.split(pattern)
    alternatives = [
        piece.split("|") if index % 2 else [piece] for index, piece in enumerate(pieces)
    ]
    return ["".join(parts) for parts in itertools.product(*alternatives)]


class Wordings:
    """The wordings of one intent, split for good into those that training sees and the held-out.

    The canonical wording is always trained on, and so is one with a word that no other has: it
    could not be understood. A pattern is drawn first and one of its wordings then, so that a
    pattern with many choices does not drown the others.
    """

    def __init__(self, canonical: str, *patterns: str) -> None:
        groups = [[canonical], *(expand(pattern) for pattern in patterns)]
        chosen = {w for group in groups for w in group if w != canonical and _is_held_out(w)}
        seen = {word for group in groups for w in group if w not in chosen for word in _words(w)}
        self._groups: dict[Split, list[list[str]]] = {"train": [], "held_out": []}
        for group in groups:
            held_out = [w for w in group if w in chosen and seen.issuperset(_words(w))]
            trained = [w for w in group if w not in chosen or not seen.issuperset(_words(w))]
            if trained:
                self._groups["train"].append(trained)
            if held_out:
                self._groups["held_out"].append(held_out)

    def all(self, split: Split) -> set[str]:
        return {wording for group in self._groups[split] for wording in group}

    def pick(self, rng: random.Random, split: Split) -> str:
        groups = self._groups[split] or self._groups["train"]
        return rng.choice(rng.choice(groups))


def _words(wording: str) -> list[str]:
    return _WORD.findall(wording.lower())


def _is_held_out(wording: str) -> bool:
    return zlib.crc32(wording.encode()) % _HELD_OUT_EVERY == 0


def typo_share(split: Split) -> float:
    """How often a word is mistyped in an intent that is known by a word or two."""
    return _PRACTISED_TYPO_SHARE if split == "train" else TYPO_SHARE


def as_typed(text: str, value: str) -> str:
    """The value in the case in which the text has it: an echo repeats what was typed."""
    return value if value in text else value.lower()


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


_BEFORE = (
    *("Please, ", "Please ", "Hi, ", "Hello, ", "Hey, ", "OK, ", "So, ", "And ", "Well, ", "Um, "),
    *("Hey there, ", "Hi Dyno, ", "OK so ", "Alright, ", "Now, ", "Btw, ", "By the way, "),
    *("Sorry, ", "Sorry to ask, but ", "One more thing: ", "Quick one: ", "Just curious: "),
    *("I was wondering, ", "Let me ask: ", "If you don't mind, ", "Good morning, ", "Yes, but "),
)
_AFTER = (
    *(", please", " please", " thanks", ", thanks", ", dyno", ", thank you", " pls", " plz"),
    *(", if you can", ", my friend", ", thx", " thx", ", thanks in advance", ", ok", ", right"),
)
_SHORT_FORMS = (
    *(("you ", "u "), ("please", "pls"), (" are ", " r "), ("what is", "whats"), (" and ", " & ")),
    *(("What is", "whats"), (" your ", " ur "), ("because", "bc"), ("thanks", "thx")),
)
_SHORT_SHARE = 0.08
_OTHER_SPELLINGS = (
    ("colour", "color"),
    ("avourite", "avorite"),
    ("antization", "antisation"),
    ("batching", "batchin"),
)


def typed(
    rng: random.Random,
    text: str,
    *,
    protected: Collection[str] = (),
    polite: bool = True,
    typo_share: float = TYPO_SHARE,
) -> str:
    """The text as somebody might type it: politeness, lower case, lost punctuation, a typo.

    Words of `protected` are never misspelled, since an answer must be able to repeat them.
    """
    if polite:
        text = _with_politeness(rng, text)
    safe = {word for value in protected for word in value.split()}
    if rng.random() < typo_share:
        text = _with_typo(rng, text, safe)
        if rng.random() < 0.2:
            text = _with_typo(rng, text, safe)
    if rng.random() < _SHORT_SHARE:
        for long, short in (rng.choice(_SHORT_FORMS), rng.choice(_OTHER_SPELLINGS)):
            if not any(long.strip() in word or word in long for word in safe):
                text = text.replace(long, short)
    if rng.random() < 0.35:
        text = text.lower()
    draw = rng.random()
    if draw < 0.35:
        text = text.rstrip("?.!")
    elif draw < 0.39 and text[-1:] in "?!":
        text += text[-1] * rng.randint(1, 2)
    if rng.random() < 0.2:
        text = text.replace("'", "")
    return text


def _with_politeness(rng: random.Random, text: str) -> str:
    draw = rng.random()
    if draw < 0.08:
        keeps = text[:2].isupper() or text.startswith(("I ", "I'"))
        return rng.choice(_BEFORE) + (text if keeps else text[:1].lower() + text[1:])
    if draw < 0.15 and text[-1:] in "?.":
        return text[:-1] + rng.choice(_AFTER) + text[-1]
    return text


def _with_typo(rng: random.Random, text: str, protected: Collection[str]) -> str:
    words = text.split(" ")
    places = [
        index
        for index, word in enumerate(words)
        if len(word) > 3 and word.isalpha() and not word.isupper() and word not in protected
    ]
    if not places:
        return text
    index = rng.choice(places)
    words[index] = _misspelled(rng, words[index])
    return " ".join(words)


def _misspelled(rng: random.Random, word: str) -> str:
    place = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = rng.randrange(4)
    if kind == 0:
        return before + after
    if kind == 1:
        return before + letter + letter + after
    if kind == 2:
        return before + after[:1] + letter + after[1:]
    row = next((row for row in _KEYBOARD_ROWS if letter in row), "aeiou")
    return before + row[(row.find(letter) + 1) % len(row)] + after


def joined(items: Sequence[str]) -> str:
    """Items as a list in a sentence: `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]
