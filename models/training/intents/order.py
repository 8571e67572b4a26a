"""Days, months, letters and numbers in their order."""

import random
import string

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, typed
from models.training.world import ways

_AFTER = Wordings(
    "What comes after {x}?",
    "[Which|What] {thing} [comes after|follows|is after|comes next after|is next after] {x}?",
    "[What is|What's|Tell me|Name] the {thing} [after|following|right after] {x}[?|]",
    "[What|Which {thing}] [comes|is] next after {x}?",
    "After {x} comes [what|which {thing}|...|]?",
    "{x}, [then what|what's next|and then|what comes next]?",
    "[The next {thing} after|next {thing} after|{thing} after] {x}[?|]",
    "[If it is|When it is] {x} now, what {thing} is next?",
    *ways("after"),
)
_BEFORE = Wordings(
    "What comes before {x}?",
    "[Which|What] {thing} [comes before|precedes|is before|comes right before] {x}?",
    "[What is|What's|Tell me|Name] the {thing} [before|preceding|right before] {x}[?|]",
    "[What|Which {thing}] was before {x}?",
    "Before {x} comes [what|which {thing}|...|]?",
    "{x} [follows|comes after|is right after] [which|what] {thing}?",
    "[What's|What is|Which is] the {thing} [that comes |][just |right |][ahead of|before] {x}[?|]",
    "[The|] {thing} before {x}[?|]",
    *ways("before"),
)
_BETWEEN = Wordings(
    "What comes between {x} and {y}?",
    "[Which|What] {thing} [is|comes|lies] between {x} and {y}?",
    "[Name|Tell me] the {thing} between {x} and {y}.",
    "Between {x} and {y} [is|comes] [which {thing}|what]?",
)
_TOMORROW = Wordings(
    "What day is it tomorrow if today is {x}?",
    "[If|When] today is {x}, what [day is it tomorrow|is tomorrow|will tomorrow be]?",
    "[Today is|It is|It's|Now it is] {x}[. What is tomorrow?|, what day is tomorrow?|. And "
    "tomorrow?|, and tomorrow?|. What day comes tomorrow?|, so tomorrow is?]",
    "[Today's|Today is] {x}, [which day comes tomorrow|so tomorrow is]?",
    *ways("tomorrow"),
)
_YESTERDAY = Wordings(
    "What day was it yesterday if today is {x}?",
    "[If|When] today is {x}, what [day was it yesterday|was yesterday|day was yesterday]?",
    "[Today is|It is|It's|Now it is] {x}[. What was yesterday?|, what day was yesterday?|. And "
    "yesterday?|, and yesterday?|, so yesterday was?]",
    "[Today's|Today is] {x}, [which day was yesterday|so yesterday was]?",
    *ways("yesterday"),
)
_NTH = Wordings(
    "What is the {nth} {thing} of the {whole}?",
    "[Which|What] is the {nth} {thing}[ of the {whole}|]?",
    "[Name|Tell me|Say] the {nth} {thing} of the {whole}.",
    "[Which|What] {thing} [is|comes] {nth}[ in the {whole}|]?",
    "The {nth} {thing}[ of the {whole}| is|]?",
    *ways("nth"),
)
_HOW_MANY = Wordings(
    "How many {thing}s are in a {whole}?",
    "[How many|What number of] {thing}s [does a {whole} have|are there in a {whole}|has a "
    "{whole}]?",
    "[A {whole} has|In a {whole} there are] how many {thing}s?",
    "[Tell me|Do you know|Say] how many {thing}s a {whole} has.",
    "Number of {thing}s in a {whole}[?|]",
)
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "last",
]
_DIGITS_SHARE = 0.3
_CYCLES: dict[str, tuple[str, ...]] = {"day": tuple(names.DAYS), "month": tuple(names.MONTHS)}
_ROWS: dict[str, tuple[str, ...]] = _CYCLES | {
    "letter": tuple(string.ascii_uppercase),
    "number": tuple(str(number) for number in range(121)),
}
_WHOLES = {"day": "week", "month": "year"}
_COUNTS = {"day": "A week has 7 days.", "month": "A year has 12 months."}


def neighbour(rng: random.Random, state: State, split: Split) -> Turn:
    draw = rng.random()
    if draw < 0.1:
        thing = rng.choice(("day", "month"))
        text = _HOW_MANY.pick(rng, split).format(thing=thing, whole=_WHOLES[thing])
        return _turn(rng, text, (), _COUNTS[thing], _COUNTS[thing].split()[3])
    if draw < 0.25:
        return _nth(rng, split)
    if draw < 0.4:
        return _days_around(rng, split)
    thing = rng.choices(list(_ROWS), (5, 6, 2, 2))[0]
    row = _ROWS[thing]
    place = rng.randrange(1, len(row) - 1)
    if thing in _CYCLES and rng.random() < 0.3:
        place = rng.randrange(len(row))
    before, x, after = row[place - 1], row[place], row[(place + 1) % len(row)]
    if draw < 0.7:
        text = _AFTER.pick(rng, split).format(x=x, thing=thing)
        return _turn(rng, text, (x,), f"After {x} comes {after}.", f"comes {after}.")
    if draw < 0.9:
        text = _BEFORE.pick(rng, split).format(x=x, thing=thing)
        return _turn(rng, text, (x,), f"Before {x} comes {before}.", f"comes {before}.")
    text = _BETWEEN.pick(rng, split).format(x=before, y=after, thing=thing)
    said = f"Between {before} and {after} comes {x}."
    return _turn(rng, text, (before, after), said, f"comes {x}.")


def _nth(rng: random.Random, split: Split) -> Turn:
    thing = rng.choice(("day", "month", "month"))
    row = _CYCLES[thing]
    place = rng.randrange(len(row))
    nth = "last" if place == len(row) - 1 and rng.random() < 0.5 else _ORDINALS[place]
    if nth != "last" and rng.random() < _DIGITS_SHARE:
        nth = _in_digits(place + 1)
    text = _NTH.pick(rng, split).format(nth=nth, thing=thing, whole=_WHOLES[thing])
    answer = f"The {nth} {thing} of the {_WHOLES[thing]} is {row[place]}."
    return _turn(rng, text, (nth,), answer, row[place])


def _in_digits(nth: int) -> str:
    """1 to 20: `1st`, `12th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(nth, "th")
    return f"{nth}{ending}"


def _days_around(rng: random.Random, split: Split) -> Turn:
    place = rng.randrange(7)
    x = names.DAYS[place]
    if rng.random() < 0.6:
        answer = f"If today is {x}, tomorrow is {names.DAYS[(place + 1) % 7]}."
        wording = _TOMORROW
    else:
        answer = f"If today is {x}, yesterday was {names.DAYS[place - 1]}."
        wording = _YESTERDAY
    return _turn(rng, wording.pick(rng, split).format(x=x), (x,), answer, answer.split()[-1])


def _turn(rng: random.Random, text: str, protected: tuple[str, ...], answer: str, key: str) -> Turn:
    return Turn("order", typed(rng, text, protected=protected), answer, (key,))
