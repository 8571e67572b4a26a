"""Sums and differences to 20, in digits or words; the answer is always in digits."""

import random

from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, capitalized, typed

_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_THINGS = (
    "apples",
    "books",
    "tokens",
    "coins",
    "cats",
    "GPUs",
    "cookies",
    "euros",
    "cards",
    "pens",
    "eggs",
    "cars",
    "oranges",
    "balls",
    "sweets",
    "stamps",
)
_ADD = Wordings(
    "What is {a} plus {b}?",
    "[What is|What's|Whats|How much is|Calculate|Compute|Tell me] {a} [plus|+|and] {b}[?|]",
    "{a} [plus|+] {b}[?| = ?| is| is what?| equals| makes| =|]",
    "[Add|Sum|Please add|Can you add|Could you add] {a} [and|to|plus] {b}[.|?]",
    "[What is the|What's the|Give me the|Tell me the] sum of {a} and {b}?",
    "[What do you get|What do I get|What comes out] [if I add|when I add] {a} [and|to] {b}?",
    "[How much|What] [do|does] {a} [and|plus] {b} [make|give|equal]?",
    "[Can you|Do you know how to|Could you] [work out|compute|calculate] {a} [plus|+] {b}?",
    "I have {a} {things} and [get|buy|find] {b} more[. How many do I have?|, how many in all?]",
    "[If I have|I have] {a} {things} and you give me {b}, how many [are there|do I have]?",
    "[Math question: |A sum: |Quick math: |]what is {a} [+|plus] {b}?",
    "{b} more than {a}[?| is?]",
    "[sum|add|plus] {a} {b}",
    "[And|Now|Then|What about|And what is|OK and] {a} [plus|+|and] {b}[?|]",
    "{a} and {b}[, added up|, together|, summed up| in total|, added together| - the sum][?|]",
    "[If I pay|I paid|She paid|We pay] {a} [euros|dollars] for [the pizza|a book|lunch|a ticket] "
    "and {b} for [a drink|a pen|the bus][, how much in total?|. How much is that together?|, how "
    "much did we spend in total?|. The sum?]",
    "{a} [kids|people|children] are [in a room|on the bus|at the party] and {b} more come[, how "
    "many now?|. How many are there?|, how many is that]",
    "[Total of|The total of] {a} and {b}[?|]",
    "[There are|I see|We have|Anna has|Tom has] {a} {things} and {b} more [come|arrive|are added]"
    "[. How many are there?|, how many now?|. How many {things} are there?|, how many in all?]",
    "[I had|She had|He had|Tom has|Anna has|There were] {a} {things} and [got|bought|found|won] "
    "{b} more[. How many now?|, how many is that?|. How many {things} are there?|, how many in all"
    "?]",
    "{a} {things} and {b} {things}[, how many together?|: how many?|, how many in all?|. In all?]",
    "[What do|What does|How much do] {a} and {b} [make|give|add up to|come to][ together| in all"
    "|]?",
)
_SUBTRACT = Wordings(
    "What is {a} minus {b}?",
    "[What is|What's|Whats|How much is|Calculate|Compute|Tell me] {a} [minus|-|less|without|take "
    "away] {b}[?|]",
    "{a} [minus|-|less|without|take away|reduced by] {b}[?| = ?| is| is what?| equals| makes| =|]",
    "[Subtract|Take|Please subtract|Can you take] {b} from {a}[.|?]",
    "[Subtract|Take away|Take] {b} from {a}, what is left?",
    "[What is the|What's the|Tell me the] difference between {a} and {b}?",
    "[What is left|How much is left|What remains] [if|when] [I|you] take {b} [from|off] {a}?",
    "I have {a} {things} and [lose|give away|eat|spend] {b}[. How many are left?|, how many now?]",
    "[If I have|I have] {a} {things} and [use|sell] {b}, [how many remain|what is left]?",
    "[Math question: |Quick math: |]what is {a} [-|minus] {b}?",
    "{b} less than {a}[?| is?]",
    "[Can you|Could you] [work out|compute|calculate] {a} [minus|-] {b}?",
    "[How much|What] is {a} [reduced by|without|decreased by] {b}?",
    "[How much is left|What is left|What remains] of {a} without {b}?",
    "[What do you get|What do I get|What comes out] [if I subtract|when I subtract|if I take] {b} "
    "from {a}?",
    "[How much|What] [does|do] {a} [minus|without|less] {b} [make|give|equal|leave]?",
    "[minus|subtract|take away]: {a}, {b}",
    "[And|Now|Then|What about|And what is|OK and] {a} [minus|-|less] {b}[?|]",
    "[There were|There are|I saw|We counted] {a} [birds|children|people|cats] [on a roof|on the "
    "bus|in a room|at the party][,| and] {b} [flew away|left|went home|ran away][, how many "
    "stay?|. How many are left?|, how many remain|, how many are still there?]",
    "[A|The] [book|ticket|coffee|pizza] costs {b} and I [pay with|give|have] {a}[. How much do I "
    "get back?|, what change do I get?|. What is left?]",
    "[I had|She had|He had|Tom has|Anna has|There were] {a} {things} and [lost|ate|gave away|sold|"
    "broke|spent] {b}[. How many are left?|, how many now?|. How many do I have?|, what is left?]",
    "[Of|Out of|From] {a} {things}[,|] {b} [are gone|were sold|were lost|broke][, how many are left"
    "?|. How many are left?|. What is left?]",
    "[There are|I see|We have] {a} {things} and {b} [leave|go away|are taken|disappear][. How many "
    "are there?|, how many are left?|. How many {things} are left?]",
)
_NEITHER = Wordings(
    "What is {a} times {b}?",
    "[What is|What's|Whats|How much is|Calculate|Compute|Tell me|And] {a} [times|x|*|multiplied by|"
    "divided by|/|over] {b}[?|]",
    "{a} [times|x|*|multiplied by|divided by|/] {b}[?| = ?| is| is what?| equals| makes| =|]",
    "[Multiply|Divide|Please multiply|Can you divide|Could you multiply] {a} by {b}[.|?]",
    "[What is the|What's the|Give me the] product of {a} and {b}?",
    "[How often|How many times] does {b} [go|fit] into {a}?",
    "[Can you|Could you] [work out|compute|calculate] {a} [times|divided by|*|/] {b}?",
)
_NEITHER_SHARE = 0.07


def _shown(rng: random.Random, number: int) -> str:
    return _WORDS[number] if rng.random() < 0.3 else str(number)


def add_or_subtract(rng: random.Random, state: State, split: Split) -> Turn:
    """Operands from 0 to 20; a difference is never negative."""
    if rng.random() < _NEITHER_SHARE:
        return _multiply_or_divide(rng, split)
    a, b = rng.randint(0, 20), rng.randint(0, 20)
    adds = rng.random() < 0.5
    if not adds:
        a, b = max(a, b), min(a, b)
    wording = (_ADD if adds else _SUBTRACT).pick(rng, split)
    shown = (_shown(rng, a), _shown(rng, b))
    text = capitalized(wording.format(a=shown[0], b=shown[1], things=rng.choice(_THINGS)))
    if all(s.isdigit() for s in shown) and rng.random() < 0.2:
        text = text.replace(" + ", "+").replace(" - ", "-")
    answer = f"{a} plus {b} is {a + b}." if adds else f"{a} minus {b} is {a - b}."
    key = f"is {a + b}." if adds else f"is {a - b}."
    return Turn("sums", typed(rng, text, protected=[*shown, text]), answer, (key,))


def _multiply_or_divide(rng: random.Random, split: Split) -> Turn:
    """What is not known looks much like a sum."""
    most = rng.choice((20, 99, 999))
    shown = [_shown(rng, n) if n <= 20 else str(n) for n in rng.choices(range(most + 1), k=2)]
    text = capitalized(_NEITHER.pick(rng, split).format(a=shown[0], b=shown[1]))
    answer = "I can only add and subtract, so I don't know."
    return Turn("products", typed(rng, text, protected=shown), answer, ("don't know",))
