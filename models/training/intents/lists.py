"""Lists of n things: numbers, days, months, letters, animals, colours, fruits, planets."""

import random
import string

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, capitalized, joined, typed

_COUNT = Wordings(
    "Count from {low} to {high}.",
    "[Please count|Can you count|Count for me|Count up] from {low} to {high}.",
    "[Count|List|Write|Give me|Say|Show me] [the |all |]numbers from {low} to {high}.",
    "[Numbers|Count] {low} to {high}.",
    "[What are|Which are] the numbers [from|between] {low} [to|and] {high}?",
)
_COUNT_TO = Wordings(
    "Count to {high}.",
    "[Can you|Please|Now|Let us|I want you to] count [up to|to|until] {high}[ for me|].",
)
_ALL = Wordings(
    "List the {things}.",
    "[Name|Tell me|Give me|Say|Write|What are] [the|all|all the] {things}[ in order|].",
    "[Can|Could] you [list|name|tell me] [the|all] {things}[ in order|]?",
    "[Which|What] {things} are there?",
)
_SOME = Wordings(
    "Name {n} {things}.",
    "[List|Tell me|Give me|Say|Write|Show me] {n} {things}.",
    "[Can|Could] you [list|name|tell me|give me] {n} {things}?",
    "[I need|I want|I'd like] {n} {things}.",
    "[Give me|Make|Write] a list of {n} {things}.",
    "{n} {things}[, please|].",
    "[Which|What] {n} {things} [do you know|can you name|come to mind]?",
)
_FULL = {
    "days of the week": names.DAYS,
    "days": names.DAYS,
    "months of the year": names.MONTHS,
    "months": names.MONTHS,
    "planets": names.PLANETS,
    "letters of the alphabet": tuple(string.ascii_uppercase),
}
_PARTIAL = {
    "animals": names.ANIMALS,
    "colours": names.COLOURS,
    "colors": names.COLOURS,
    "fruits": names.FRUITS,
    "planets": names.PLANETS,
    "months": names.MONTHS,
}
_COUNTED_WORDS = {5: "five", 10: "ten", 12: "twelve", 15: "fifteen", 20: "twenty"}
_WORDS = ["two", "three", "four", "five", "six", "seven", "eight"]


def count(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < 0.3:
        low, high = 1, rng.choice((rng.randint(3, 12), rng.randint(3, 30)))
        shown = _COUNTED_WORDS.get(high, str(high)) if rng.random() < 0.5 else str(high)
        text = _COUNT_TO.pick(rng, split).format(high=shown)
    else:
        low = 1 if rng.random() < 0.6 else rng.randint(0, 40)
        high = low + rng.choice((rng.randint(2, 9), rng.randint(3, 19), 19))
        text = _COUNT.pick(rng, split).format(low=low, high=high)
    answer = ", ".join(str(number) for number in range(low, high + 1)) + "."
    return Turn("counting", typed(rng, text), answer, (answer,))


def whole_list(rng: random.Random, state: State, split: Split) -> Turn:
    things = rng.choice(list(_FULL))
    text = _ALL.pick(rng, split).format(things=things)
    answer = ", ".join(_FULL[things]) + "."
    return Turn("whole lists", typed(rng, text), answer, (answer,))


def some_of(rng: random.Random, state: State, split: Split) -> Turn:
    things = rng.choice(list(_PARTIAL))
    number = rng.randint(2, 8)
    shown = str(number) if rng.random() < 0.5 else _WORDS[number - 2]
    text = _SOME.pick(rng, split).format(n=shown, things=things)
    # Always the first ones, so that the answer is certain and only its length has to be counted.
    answer = capitalized(joined(_PARTIAL[things][:number])) + "."
    return Turn("short lists", typed(rng, text, protected=[shown]), answer, (answer,))
