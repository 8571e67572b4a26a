"""Whether a name is recalled over almost the whole context. Counted in tokens, as a length in
characters came out a seventh short."""

import random
from collections.abc import Callable, Sequence

from models.training.dialogues import Message, recall
from models.training.intents.base import State
from models.training.questions import LONG_TALK, Question, question_after
from models.training.tokenizer import CONTEXT_TOKENS
from models.training.wording import Split

TokensOf = Callable[[Sequence[Message]], int]

_BETWEEN_TOKENS = 1800
_ANSWER_TOKENS = 40
# Of talks of this length about half fit.
_TALK_CHARS = 6900


def long_talks(
    each: int, tokens_of: TokensOf, split: Split = "held_out", seed: int = 99
) -> list[Question]:
    """`each` names, asked for at least 1,800 tokens after they were last said, with room left for
    the answer in the context. `tokens_of` is how many tokens one or more messages take."""
    return [
        _long_talk(random.Random(f"{seed}:{LONG_TALK}:{number}"), tokens_of, split)
        for number in range(each)
    ]


def _long_talk(rng: random.Random, tokens_of: TokensOf, split: Split) -> Question:
    while True:
        turns = list(recall(rng, State(), split, _TALK_CHARS))
        if turns[-1].kind != "names":
            continue
        asked = question_after(LONG_TALK, turns[:-1], turns[-1])
        since = _since_told(asked)
        fits = tokens_of(asked.messages) <= CONTEXT_TOKENS - _ANSWER_TOKENS
        if fits and since and tokens_of(since) >= _BETWEEN_TOKENS:
            return asked


def _since_told(asked: Question) -> Sequence[Message]:
    """What was said between the last time that the name was and the question for it."""
    (name,) = asked.keys[0]
    said = asked.messages
    told = max(number for number, message in enumerate(said) if name in message["content"])
    return said[told + 1 : -1]
