"""Greetings, thanks, goodbyes, feelings, jokes, and what the model is."""

import random
from dataclasses import dataclass
from functools import cache

from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, typed
from models.training.world import table

_WHO = Wordings(
    "Who are you?",
    "[What is|What's|Tell me|Whats|Say] your name[?| again?|, please?|]",
    "[And who|So who|Hi, who|Hello, who|Who exactly|But who] are you?",
    "[Please introduce|Introduce|Can you introduce|Present] yourself[.|, please.|]",
    "[What should I call you|How should I call you|Do you have a name|What are you called]?",
    "[Who am I talking to|Who is this|Who is there|Who's there|Who am I chatting with]?",
    "[How|What] [shall|can|may|do] I call you?",
    "[May I|Can I|Could I] [ask|know|have] your name?",
    "[Which|What] name [do you have|do you go by|were you given|do you use]?",
    "[Your name|Name|Your name please|And you are|And your name]?",
    "[I am|I'm] talking to [whom|who]?",
    "[Do you know|Remember|Say] [your name|who you are|what you are called][?|.|]",
    "[And you|What about you], [who are you|what's your name]?",
)


@dataclass(frozen=True)
class _Kind:
    """A kind of talk: how it is said, and the answers, of which one is drawn."""

    frames: Wordings
    answers: tuple[str, ...]
    weight: float


@cache
def _kinds() -> tuple[_Kind, ...]:
    return tuple(
        _Kind(Wordings(*kind["wordings"]), tuple(kind["answers"]), kind.get("weight", 1.0))
        for kind in table("smalltalk").values()
    )


def small_talk(rng: random.Random, state: State, split: Split) -> Turn:
    kind = rng.choices(_kinds(), [kind.weight for kind in _kinds()])[0]
    answer = rng.choice(kind.answers)
    is_joke = len(kind.answers) > 1
    said = first_sentence(answer) if state.brief and not is_joke else answer
    text = typed(rng, kind.frames.pick(rng, split), polite=False)
    return Turn("jokes" if is_joke else "small talk", text, said, (_key(kind.answers),))


def _key(answers: tuple[str, ...]) -> str:
    """What every right answer holds: its first sentence, or the first word of all jokes."""
    answer = first_sentence(answers[0]).rstrip(".!?")
    return answer if len(answers) == 1 else answer.split()[0]


def who_are_you(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _WHO.pick(rng, split))
    answer = f"I am {state.assistant_name}, a very small language model."
    if not state.brief:
        answer += " I can talk about LLM inference, capitals and short stories."
    return Turn("who are you", text, answer, (f"I am {state.assistant_name}",))
