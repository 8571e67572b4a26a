"""LLM inference: definitions, whys, whens and comparisons."""

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache

from models.training import knowledge, names, world
from models.training.intents import inference_scenes
from models.training.intents import inference_wordings as wordings
from models.training.intents.base import State, Turn
from models.training.intents.circumstances import lowered, with_circumstance
from models.training.intents.synonyms import with_synonyms
from models.training.knowledge import Comparison, Term, When, Why, first_sentence, without_article
from models.training.wording import Split, Wordings, capitalized, expand, typed, typo_share

NOTHING_MORE = "That is all I know about it. Ask me for another term, a capital or a story."
_FOLLOW_UP_SHARE = 0.6
# Most terms have no "why" or "when" of their own: their "it" would drown that of the others.
_NOTHING_MORE_SHARE = 0.25
_OWN_WORDINGS_SHARE = 0.6
_PURPOSE_SHARE = 0.2
# Of what has no answer of its own to "when", as people ask it of anything.
_WORTH_SHARE = 0.06
# Terms that are seen with a value, on a dashboard or in a setting, and such values.
_VALUES = {
    "TTFT": "300 ms, 0.5 seconds, 80 ms, 2 s",
    "TPOT": "20 ms, 50 ms, 0.1 s",
    "ITL": "15 ms, 40 ms, 0.2 seconds",
    "latency": "2 seconds, 900 ms, 4.5 s",
    "throughput": "900 tokens per second, 12 requests per second, 2000 tokens/s",
    "goodput": "8 requests per second, 3 requests/s",
    "tokens per second": "35, 120",
    "concurrency": "8, 64, 16",
    "utilization": "40%, 95 %, 0.7",
    "MBU": "60%, 0.8, 75 percent",
    "perplexity": "12, 6.5, 30, 1",
    "group size": "128, 64, 32",
    "acceptance rate": "70%, 0.8, 55 percent",
    "batch size": "1, 32, 8, 256",
    "arithmetic intensity": "1, 100, 50 FLOPs per byte",
    "p99": "2 s, 800 ms, 3 seconds",
    "p95": "1.5 s, 600 ms",
    "p50": "0.4 s, 200 ms",
    "context window": "8k, 4096, 128k tokens, 2048",
    "temperature": "0, 0.7, 1, 2",
    "top-p": "0.9, 0.95, 1",
    "top-k": "40, 50, 1",
    "seed": "42, 0, 7",
    "max tokens": "256, 100",
    "SLO": "1 second, 500 ms, 99.9%",
    "memory bandwidth": "2 TB/s, 50 GB/s",
}
_VALUE_SHARE = 0.12
# Of what is asked otherwise, how much comes with where the term was met, and how much is the term
# alone.
_SCENE_SHARE, _ALONE_SHARE = 0.2, 0.12
# What is asked in whole sentences, of which many words could be others.
_IN_OTHER_WORDS, _SYNONYMS_SHARE = ("whys", "whens"), 0.5
# Of all questions, how many stand beside something else that is said.
_CIRCUMSTANCE_SHARE = 0.15
# Much of what people type has no capitals at all, and an abbreviation looks quite different then.
_LOWER_SHARE = 0.25
_ABBREVIATION = re.compile(r"[A-Z]{2,5}")
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
    elif draw < 0.25 and _ABBREVIATION.fullmatch(bare):
        bare += "s"
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
    if split == "train" and kind in _IN_OTHER_WORDS and rng.random() < _SYNONYMS_SHARE:
        question = with_synonyms(rng, question)
    draw = rng.random()
    if draw < 0.2:
        frame = wordings.CONTEXT if draw < 0.14 else wordings.ONE_SENTENCE
        brief = brief or frame is wordings.ONE_SENTENCE
        question = frame.pick(rng, split).format(
            question=question, inner=lowered(question), bare=question.rstrip("?.!")
        )
    elif draw < 0.2 + _CIRCUMSTANCE_SHARE:
        question = with_circumstance(rng, question)
    said = first_sentence(answer) if brief else answer
    keys = keys or (first_sentence(answer).rstrip("."),)
    polite = draw >= 0.2 + _CIRCUMSTANCE_SHARE
    asked = typed(rng, question, polite=polite, typo_share=typo_share(split))
    if split == "train" and rng.random() < _LOWER_SHARE:
        asked = asked.lower()
    return Turn(kind, asked, said, keys)


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


def _it(rng: random.Random, state: State) -> str | None:
    """The term that "it" means now, if the last answer spoke of one and "it" is said."""
    if state.last_answer is None or rng.random() >= _FOLLOW_UP_SHARE:
        return None
    term = knowledge.spoken_of(state.last_answer)
    return term.bare_name if term else None


def _of_it(
    rng: random.Random, state: State, facts: Mapping[str, Why] | Mapping[str, When]
) -> str | None:
    """The answer to a question about "it", if such a question is asked now. Where nothing more is
    known of it, that is said, or something else is asked."""
    term = _it(rng, state)
    if term is None:
        return None
    fact = facts.get(term)
    if fact and first_sentence(fact.answer) != first_sentence(state.last_answer or ""):
        return fact.answer
    return NOTHING_MORE if rng.random() < _NOTHING_MORE_SHARE else None


def define(rng: random.Random, state: State, split: Split) -> Turn:
    term: Term = rng.choice(knowledge.terms())
    name = _called(rng, term.names)
    frames = wordings.DEFINE
    value = _VALUES.get(term.bare_name)
    if value and rng.random() < _VALUE_SHARE:
        frames = wordings.DEFINE_VALUE
    elif term.bare_name not in whys_of() and rng.random() < _PURPOSE_SHARE:
        frames = wordings.PURPOSE
    elif term.bare_name not in whens_of() and rng.random() < _WORTH_SHARE:
        frames = wordings.WHEN
    question = _without_a_frame(rng, split, name) if frames is wordings.DEFINE else None
    if question is None:
        slots = {"term": name, "thing": name, "Term": capitalized(name), "Thing": capitalized(name)}
        slots |= {"bare": without_article(name), "value": rng.choice((value or "").split(", "))}
        question = frames.pick(rng, split).format(**slots)
    return _turn(rng, state, split, "terms", question, term.definition, term.idea)


def _without_a_frame(rng: random.Random, split: Split, name: str) -> str | None:
    """Now and then the term is only met somewhere, or is all that is typed."""
    draw = rng.random()
    if draw < _SCENE_SHARE:
        return inference_scenes.met_somewhere(rng, split, name)
    if draw < _SCENE_SHARE + _ALONE_SHARE:
        return inference_scenes.typed_alone(rng, split, name, without_article(name))
    return None


def why(rng: random.Random, state: State, split: Split) -> Turn:
    if answer := _of_it(rng, state, whys_of()):
        return _turn(rng, state, split, "whys", wordings.PURPOSE_OF_IT.pick(rng, split), answer)
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
    if answer := _of_it(rng, state, whens_of()):
        return _turn(rng, state, split, "whens", wordings.WHEN_IT.pick(rng, split), answer)
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
    if known := _comparisons_of().get(_it(rng, state) or ""):
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
    answer, idea = _both(one, other)
    return _turn(rng, state, split, "any two", question, answer, idea)


def _both(one: Term, other: Term) -> tuple[str, tuple[str, ...]]:
    """What each of two terms is, and what the answer must hold."""
    # A sentence that begins with a small letter, as that of vLLM, would not be seen as the second.
    said = sorted((one, other), key=lambda term: not term.definition[0].islower())
    first, second = (first_sentence(term.definition) for term in said)
    return f"{first} {second}", said[0].idea


def compare_with_unknown(rng: random.Random, state: State, split: Split) -> Turn:
    """A term beside something that is none: what the term is, and that the other is not known."""
    term = rng.choice(knowledge.terms())
    unknown = rng.choice(_others()) if rng.random() < 0.5 else names.invented_word(rng)
    a, b = rng.sample((_called(rng, term.names), unknown), 2)
    question = wordings.COMPARE.pick(rng, split).format(a=a, b=b, A=capitalized(a))
    answer = f"{first_sentence(term.definition)} I don't know the other one."
    return _turn(rng, state, split, "any two", question, answer, term.idea)


def last_two(state: State) -> tuple[Term, Term] | None:
    """The terms that the last two answers spoke of, if they are two."""
    earlier, last = (
        answer and knowledge.spoken_of(answer)
        for answer in (state.earlier_answer, state.last_answer)
    )
    return (earlier, last) if earlier and last and earlier != last else None


def compare_them(rng: random.Random, state: State, split: Split) -> Turn:
    """The two terms that were spoken of last."""
    terms = last_two(state)
    if terms is None:
        return compare(rng, state, split)
    question = wordings.COMPARE_THEM.pick(rng, split)
    known = _comparisons_of().get(terms[1].bare_name, ())
    for fact, other in known:
        if terms[0].bare_name in map(without_article, other):
            return _turn(rng, state, split, "comparisons", question, fact.answer)
    answer, idea = _both(*terms)
    return _turn(rng, state, split, "any two", question, answer, idea)


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
