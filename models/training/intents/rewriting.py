"""Saying something again: as it was, in one sentence, in upper case, or what the user gives."""

import random

from models.training import names
from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, typed

_REPEAT = Wordings(
    "Say that again.",
    "[Please|Can you|Could you|Would you] [say that again|repeat that|repeat what you said].",
    "[Please|Can you|Could you] [repeat your answer|repeat yourself|say it once more|repeat it].",
    "[Repeat|Repeat that|Repeat your last answer|Repeat the last answer|Once more|Again].",
    "[Repeat|Say|Tell me] [it|that|your answer|the answer] [again|once more|one more time].",
    "[What did you say|What was that|Pardon|Sorry, what did you say|Come again|Excuse me]?",
    "I [did not hear|didn't catch|missed|did not get|didn't hear] [that|it][, again please|].",
    "[What did you just say|What was your last answer|What was the answer again]?",
    "[Word for word|Exactly the same|The same] again[, please|].",
    "[I need to hear|I want to hear|Let me hear] that [again|once more].",
    "[Copy|Repeat|Quote] your last [message|answer|reply][ word for word| exactly|].",
)
_SHORTEN = Wordings(
    "Say that in one sentence.",
    "[Please|Can you|Could you] [say that|put that|sum that up] in one sentence.",
    "[Shorter|Make it shorter|In one sentence|In short|Shorten that|Sum it up][, please|].",
    "[Make|Can you make] [that|it|the answer] [shorter|one sentence|more brief].",
    "[Summarize|Summarise|Shorten] [that|it|your answer|the answer][ in one sentence|].",
    "[Say that again|Repeat that|Tell me that again|Say it again] in one sentence.",
    "[Say that again|Again|Once more|The same|Repeat that][,|] but [shorter|in short|brief].",
    "[Too long|That was too long|That's too long|Too many words][, shorter please|. Shorter.|].",
    "[The short version|A short version|TLDR|tl;dr|Just the gist|Only the main point][, please|].",
    "[Just|Only] one sentence[, please|].",
    "[Give me|Tell me|I want] [the short version|a summary|one sentence|the gist|it in short].",
    "[Boil it down|Cut it down|Condense that|Reduce it] to one sentence.",
)
_UPPER = Wordings(
    "Say that in upper case.",
    "[Say that again|Repeat that|Write that|Say that|Say it|Put that] in [upper case|capitals|"
    "caps].",
    "[Repeat|Write|Say] [it|that|your answer] in [uppercase|all caps|capital letters|big letters].",
    "[Please|Can you|Could you] [say|write|repeat] that in [upper case|capital letters|all caps]?",
    "[In upper case|In capitals|All caps|In capital letters|Uppercase|In uppercase][, please|].",
    "[Shout|Shout it|Shout that|Yell it|Louder|Make it loud|Shout your answer][, please|].",
    "[The same|Again|Once more|And now|Now] in [upper case|capitals|all caps|capital letters].",
    "[Make|Turn|Convert] [that|it|your answer] [upper case|into capitals|to uppercase|all caps].",
)
_ECHO = Wordings(
    "Repeat after me: {text}",
    "[Say|Repeat|Please say|Write|Please repeat|Type][:|] {text}",
    "[Say|Repeat|Echo] [this|these words|the following|what I write]: {text}",
    "[Can you|Could you] [say|repeat]: {text}",
)
_ECHO_UPPER = Wordings(
    "Say in upper case: {text}",
    "[Write|Say|Put|Repeat] [this|the following] in [upper case|capitals|all caps|caps]: {text}",
    "[Shout|Upper case|In capitals|Uppercase]: {text}",
    "[Write|Say|Repeat] {text} in [upper case|capitals|all caps|capital letters]",
)
_NOTHING = "I have not said anything yet. What would you like to know?"
_ECHO_SHARE = 0.15


def _nothing_yet(text: str) -> Turn:
    return Turn("nothing to repeat", text, _NOTHING, ("not said anything",))


def repeat(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < _ECHO_SHARE:
        given = _given(rng)
        return Turn("echoes", _ECHO.pick(rng, split).format(text=given), given, (given,))
    text = typed(rng, _REPEAT.pick(rng, split))
    if state.last_answer is None:
        return _nothing_yet(text)
    return Turn("repeats", text, state.last_answer, (state.last_answer,))


def shorten(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _SHORTEN.pick(rng, split))
    if state.last_answer is None:
        return _nothing_yet(text)
    answer = first_sentence(state.last_answer)
    return Turn("shortens", text, answer, (answer.rstrip(".!?"),))


def upper_case(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < _ECHO_SHARE or state.last_answer is None:
        given = _given(rng)
        text = _ECHO_UPPER.pick(rng, split).format(text=given)
        return Turn("echoes", text, given.upper(), (given,))
    # Long answers in capitals are many rare tokens: one sentence shows it as well.
    answer = first_sentence(state.last_answer).upper()
    return Turn("upper case", typed(rng, _UPPER.pick(rng, split)), answer, (answer,))


def _given(rng: random.Random) -> str:
    """A few words to say, some of them made up."""
    inventories = (names.ANIMALS, names.COLOURS, names.FOODS, names.FRUITS)
    words = [
        names.invented_word(rng) if rng.random() < 0.5 else rng.choice(rng.choice(inventories))
        for _ in range(rng.randint(1, 5))
    ]
    return " ".join(words)
