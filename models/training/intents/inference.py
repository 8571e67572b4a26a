"""LLM inference: definitions, whys and comparisons."""

import random
import re

from models.training import knowledge
from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, capitalized, typed

_DEFINE = Wordings(
    "What is {term}?",
    "What [is|are|'s] {term}?",
    "What[ exactly|] is {term}[ exactly|, in short|, in simple words|]?",
    "What is {term} [in LLM inference|in this field|for a model|for a server|used for]?",
    "[Explain|Describe] {term} [for a newcomer|as if I were new to this|with few words|quickly].",
    "[How|In what way] [does|do] {term} [help|matter|work for a model|work in general]?",
    "What's {term}[ again|]?",
    "What is {term} [about|all about|good for]?",
    "What does {term} [mean|do|stand for]?",
    "[Explain|Describe|Define] {term}[ to me| briefly| in simple words| in two sentences|].",
    "[Can|Could] you [explain|define|describe] {term}[ to me|]?",
    "[Tell|Teach] me [about|something about|what you know about] {term}.",
    "[Tell me|Explain|Do you know] what {term} [is|means].",
    "How [does|do] {term} work?",
    "[What is meant by|What do people mean by|What do you mean by|Meaning of] {term}?",
    "[I want to|I'd like to|Let me] [know|understand|learn] what {term} is.",
    "I [do not understand|don't get|have never heard of] {term}.",
    "[Give|Show] me [a definition|the definition|a short explanation] of {term}.",
    "[What about|And|Now|Next:] {term}?",
    "{Term}[?|.|, please.|, explain.|, what is that?| meaning?| definition]",
    "[Quick question: |One more: |]what is {term}?",
)
_WHY = Wordings(
    "Why {question}?",
    "[Please tell me|Tell me|Explain|Do you know|Can you explain] why {clause}.",
    "[Can|Could] you [tell me|explain|say] why {clause}?",
    "[How come|Why is it that|What is the reason that|What's the reason] {clause}?",
    "[I wonder|I want to know|I don't understand] why {clause}.",
    "[And why|But why|So why|Why exactly|Why, in short,] {question}?",
    "[Is it true that|I read that|I heard that] {clause}[. Why?|, why?|, but why?]",
)
_COMPARE = Wordings(
    "What is the difference between {a} and {b}?",
    "[What's|Explain|Tell me] the difference between {a} and {b}.",
    "[How|In what way] [do|does] {a} [and {b} differ|differ from {b}]?",
    "How is {a} different from {b}?",
    "{A} [or|vs|vs.|versus|against] {b}?",
    "[Compare|Can you compare] {a} [and|with|to] {b}.",
    "[Which is better|Which should I use|What is better], {a} or {b}?",
    "[How does|How do] {a} compare [to|with] {b}?",
)


def _without_article(name: str) -> str:
    return re.sub(r"^(the|a|an) ", "", name)


def _answer(kind: str, state: State, user: str, answer: str) -> Turn:
    said = first_sentence(answer) if state.brief else answer
    return Turn(kind, user, said, (first_sentence(answer).rstrip("."),))


def define(rng: random.Random, state: State, split: Split) -> Turn:
    term = rng.choice(knowledge.terms())
    name = rng.choice((term.names[0], *term.names))
    if rng.random() < 0.25:
        name = _without_article(name)
    wording = _DEFINE.pick(rng, split)
    text = wording.format(term=name, Term=capitalized(name))
    return _answer("terms", state, typed(rng, text), term.definition)


def why(rng: random.Random, state: State, split: Split) -> Turn:
    fact = rng.choice(knowledge.whys())
    # The last of the other ways to ask is never trained on.
    seen, unseen = (fact.also[:-1] or fact.also), fact.also[-1:]
    if split == "held_out" and len(fact.also) > 1 and rng.random() < 0.5:
        text = unseen[0]
    elif split == "train" and rng.random() < 0.4:
        text = rng.choice(seen)
    else:
        text = _WHY.pick(rng, split).format(question=fact.question, clause=fact.clause)
    return _answer("whys", state, typed(rng, text), fact.answer)


def compare(rng: random.Random, state: State, split: Split) -> Turn:
    fact = rng.choice(knowledge.comparisons())
    a, b = rng.sample(fact.pair, 2)
    if rng.random() < 0.3:
        a, b = _without_article(a), _without_article(b)
    text = _COMPARE.pick(rng, split).format(a=a, b=b, A=capitalized(a))
    return _answer("comparisons", state, typed(rng, text), fact.answer)
