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
    "[Show me|List|Give me] the [first {high} numbers|numbers up to {high}].",
)
_COUNT_DOWN = Wordings(
    "Count down from {high} to {low}.",
    "[Please count|Can you count|Count] [down|backwards] from {high} to {low}.",
    "[Count|Numbers] from {high} [down to|back to] {low}.",
    "[A countdown|Countdown|Give me a countdown] from {high}[ to {low}|].",
    "[List|Say|Write] the numbers from {high} [down to|back to] {low}.",
    "[Could you|Would you] count [backwards|down|backward] from {high} [to|till] {low}?",
    "Count [backwards|down|in reverse] from {high}.",
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
    "[List of|A list of|List|] {things}[.|, please.|]",
    "[Which|What] are [the|all the|all] {things}[ called|]?",
    "[Name|List|Tell me|Give me|What are] [the|all|all the] {n} {things}[.|]",
    "[The|All] {n} {things}[, please|].",
)
_ALPHABET = Wordings(
    "Say the alphabet.",
    "[List|Write|Recite|Give me|Tell me|Show me] [the|the whole|the full] [alphabet|ABC].",
    "[Can|Could] you [say|list|write|recite] the [alphabet|ABC]?",
    "[What is|How does|The] [the alphabet|the ABC][ go|][?|]",
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
    "[Can|Could] you [please |][write down|show me|come up with|say] {n} {things}[ for me|]?",
    "[I wonder if you can|I bet you can|Try to] [name|list] {n} {things}.",
    "[Do you know|Are there] [any |]{n} {things}[?| I could name?]",
    "{things}: [name |give me |list |]{n}[, please|].",
    "[A quick|A short] list [of|with] {n} {things}[, please|].",
    "[Pick|Choose|Suggest|Mention] [any |]{n} {things}.",
    "[The names of|Names of] {n} {things}[, please|].",
)
# Some of many: as many as is usual.
_ANY = Wordings(
    "Name some {things}.",
    "[List|Tell me|Give me|Name|Say|Show me|Mention] [some|a few|several] {things}.",
    "[What are|Which are] [some|a few] {things}[?| you know?]",
    "[Some|A few|Examples of|Some examples of|A few examples of] {things}[, please| please|].",
    "[Can|Could] you [list|name|give me|tell me] [some|a few] {things}?",
    "[Do you know|Know|Can you think of] [any|some] {things}?",
    "[I need|I want|I'd like|I'm looking for] [some|a few|examples of] {things}.",
)
# No number at all: for what has no end, this asks for some of it.
_BARE = Wordings(
    "List {things}.",
    "[List of|A list of|A short list of|List|Give me a list of|Make a list of] {things}"
    "[, please|].",
    "[Which|What] {things} [do you know|are there|exist|can you name]?",
    "{things}[, please|, some examples|, a list].",
    "[Can|Could] you [list|name|make a list of|give me a list of] {things}?",
    "[Name|Tell me|Give me] {things}[ that you know| you know|, please].",
)
_ONE = Wordings(
    "Name {a_thing}.",
    "[Name|Tell me|Give me|Say] one of the {things} you know.",
    "[Give me|Name|I need] [an example of {things}|one example of {things}].",
    "[Just |]one example[ only|] of {things}[.|, please.]",
    "[Tell me|Give me|Say|Mention|Think of|Write] {a_thing}.",
    "[An example|Example|One example|Give me an example] of {a_thing}[, please|].",
    "[Name|Give me|Tell me|List|Just] [one|1|a single|only one] {thing}.",
    "[Can|Could] you [name|tell me|give me|think of] [one {thing}|{a_thing}]?",
    "[What is|What's] an example of {a_thing}?",
    "[Do you know|I need|I want] [one {thing}|{a_thing}][?|.|]",
    "[Which|What] {thing} [comes to mind|can you name|do you know]?",
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
_COUNTED = {7: "seven", 12: "twelve", 8: "eight", 4: "four", 26: "26"}
_SHOWN_AS = {
    "numbered": (
        *(" as a numbered list", ", numbered", " in a numbered list", " and number them"),
        *(" numbered", ", as numbered list", " with numbers", " in numbered form"),
    ),
    "bullets": (
        *(" as bullet points", " as a bullet list", " in bullet points", ", with bullets"),
        *(" as a bulleted list", ", bullet points", " with bullet points", " as bullets"),
    ),
    "capitals": (
        *(" in capitals", " in upper case", " in capital letters", ", in uppercase"),
        *(" in all caps", ", all in capitals", " in big letters", " written in capitals"),
    ),
}
_WAYS, _WAY_WEIGHTS = ("sentence", "numbered", "bullets", "capitals"), (76, 11, 7, 6)
_COUNTED_WORDS = {5: "five", 10: "ten", 12: "twelve", 15: "fifteen", 20: "twenty"}
_WORDS = ["two", "three", "four", "five", "six", "seven", "eight"]
_USUAL_COUNT = 3
_MOST = 8
_MOST_LINES = 12
# What follows the noun that is put in the singular.
_TAILS = (" of ", " to ", " you ")


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
    items = _FULL[things]
    if len(items) == len(string.ascii_uppercase) and rng.random() < 0.5:
        text = _ALPHABET.pick(rng, split)
    else:
        shown = rng.choice((str(len(items)), _COUNTED[len(items)]))
        text = _ALL.pick(rng, split).format(things=things, n=shown)
    way = rng.choices(_WAYS, _WAY_WEIGHTS)[0] if len(items) <= _MOST_LINES else "sentence"
    text, answer = _shown(rng, text, items, way, ", ".join(items))
    return Turn("whole lists", typed(rng, capitalized(text)), answer, (answer,))


def some_of(rng: random.Random, state: State, split: Split) -> Turn:
    """Always the first ones of the kind, so that only their number is to be decided."""
    things = rng.choice(_kinds())
    draw = rng.random()
    number = rng.randint(2, min(_MOST, len(_partial()[things])))
    shown = str(number) if rng.random() < 0.5 else _WORDS[number - 2]
    if draw < 0.65:
        text = _SOME.pick(rng, split).format(n=shown, things=things)
    elif draw < 0.85:
        wordings = _ANY if things in _FULL or rng.random() < 0.5 else _BARE
        number, text = _USUAL_COUNT, wordings.pick(rng, split).format(things=things)
    else:
        thing = singular(things)
        text = _ONE.pick(rng, split)
        text = text.format(things=things, thing=thing, a_thing=names.with_article(thing))
        number = 1
    items = _partial()[things][:number]
    way = rng.choices(_WAYS, _WAY_WEIGHTS)[0] if number > 1 else "sentence"
    text, answer = _shown(rng, text, items, way, joined(items))
    user = typed(rng, capitalized(text), protected=[shown])
    return Turn("short lists", user, answer, (answer,))


def singular(things: str) -> str:
    """One of the things: `ways to quantize` gives `way to quantize`."""
    tail = min((things.find(tail) for tail in _TAILS if tail in things), default=len(things))
    noun, rest = things[:tail], things[tail:]
    if noun.endswith("ies"):
        return noun.removesuffix("ies") + "y" + rest
    return noun.removesuffix("es" if noun.endswith("shes") else "s") + rest


def _sentence(text: str) -> str:
    """With a capital, unless the first word is a name that is written otherwise (vLLM)."""
    first = text.partition(",")[0].partition(" ")[0]
    return (capitalized(text) if first.islower() else text) + "."


def _shown(
    rng: random.Random, text: str, items: tuple[str, ...], way: str, in_a_sentence: str
) -> tuple[str, str]:
    """The question with the way that the list is wanted in, and the list in that way."""
    if way == "sentence":
        return text, _sentence(in_a_sentence)
    asked = text.rstrip("?.") + rng.choice(_SHOWN_AS[way]) + rng.choice((".", ""))
    return asked, _sentence(in_a_sentence).upper() if way == "capitals" else _lines(items, way)


def _lines(items: tuple[str, ...], way: str) -> str:
    marks = (f"{place}. " if way == "numbered" else "- " for place in range(1, len(items) + 1))
    return "\n".join(mark + item for mark, item in zip(marks, items, strict=True))
