"""Lists of n things: numbers up and down, days, months, animals, terms of inference and more."""

import random
import string
from functools import cache

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, capitalized, joined, typed
from models.training.world import table

_COUNT = Wordings(
    "Count from {low} to {high}.",
    "[Please count|Can you count|Count for me|Count up|Could you count] from {low} to {high}.",
    "[Count|List|Write|Give me|Say|Show me] [the |all |]numbers from {low} to {high}.",
    "[Numbers|Count|Numbers from|Counting] {low} to {high}.",
    "[What are|Which are] the numbers [from|between] {low} [to|and] {high}?",
    "[Start at|Begin with|Starting at] {low}[,| and] count [to|up to|until] {high}.",
    "[I want you to|I'd like you to|Let's] count from {low} [to|up to] {high}.",
)
_COUNT_TO = Wordings(
    "Count to {high}.",
    "[Can you|Please|Now|Let us|I want you to] count [up to|to|until] {high}[ for me|].",
    "[Are you able to|Do you know how to|Could you] count to {high}?",
    "[Count up to|Numbers up to|Count till] {high}[, please|].",
)
_COUNT_DOWN = Wordings(
    "Count down from {high} to {low}.",
    "[Please count|Can you count|Count] [down|backwards] from {high} to {low}.",
    "[Count|Numbers] from {high} [down to|back to] {low}.",
    "[A countdown|Countdown|Give me a countdown] from {high}[ to {low}|].",
    "[List|Say|Write] the numbers from {high} [down to|back to] {low}.",
)
_ALL = Wordings(
    "List the {things}.",
    "[Name|Tell me|Give me|Say|Write|What are|Show me] [the|all|all the|all of the] {things}"
    "[ in order|].",
    "[Can|Could] you [list|name|tell me|say] [the|all|all the] {things}[ in order|]?",
    "[Which|What] {things} are there?",
    "[I need|I want|I'd like to know] [the|all] {things}[.|]",
    "[All|The|A list of the|List of the|List of all] {things}[, please|].",
    "[Do you know|Recite|Enumerate] [the|all the] {things}[?|]",
)
_SOME = Wordings(
    "Name {n} {things}.",
    "[List|Tell me|Give me|Say|Write|Show me|Write down] {n} {things}.",
    "[Can|Could] you [list|name|tell me|give me|think of] [any |]{n} {things}?",
    "[I need|I want|I'd like|I am looking for|I have to name] {n} {things}.",
    "[Give me|Make|Write|I need] a list [of|with] {n} {things}.",
    "{n} {things}[, please| please|].",
    "[Which|What] {n} {things} [do you know|can you name|come to mind|would you name]?",
    "[Name|Tell me|Give me] {n} [different|random|common|nice] {things}.",
    "[What are|Which are] {n} {things}[?| you know?]",
    "[Name|List|Give] me {n} {things} [please|quickly|that you know].",
    "[Give me|Show me|I need] {n} examples of {things}.",
    "[For my homework I need|My son needs|We need] {n} {things}.",
    "[List of|A list of|top] {n} {things}[, please|]",
    "[Think of|Come up with|Enumerate] {n} {things}.",
)
_ANY = Wordings(
    "Name some {things}.",
    "[List|Tell me|Give me|Name|Say|Show me] [some|a few] {things}.",
    "[What are|Which are] [some|a few] {things}[?| you know?]",
    "[Some|A few|A list of|List of|Examples of] {things}[, please|].",
    "[Can|Could] you [list|name|give me] [some|a few] {things}?",
    "[Which|What] {things} do you know?",
    "[Do you know|Know] [any|some] {things}?",
)
_ONE = Wordings(
    "Name one of the {things}.",
    "[Name|Tell me|Give me|Say] one of the {things} you know.",
    "[Give me|Name|I need] [an example of {things}|one example of {things}].",
    "[Just |]one example[ only|] of {things}[.|, please.]",
)
_FULL: dict[str, tuple[str, ...]] = {
    "days of the week": tuple(names.DAYS),
    "days": tuple(names.DAYS),
    "weekdays": tuple(names.DAYS),
    "months of the year": tuple(names.MONTHS),
    "months": tuple(names.MONTHS),
    "planets": tuple(names.PLANETS),
    "planets of the solar system": tuple(names.PLANETS),
    "seasons": ("spring", "summer", "autumn", "winter"),
    "letters of the alphabet": tuple(string.ascii_uppercase),
    "letters": tuple(string.ascii_uppercase),
}
_SHOWN_AS = {
    "numbered": (" as a numbered list", ", numbered", " in a numbered list", " and number them"),
    "bullets": (" as bullet points", " as a bullet list", " in bullet points", ", with bullets"),
}
_COUNTED_WORDS = {5: "five", 10: "ten", 12: "twelve", 15: "fifteen", 20: "twenty"}
_WORDS = ["two", "three", "four", "five", "six", "seven", "eight"]
_USUAL_COUNT = 3
_MOST = 8


@cache
def _partial() -> dict[str, tuple[str, ...]]:
    """What can be listed in part, with the names that people use for it."""
    return {
        name.strip(): tuple(things)
        for called, things in table("lists").items()
        for name in str(called).split(",")
    }


@cache
def _kinds() -> tuple[str, ...]:
    return tuple(_partial())


def count(rng: random.Random, state: State, split: Split) -> Turn:
    draw = rng.random()
    if draw < 0.15:
        low = 1 if rng.random() < 0.7 else rng.randint(0, 20)
        high = low + rng.randint(2, 12)
        text = _COUNT_DOWN.pick(rng, split)
        low = low if "{low}" in text else 1
        numbers = range(high, low - 1, -1)
        text = text.format(low=low, high=high)
    elif draw < 0.4:
        low, high = 1, rng.choice((rng.randint(3, 12), rng.randint(3, 30)))
        shown = _COUNTED_WORDS.get(high, str(high)) if rng.random() < 0.5 else str(high)
        text = _COUNT_TO.pick(rng, split).format(high=shown)
        numbers = range(low, high + 1)
    else:
        low = 1 if rng.random() < 0.6 else rng.randint(0, 40)
        high = low + rng.choice((rng.randint(2, 9), rng.randint(3, 19), 19))
        text = _COUNT.pick(rng, split).format(low=low, high=high)
        numbers = range(low, high + 1)
    answer = ", ".join(str(number) for number in numbers) + "."
    return Turn("counting", typed(rng, text), answer, (answer,))


def whole_list(rng: random.Random, state: State, split: Split) -> Turn:
    things = rng.choice(list(_FULL))
    text = _ALL.pick(rng, split).format(things=things)
    answer = capitalized(", ".join(_FULL[things])) + "."
    return Turn("whole lists", typed(rng, text), answer, (answer,))


def some_of(rng: random.Random, state: State, split: Split) -> Turn:
    """Always the first ones of the kind, so that only their number is to be decided."""
    things = rng.choice(_kinds())
    draw = rng.random()
    number = rng.randint(2, min(_MOST, len(_partial()[things])))
    shown = str(number) if rng.random() < 0.5 else _WORDS[number - 2]
    if draw < 0.75:
        text = _SOME.pick(rng, split).format(n=shown, things=things)
    elif draw < 0.93:
        number, text = _USUAL_COUNT, _ANY.pick(rng, split).format(things=things)
    else:
        number, text = 1, _ONE.pick(rng, split).format(things=things)
    items = _partial()[things][:number]
    way = rng.choices(("sentence", "numbered", "bullets"), (80, 12, 8))[0]
    if way == "sentence" or number == 1:
        answer = capitalized(joined(items)) + "."
    else:
        text = text.rstrip("?.") + rng.choice(_SHOWN_AS[way]) + rng.choice((".", ""))
        marks = (f"{place}. " if way == "numbered" else "- " for place in range(1, number + 1))
        answer = "\n".join(mark + item for mark, item in zip(marks, items, strict=True))
    user = typed(rng, capitalized(text), protected=[shown, things])
    return Turn("short lists", user, answer, (answer,))
