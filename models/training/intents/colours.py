"""Colours of things."""

import random
import re
from functools import cache

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, as_typed, capitalized, typed
from models.training.world import table, ways

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
    "[I'm|I am|We are|My son is|My kids are] [painting|drawing|colouring in|knitting] {thing}[. "
    "What colour should it be?|, which colour?|. What color do I need?|. Which colour do I take?]",
    "[How|In which colours] is {thing} coloured?",
    "[I forgot|I need to know|Remind me] what colour {thing} is.",
    "[I forgot|Remind me of] the colour of {thing}[.|, please.]",
    *ways("colour"),
)
# Of what there can be many.
_ASK_MANY = Wordings(
    "What colour are {things}?",
    "[What|Which] [colour|color] [are|do people paint|have] {things}[?|, please?|]",
    "[The colour|Colour|The color|Color] of {things}[?|, please?|]",
    "{things}[ colour| color|: which colour|, what colour][?|]",
    "[Tell me|Do you know|Say] [what|which] colour {things} are[.|?|]",
    *ways("colours"),
)
_ARE_THEY = Wordings(
    "Are {things} {colour}?",
    "[Are|Aren't] [all |]{things} {colour}[ or {other}| or rather {other}|]?",
    "{things} are {colour}[, right?|, or not?|, aren't they?| or {other}?|, or are they {other}?]",
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
_AND_SHARE, _IS_IT_SHARE, _MANY_SHARE = 0.5, 0.12, 0.3
# A word beside a thing that leaves it the colour it has.
_USUAL = (
    *("ripe", "typical", "normal", "usual", "real", "fresh", "big", "small", "common", "ordinary"),
)
_USUAL_SHARE = 0.1
_ARTICLE = re.compile(r"^(the|an?) ")
_UNKNOWN_SHARE = 0.12
_PLURALS = {
    "cactus": "cacti",
    "goldfish": "goldfish",
    "leaf": "leaves",
    "mouse": "mice",
    "potato": "potatoes",
    "sheep": "sheep",
    "snowman": "snowmen",
    "tomato": "tomatoes",
    "tooth": "teeth",
    "wolf": "wolves",
}


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
    is_counted = bool(colour) and thing.startswith(("a ", "an "))
    frames = _frames(rng, state, as_many=is_counted and rng.random() < _MANY_SHARE)
    asked = f"{rng.choice(_USUAL)} {bare}" if is_counted and rng.random() < _USUAL_SHARE else bare
    named, other = rng.sample(sorted({colour, *names.COLOURS} - {""}), 2)
    if colour and rng.random() < 0.5:
        named = colour
    whole = thing if asked == bare else names.with_article(asked)
    slots = {"thing": whole, "Thing": capitalized(whole), "bare": asked, "things": _plural(asked)}
    text = frames.pick(rng, split).format(**slots, colour=named, other=other)
    user = typed(rng, text, protected=[bare])
    if not colour:
        said = names.with_article(as_typed(user, bare))
        return Turn("colours", user, f"I don't know the colour of {said}.", ("I don't know",))
    return Turn("colours", user, said_of(thing), (f"is {colour}",))


def _frames(rng: random.Random, state: State, *, as_many: bool) -> Wordings:
    if rng.random() < _IS_IT_SHARE:
        return _ARE_THEY if as_many else _IS_IT
    if state.last_kind == "colours" and rng.random() < _AND_SHARE:
        return _AND
    return _ASK_MANY if as_many else _ASK


def _plural(noun: str) -> str:
    """Of the things in the list: `cherry` gives `cherries`, `wolf` gives `wolves`."""
    *before, last = noun.split(" ")
    if last in _PLURALS:
        return " ".join((*before, _PLURALS[last]))
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("ch", "sh", "x", "s")) else "s")
