"""Asking on in a word or two: "Why?", "And when?", "Tell me more.", "For example?"."""

import random
from functools import cache

from models.training import knowledge
from models.training.intents.base import State, Turn
from models.training.intents.inference import NOTHING_MORE, whens_of, whys_of
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, typed

_WHY = Wordings(
    "Why?",
    "[And|But|So|OK, but|Yes, but|Hm,] why[?| is that?| so?| exactly?]",
    "Why [so|is that|is it so|exactly|actually|though|is that so|does it]?",
    "[How come|For what reason|What for|Because of what|What is the reason|What's the reason]?",
    "[Explain|Tell me|Say] why[.|, please.]",
    "[And |But |So |OK, |]why [does it matter|does that matter|is it important|is that important|"
    "should I care|do people care|would I care|is it worth knowing]?",
)
_WHEN = Wordings(
    "When?",
    "[And|But|So|OK, but|OK, and] when[?| exactly?| then?]",
    "When [exactly|then|is that|would that be|is it so|do I do that]?",
    "[In which case|In what case|Under which conditions|In which situation|For whom]?",
    "[Tell me|Explain|Say] when[.|, please.]",
)
_MORE = Wordings(
    "Tell me more.",
    "[Tell me|Say|Give me|I want to know|I'd like to know|Let me hear] more[ about it| about that|"
    " details| of it|][.|, please.|]",
    "[Go on|Continue|More|Keep going|Elaborate|More details|More about it|Go deeper][.|, please.|]",
    "[Can you|Could you|Please] [go on|elaborate|say more|tell me more][ about that| about it|]?",
    "[Anything else|What else|And what else|Is there more][ about it| to know| to say|]?",
    "[And then|So|And|OK, and]?",
)
_EXAMPLE = Wordings(
    "Give me an example.",
    "[For example|An example|Example|Such as|Like what|For instance][?|, please?]",
    "[Can you|Could you|Please] [give me|give|show me|tell me] [an example|one example]?",
    "[Give|Show|Tell] me [an example|one example|some example][ of that| of it| for it|].",
    "[Do you have|Is there|I need|What is|What would be] an example[ of that| for that|]?",
)
_NO_EXAMPLE = "I have no example of that. Ask me why it matters, or when to use it."
_KINDS = ("why", "when", "more", "example")
_WEIGHTS = (4, 2, 3, 1)
# What nothing is known of is asked for less often, or that nothing is known is the safe guess.
_UNKNOWN_FACTOR = 0.2


def follow_up(rng: random.Random, state: State, split: Split) -> Turn:
    said = first_sentence(state.last_answer or "")
    factors = [1.0 if said in _known(kind) else _UNKNOWN_FACTOR for kind in _KINDS]
    kind = rng.choices(_KINDS, [w * f for w, f in zip(_WEIGHTS, factors, strict=True)])[0]
    frames = {"why": _WHY, "when": _WHEN, "more": _MORE, "example": _EXAMPLE}[kind]
    answer = _known(kind).get(said, NOTHING_MORE) if kind != "example" else _NO_EXAMPLE
    keys = (first_sentence(answer).rstrip("."),)
    text = typed(rng, frames.pick(rng, split), polite=False)
    return Turn("follow-ups", text, first_sentence(answer) if state.brief else answer, keys)


def has_more(answer: str) -> bool:
    """Whether something more is known of what this answer, whole or shortened, is about."""
    return first_sentence(answer) in _known("more")


@cache
def _known(kind: str) -> dict[str, str]:
    """What answers such a question, by the first sentence of what was said before."""
    found: dict[str, str] = {}
    for term in knowledge.terms():
        name = term.bare_name
        facts = {"why": whys_of().get(name), "when": whens_of().get(name)}
        known = {asked: fact.answer for asked, fact in facts.items() if fact}
        # More about a thing is why it matters, and then when to use it.
        chain = [term.definition, *known.values()]
        for place, before in enumerate(chain):
            after = chain[place + 1 :]
            answer = next(iter(after), None) if kind == "more" else known.get(kind)
            if answer in after:
                found.setdefault(first_sentence(before), answer)
    return found
