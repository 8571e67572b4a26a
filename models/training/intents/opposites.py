"""Opposites of words."""

import random
from functools import cache

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, capitalized, typed
from models.training.world import table, ways

_ASK = Wordings(
    "What is the opposite of {word}?",
    "[What's|Whats|Tell me|Name|Give me|Do you know] the [opposite|contrary] of {word}[?|]",
    "[The opposite of|Opposite of|opposite:|Opposite word for|The contrary of] {word}[?|]",
    "[What|Which word] is [the contrary|the reverse|an antonym|the antonym] of {word}?",
    "[Antonym|An antonym|The antonym] [of|for] {word}[?|, please|]",
    "[Which|What] word [means the opposite of|is opposite to|is the opposite of] {word}?",
    "{word} [is the opposite of what|and its opposite|and the opposite|has which opposite]?",
    "{word} [opposite|antonym|opposite word|reversed][?||, please]",
    "[Not|If not|If it is not|When something is not|What is it if it is not] {word}[, then what|, "
    "but what|, what is it|: what]?",
    "[Not|It is not|Isn't] {word} but [what|which word|the opposite, so what]?",
    "[opposite|the opposite|antonym|contrary][:| -| to| for] {word}[?|]",
    "[What do you call|What is] something that is not {word}?",
    "[I need|I am looking for|Help me find] [the opposite of|an antonym of|a word opposite to] "
    "{word}.",
    "[Can you|Could you] [tell me|name|give me|say] the [opposite|contrary|reverse] of {word}?",
    "[If something is|When it is] the [opposite|contrary|reverse] of {word}, what is it?",
    "[And|So|Now|Then] the opposite of {word}[?|, please?]",
    "[What is|Give me|Name|I need] [the|an] [opposite|antonym|contrary] of '{word}'[?|, please.|]",
    '[What is|Give me] the [opposite|antonym|contrary] of "{word}"[?|, please.|]',
    "[Opposit|Oposite|the opposit|antonim] of {word}[?|]",
    "[My teacher|My son|My crossword|Our homework] [wants|asks for|needs] the opposite of {word}"
    "[, can you help me?|, help|. What is it?|, please.|]",
    "[What is|Whats|Tell me] the other way round of {word}[?|]",
    "{word} and then the opposite[?|, please?| of it?]",
    *ways("opposite"),
)
# After an opposite, the next word alone will do.
_AND = Wordings(
    "And of {word}?",
    "[And|What about|How about|And of|Now|And the one of|And for] {word}[?|]",
)
_AND_SHARE = 0.5
_UNKNOWN_SHARE = 0.12


@cache
def opposites() -> dict[str, str]:
    """Word to opposite, both ways; the first pair of a word counts."""
    found: dict[str, str] = {}
    for pair in str(table("opposites")["pairs"]).split(","):
        one, other = pair.split()
        found.setdefault(one, other)
        found.setdefault(other, one)
    return found


@cache
def _words() -> tuple[str, ...]:
    return tuple(opposites())


def said_of(word: str) -> str:
    return f"The opposite of {word} is {opposites()[word]}."


def opposite(rng: random.Random, state: State, split: Split) -> Turn:
    known = rng.random() >= _UNKNOWN_SHARE
    word = rng.choice(_words()) if known else names.invented_word(rng)
    goes_on = state.last_kind == "opposites" and rng.random() < _AND_SHARE
    text = (_AND if goes_on else _ASK).pick(rng, split).format(word=word)
    text = capitalized(text)
    if not known:
        answer = f"I don't know the opposite of {word}."
        user = typed(rng, text, protected=[word, capitalized(word)])
        return Turn("opposites", user, answer, ("I don't know",))
    user = typed(rng, text, protected=[word])
    return Turn("opposites", user, said_of(word), (opposites()[word],))
