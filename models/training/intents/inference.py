"""LLM inference: definitions, whys, whens and comparisons."""

import random
import re
from collections.abc import Sequence
from functools import cache

from models.training import knowledge, names, world
from models.training.intents import inference_wordings as wordings
from models.training.intents.base import State, Turn
from models.training.knowledge import Comparison, Term, When, Why, first_sentence, without_article
from models.training.wording import Split, Wordings, capitalized, expand, typed

_FOLLOW_UP_SHARE = 0.6
_OWN_WORDINGS_SHARE = 0.5
_PURPOSE_SHARE = 0.15
# Of what has no answer of its own to "when", as people ask it of anything.
_WORTH_SHARE = 0.06
_LETTERS_DIGITS = re.compile(r"([A-Za-z]+)(\d+)")


def _called(rng: random.Random, names: Sequence[str]) -> str:
    """One of the names, as people write it: with or without article and hyphens."""
    full = rng.choice((names[0], *names))
    bare = without_article(full)
    article = full[: len(full) - len(bare)]
    draw = rng.random()
    if draw < 0.25:
        article = ""
    elif draw < 0.30:
        article = "the "
    draw = rng.random()
    if draw < 0.06:
        bare = bare.replace("-", " ")
    elif draw < 0.10:
        bare = bare.replace(" ", "-")
    elif draw < 0.13:
        bare = bare.replace("-", "").replace(" ", "") if len(bare) < 20 else bare
    elif draw < 0.19 and (parts := _LETTERS_DIGITS.fullmatch(bare)):
        bare = rng.choice((" ", "-")).join(parts.groups())
    return article + bare


def _turn(
    rng: random.Random,
    state: State,
    split: Split,
    kind: str,
    question: str,
    answer: str,
    keys: tuple[str, ...] = (),
) -> Turn:
    """The question as asked, sometimes with its context, and the answer as long as is wanted."""
    brief = state.brief
    draw = rng.random()
    if draw < 0.2:
        frame = wordings.CONTEXT if draw < 0.14 else wordings.ONE_SENTENCE
        brief = brief or frame is wordings.ONE_SENTENCE
        question = frame.pick(rng, split).format(
            question=question, inner=_lowered(question), bare=question.rstrip("?.!")
        )
    said = first_sentence(answer) if brief else answer
    keys = keys or (first_sentence(answer).rstrip("."),)
    return Turn(kind, typed(rng, question, polite=draw >= 0.2), said, keys)


def _lowered(question: str) -> str:
    """The question as it goes on after a comma: `TTFT meaning` and `I wonder` stay as they are."""
    keeps = question[:2].isupper() or question.startswith(("I ", "I'"))
    return question if keeps else question[:1].lower() + question[1:]


@cache
def _own_wordings(patterns: tuple[str, ...]) -> Wordings:
    return Wordings(expand(patterns[0])[0], *patterns)


def _asked_in_its_own_way(
    rng: random.Random, patterns: tuple[str, ...], split: Split, share: float
) -> str | None:
    """A wording that only this fact has, where there is one; the others are frames for all."""
    if patterns and rng.random() < share:
        own = _own_wordings(patterns)
        if own.all(split):
            return own.pick(rng, split)
    return None


@cache
def whys_of() -> dict[str, Why]:
    return {topic: fact for fact in knowledge.whys() for topic in fact.topics}


@cache
def whens_of() -> dict[str, When]:
    return {fact.topic: fact for fact in knowledge.whens() if fact.names}


@cache
def _comparisons_of() -> dict[str, list[tuple[Comparison, tuple[str, ...]]]]:
    """A term's comparisons, each with the names of the other side."""
    found: dict[str, list[tuple[Comparison, tuple[str, ...]]]] = {}
    for fact in knowledge.comparisons():
        for side, other in (fact.pair, fact.pair[::-1]):
            found.setdefault(without_article(side[0]), []).append((fact, other))
    return found


def _just_defined(rng: random.Random, state: State) -> str | None:
    """The term that "it" means now, if the last answer was its definition and "it" is said."""
    if state.last_answer is None or rng.random() >= _FOLLOW_UP_SHARE:
        return None
    term = knowledge.defined_in(state.last_answer)
    return term.bare_name if term else None


def define(rng: random.Random, state: State, split: Split) -> Turn:
    term: Term = rng.choice(knowledge.terms())
    name = _called(rng, term.names)
    frames = wordings.DEFINE
    if term.bare_name not in whys_of() and rng.random() < _PURPOSE_SHARE:
        frames = wordings.PURPOSE
    elif term.bare_name not in whens_of() and rng.random() < _WORTH_SHARE:
        frames = wordings.WHEN
    slots = {"term": name, "thing": name, "Term": capitalized(name), "Thing": capitalized(name)}
    question = frames.pick(rng, split).format(**slots)
    return _turn(rng, state, split, "terms", question, term.definition, term.idea)


def why(rng: random.Random, state: State, split: Split) -> Turn:
    if fact := whys_of().get(_just_defined(rng, state) or ""):
        return _turn(
            rng, state, split, "whys", wordings.PURPOSE_OF_IT.pick(rng, split), fact.answer
        )
    fact = rng.choice(knowledge.whys())
    question = _asked_in_its_own_way(rng, fact.also, split, _OWN_WORDINGS_SHARE)
    if question is None and fact.topics and rng.random() < 2 * _PURPOSE_SHARE:
        name = _called(rng, knowledge.term(rng.choice(fact.topics)).names)
        question = wordings.PURPOSE.pick(rng, split).format(term=name)
    if question is None:
        clause = rng.choice(_choices(fact.clause))
        question = wordings.WHY.pick(rng, split).format(
            question=rng.choice(_choices(fact.question)), clause=clause, Clause=capitalized(clause)
        )
    return _turn(rng, state, split, "whys", question, fact.answer)


def when(rng: random.Random, state: State, split: Split) -> Turn:
    if fact := whens_of().get(_just_defined(rng, state) or ""):
        return _turn(rng, state, split, "whens", wordings.WHEN_IT.pick(rng, split), fact.answer)
    fact = rng.choice(knowledge.whens())
    share = _OWN_WORDINGS_SHARE / 2 if fact.names else 1.0
    question = _asked_in_its_own_way(rng, fact.also, split, share)
    if question is None and not fact.names:
        question = rng.choice(_choices(fact.also[0]))
    if question is None:
        name = _called(rng, fact.names)
        question = wordings.WHEN.pick(rng, split).format(thing=name, Thing=capitalized(name))
    return _turn(rng, state, split, "whens", question, fact.answer)


def compare(rng: random.Random, state: State, split: Split) -> Turn:
    if known := _comparisons_of().get(_just_defined(rng, state) or ""):
        fact, other = rng.choice(known)
        question = wordings.COMPARE_IT.pick(rng, split).format(b=_called(rng, other))
    else:
        fact = rng.choice(knowledge.comparisons())
        a, b = (_called(rng, side) for side in rng.sample(fact.pair, 2))
        question = wordings.COMPARE.pick(rng, split).format(a=a, b=b, A=capitalized(a))
    return _turn(rng, state, split, "comparisons", question, fact.answer)


def compare_any(rng: random.Random, state: State, split: Split) -> Turn:
    """Two terms of which no comparison is known: what each of them is."""
    one, other = rng.sample(knowledge.terms(), 2)
    while frozenset((one.bare_name, other.bare_name)) in _compared() or (
        one.definition[0].islower() and other.definition[0].islower()
    ):
        one, other = rng.sample(knowledge.terms(), 2)
    a, b = (_called(rng, term.names) for term in (one, other))
    question = wordings.COMPARE.pick(rng, split).format(a=a, b=b, A=capitalized(a))
    # A sentence that begins with a small letter, as that of vLLM, would not be seen as the second.
    said = sorted((one, other), key=lambda term: not term.definition[0].islower())
    first, second = (first_sentence(term.definition) for term in said)
    return _turn(rng, state, split, "any two", question, f"{first} {second}", said[0].idea)


def compare_with_unknown(rng: random.Random, state: State, split: Split) -> Turn:
    """A term beside something that is none: what the term is, and that the other is not known."""
    term = rng.choice(knowledge.terms())
    unknown = rng.choice(_others()) if rng.random() < 0.5 else names.invented_word(rng)
    a, b = rng.sample((_called(rng, term.names), unknown), 2)
    question = wordings.COMPARE.pick(rng, split).format(a=a, b=b, A=capitalized(a))
    answer = f"{first_sentence(term.definition)} I don't know the other one."
    return _turn(rng, state, split, "any two", question, answer, term.idea)


@cache
def _others() -> tuple[str, ...]:
    """What is compared and is not a term of inference."""
    table = world.table("off_topic")
    inventories = (table["software"], table["brands"], table["sciences"])
    return tuple(thing.strip() for things in inventories for thing in str(things).split(","))


@cache
def _compared() -> frozenset[frozenset[str]]:
    """Pairs of terms that a comparison may be of, by any of the names in it."""
    owners = {
        without_article(name).lower(): term.bare_name
        for term in knowledge.terms()
        for name in term.names
    }
    return frozenset(
        frozenset((owners.get(without_article(a).lower(), ""), owners.get(name, "")))
        for fact in knowledge.comparisons()
        for a in fact.pair[0]
        for name in (without_article(b).lower() for b in fact.pair[1])
    )


@cache
def _choices(pattern: str) -> list[str]:
    return expand(pattern)
