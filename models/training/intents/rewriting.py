"""Saying something again: as it was, in one sentence, in upper case, or what the user gives."""

import random
import re
from functools import cache

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.intents.circumstances import circumstance
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, capitalized, typed

_REPEAT = Wordings(
    "Say that again.",
    "[Please|Can you|Could you|Would you] [say that again|repeat that|repeat what you said].",
    "[Please|Can you|Could you|Would you] [repeat your answer|repeat yourself|repeat it|repeat].",
    "[Please|Can you|Could you] [say|tell me|write|give me] [it|that|your answer] [again|once more|"
    "one more time][, please|].",
    "[Repeat|Repeat that|Repeat it|Repeat your last answer|Repeat the last answer|Once more|Again|"
    "One more time|Repeat yourself|Repeat please][, please| please| for me|].",
    "[Repeat|Say|Tell me|Write|Give me] [it|that|your answer|the answer|the same] [again|once "
    "more|one more time].",
    "[Repeat|Say again|Tell me again|Write again] [what you said|what you wrote|what you just "
    "said|what you told me|everything you said|your words].",
    "[What did you say|What was that|Pardon|Sorry, what did you say|Come again|Excuse me]?",
    "[Pardon me|Come again|Say again|What was that again|Beg your pardon][?|, please?]",
    "I [did not hear|didn't catch|missed|did not get|didn't hear] [that|it][, again please|].",
    "[I was not listening|I wasn't listening|I was distracted|I lost it][, again please|, say it "
    "again|, repeat that|. Once more|, please repeat].",
    "[What did you just say|What was your last answer|What was the answer again]?",
    "[What was|What were] your [last words|answer|reply|last message] [again|exactly|just now]?",
    "[Word for word|Exactly the same|The same|The whole thing|The whole answer|The full answer|"
    "All of it|Everything] [again|once more|one more time][, please|].",
    "[I need to hear|I want to hear|Let me hear|Let me read|I want to read|I'd like to see] that "
    "[again|once more|one more time].",
    "[Copy|Repeat|Quote|Show me|Print|Write] your last [message|answer|reply|text][ word for word|"
    " exactly| again| once more|][, please|].",
    "[Can you|Could you|Please] [quote|copy|repeat|show|print] [your last|the last|your] [message|"
    "answer|reply].",
    "[Say|Repeat|Write] [exactly|word for word] what you [said|wrote|told me][ before|].",
    "[Say|Write|Repeat] the same [thing|words|text|answer] [again|once more].",
)
_SHORTEN = Wordings(
    "Say that in one sentence.",
    "[Please|Can you|Could you] [say that|put that|sum that up|say it|repeat it] in one sentence.",
    "[Shorter|Make it shorter|In one sentence|In short|Shorten that|Sum it up][, please|].",
    "[Make|Can you make|Could you make] [that|it|the answer] [shorter|one sentence|more brief].",
    "[Summarize|Summarise|Shorten] [that|it|your answer|the answer][ in one sentence|].",
    "[Can you|Could you|Please] [summarize|summarise|shorten] [that|it|your answer|the answer].",
    "[Say that again|Repeat that|Tell me that again|Say it again|Again|Once more] in one sentence.",
    "[Say that again|Again|Once more|The same|Repeat that][,|] but [shorter|in short|brief|in one "
    "sentence].",
    "[Say|Tell me|Write|Repeat] [that|it|the same] [briefly|in brief|in short|in a nutshell].",
    "[Too long|That was too long|That's too long|Too many words][, shorter please|. Shorter.|].",
    "[The short version|A short version|TLDR|tl;dr|Just the gist|Only the main point][, please|].",
    "[Just|Only] [one sentence|the first sentence|the main point|the gist][, please|].",
    "[Give me|Tell me|I want|I need] [the short version|a summary|one sentence|the gist|it in "
    "short|a shorter answer].",
    "[Boil it down|Cut it down|Condense that|Reduce it|Bring it down] to one sentence.",
    "[In|With|Using] [fewer words|one sentence|a single sentence|one short sentence][, please|].",
    "[Would you mind|Could you try|How about|Do you mind] [summing that up|putting that|saying "
    "that|writing it] in [a single|one] sentence[ for my notes| for my slides|]?",
)
_UPPER = Wordings(
    "Say that in upper case.",
    "[Say that again|Repeat that|Write that|Say that|Say it|Put that] in [upper case|capitals|"
    "caps|all caps|capital letters].",
    "[Repeat|Write|Say] [it|that|your answer] in [uppercase|all caps|capital letters|big letters].",
    "[Please|Can you|Could you] [say|write|repeat|put|turn] [that|it|your answer] in [upper case|"
    "capital letters|all caps|capitals|uppercase|big letters]?",
    "[In upper case|In capitals|All caps|In capital letters|Uppercase|In uppercase|Upper case|"
    "Capital letters|In all caps][, please|].",
    "[Shout|Shout it|Shout that|Yell it|Louder|Make it loud|Shout your answer][, please|].",
    "[The same|Again|Once more|And now|Now] in [upper case|capitals|all caps|capital letters|"
    "uppercase|big letters].",
    "[Make|Turn|Convert|Change] [that|it|your answer] [upper case|into capitals|to uppercase|all "
    "caps|to all caps|into upper case|into capital letters].",
    "[Only|Use only|With] [capitals|capital letters|upper case letters|big letters][, please|].",
    "[all in|everything in|that in|same in|again in|now in] [caps|capitals|upper case|capital "
    "letters|big letters][ pls| please|][.|]",
)
_ECHO = Wordings(
    "Repeat after me: {text}",
    "[Say|Repeat|Please say|Write|Please repeat|Type][:|] {text}",
    "[Say|Repeat|Echo] [this|these words|the following|what I write]: {text}",
    "[Can you|Could you] [say|repeat]: {text}",
    '[Say|Repeat|Write|Echo|Please say|Repeat after me:|Can you say] "{text}"',
    "[Repeat after me|Say after me|Repeat these words|Echo|Say|Type this|Just say][,| -|] {text}",
    "[Say|Repeat|Write] [exactly|just|only|word for word][:|] {text}",
)
_ECHO_UPPER = Wordings(
    "Say in upper case: {text}",
    "[Write|Say|Put|Repeat] [this|the following] in [upper case|capitals|all caps|caps]: {text}",
    "[Shout|Upper case|In capitals|Uppercase]: {text}",
    "[Write|Say|Repeat] {text} in [upper case|capitals|all caps|capital letters]",
    '[Write|Say|Repeat|Put] "{text}" in [upper case|capitals|all caps|capital letters|caps]',
    "{text}[: in capitals please|, now in upper case| in all caps please|. In capitals, please]",
)
# What is given to be said: a sentence of what the model knows, one that it has never heard, or
# some words.
_KNOWN_SHARE, _SENTENCE_SHARE = 0.2, 0.45
_NOTHING = "I have not said anything yet. What would you like to know?"
_ECHO_SHARE = 0.2
_WORD = re.compile(r"[a-zA-Z]+")
# "Say it in capitals" means the last answer.
_POINTING = {"it", "It", "that", "That", "this", "This", "them", "Them"}


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
    draw = rng.random()
    if draw < _KNOWN_SHARE:
        capitals = knowledge.capitals()
        country = rng.choice(tuple(capitals))
        of_the_world = f"The capital of {country} is {capitals[country]}."
        return rng.choice((first_sentence(rng.choice(knowledge.answers())), of_the_world))
    if draw < _KNOWN_SHARE + _SENTENCE_SHARE:
        said = circumstance(rng)
        return rng.choice((said, said.lower(), capitalized(said) + "."))
    words = [
        names.invented_word(rng) if rng.random() < 0.3 else rng.choice(_words())
        for _ in range(rng.randint(1, 7))
    ]
    given = " ".join(words)
    return given if rng.random() < 0.3 else given.lower()


@cache
def _words() -> tuple[str, ...]:
    """Ordinary words of every kind: all that the model ever says, and names of the world."""
    said = {word for text in knowledge.answers() for word in _WORD.findall(text)} - _POINTING
    capitals = knowledge.capitals()
    places = (*capitals, *capitals.values())
    listed = (*names.ANIMALS, *names.COLOURS, *names.FOODS, *names.FRUITS, *places)
    return (*sorted(said), *listed)
