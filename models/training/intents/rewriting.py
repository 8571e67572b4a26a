"""Saying the last answer again: as it was, in one sentence, in upper case."""

import random

from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, typed
from models.training.world import ways

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
    *ways("repeat"),
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
    *ways("shorten"),
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
    *ways("upper"),
)
_NOTHING = "I have not said anything yet. What would you like to know?"


def _nothing_yet(text: str) -> Turn:
    return Turn("nothing to repeat", text, _NOTHING, ("not said anything",))


def repeat(rng: random.Random, state: State, split: Split) -> Turn:
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
    text = typed(rng, _UPPER.pick(rng, split))
    if state.last_answer is None:
        return _nothing_yet(text)
    # Long answers in capitals are many rare tokens: one sentence shows it as well.
    answer = first_sentence(state.last_answer).upper()
    return Turn("upper case", text, answer, (answer,))
