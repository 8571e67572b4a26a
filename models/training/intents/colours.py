"""Colours of things."""

import random
import re
from functools import cache

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, as_typed, capitalized, typed
from models.training.world import table

_ASK = Wordings(
    "What colour is {thing}?",
    "[What|Which] [colour|color] [is|has|does one see in] {thing}?",
    "[What's|What is|Tell me|Name] the [colour|color] of {thing}[?|]",
    "[Colour|Color|The colour|The color] of {thing}[?|, please?|]",
    "[And|So|Now|Then] [the colour of|what colour is] {thing}?",
    "[Is there a|What is the] [usual|typical|normal] [colour|color] [of|for] {thing}?",
    "{Thing} [has|is] [what|which] [colour|color]?",
    "[Do you know|Can you say|Can you tell me|I wonder|Tell me] [what colour {thing} is|"
    "the colour of {thing}]?",
    "[In|Of] what [colour|color] is {thing}?",
    "[What|Which] [colour|color] [do you see|comes to mind] when you [think of|look at] {thing}?",
    "[What|Which] [colour|color] [would you paint|should I paint|should I draw] {thing}?",
    "{Thing}, what [colour|color]?",
    "{bare} [colour|color][?|]",
    "[Usually|Normally], what [colour|color] is {thing}?",
)
# After the colour of something, the next thing alone will do.
_AND = Wordings(
    "And {thing}?",
    "[And|What about|How about|Now|And of] {thing}[?|]",
)
_IS_IT = Wordings(
    "Is {thing} {colour}?",
    "Is {thing} {colour}[ or {other}| or rather {other}|]?",
    "{Thing} is {colour}[, right?|, or not?|, isn't it?| or {other}?|, or is it {other}?]",
    "[Is it true that|I think|Somebody says] {thing} is {colour}[.|?|, right?]",
)
_AND_SHARE, _IS_IT_SHARE = 0.5, 0.12
_ARTICLE = re.compile(r"^(the|an?) ")
_UNKNOWN_SHARE = 0.12


@cache
def colours() -> dict[str, str]:
    """Thing (with its article) to colour."""
    return {
        thing.strip(): colour
        for colour, things in table("colours").items()
        for thing in str(things).split(",")
    }


@cache
def _things() -> tuple[tuple[str, str], ...]:
    return tuple(colours().items())


def said_of(thing: str) -> str:
    return f"{capitalized(thing)} is {colours()[thing]}."


def colour_of(rng: random.Random, state: State, split: Split) -> Turn:
    thing, colour = rng.choice(_things())
    if rng.random() < _UNKNOWN_SHARE:
        thing, colour = names.with_article(names.invented_word(rng)), ""
    bare = _ARTICLE.sub("", thing)
    frames = _ASK
    if state.last_kind == "colours" and rng.random() < _AND_SHARE:
        frames = _AND
    elif rng.random() < _IS_IT_SHARE:
        frames = _IS_IT
    named, other = rng.sample(sorted({colour, *names.COLOURS} - {""}), 2)
    if colour and rng.random() < 0.5:
        named = colour
    text = frames.pick(rng, split).format(
        thing=thing, Thing=capitalized(thing), bare=bare, colour=named, other=other
    )
    if not colour:
        said = as_typed(user := typed(rng, text, protected=[bare]), bare)
        article = "an" if said[0] in "aeiou" else "a"
        answer = f"I don't know the colour of {article} {said}."
        return Turn("colours", user, answer, ("I don't know",))
    user = typed(rng, text, protected=[bare])
    return Turn("colours", user, said_of(thing), (f"is {colour}",))
