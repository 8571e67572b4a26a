"""The other way round: the thing is described, and asked is what it is called. The answer is the
term's definition."""

import random
import re
from dataclasses import dataclass
from functools import cache

from models.training import knowledge
from models.training.intents.base import State, Turn
from models.training.knowledge import Term, first_sentence
from models.training.wording import Split, Wordings, capitalized, typed
from models.training.world import ways

_THING = Wordings(
    "What do you call {said}?",
    "[What do you call|What do people call|What is the name for|What's the word for|How do you "
    "call|Is there a name for|Which term means|What is the term for|The word for|Name of] {said}"
    "[?|]",
    "{Said}[, what is it called?|, how is that called?|: what's the name for that?|, is there a "
    "word for it?| is called what?]",
    "[I forgot|I am looking for|What was] [the word|the name|the term] for {said}[.|?]",
    *ways("described"),
)
_DOING = Wordings(
    "What {said}?",
    "[What|Which technique|Which method|Which thing|Who or what] {said}?",
    "[What is the name of|What do you call|How do you call|Is there a name for] [the thing|what|"
    "something] that {said}?",
    "[I forgot|I am looking for|What was|Tell me] the name of the thing that {said}[.|?]",
)
_CASE = Wordings(
    "What is it called when {said}?",
    "[What is it called|What do you call it|How is it called|Is there a name for it|What's the "
    "word] when {said}?",
    "{Said}[, is there a name for that?|: what is that called?|, how do you call that?]",
)
_FRAMES = {"thing": _THING, "doing": _DOING, "case": _CASE}
_AFTERWARDS = re.compile(
    r"(,? so that|, so |, which |: |, for example|, often|, such as|, mostly|, many times|, until "
    r"|, also).*"
)
_LONG_FORM = re.compile(r"^, [^,]+,")
_IS = re.compile(r"^(is|are) ")
_MEANS = re.compile(r"^means that ")


@dataclass(frozen=True)
class _Described:
    term: Term
    kind: str
    said: str


def term_for(rng: random.Random, state: State, split: Split) -> Turn:
    thing = rng.choice(_described())
    text = _FRAMES[thing.kind].pick(rng, split)
    text = capitalized(text.format(said=thing.said, Said=capitalized(thing.said)))
    answer = thing.term.definition
    keys = thing.term.idea or (first_sentence(answer).rstrip("."),)
    return Turn("described terms", typed(rng, text), _as_wanted(answer, state), keys)


def _as_wanted(answer: str, state: State) -> str:
    return first_sentence(answer) if state.brief else answer


@cache
def _described() -> tuple[_Described, ...]:
    return tuple(found for term in knowledge.terms() if (found := _description(term)))


def _description(term: Term) -> _Described | None:
    """What the first sentence of the definition says of the term, without the term."""
    first = first_sentence(term.definition).rstrip(".")
    names = (f"{article}{name}" for name in term.names for article in ("", "the ", "a ", "an "))
    named = max((n for n in names if first.lower().startswith(n.lower())), key=len, default=None)
    if named is None:
        return None
    said = _AFTERWARDS.sub("", _LONG_FORM.sub("", first[len(named) :]).strip())
    if _IS.match(said):
        return _Described(term, "thing", _IS.sub("", said))
    if _MEANS.match(said):
        return _Described(term, "case", _MEANS.sub("", said))
    return _Described(term, "doing", said)
