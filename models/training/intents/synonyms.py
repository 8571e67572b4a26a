"""The same question in other words: what a word means is learned from where another may stand."""

import random
import re
from functools import cache

from models.training import names
from models.training.world import table

_WORD_SHARE = 0.4


def with_synonyms(rng: random.Random, text: str) -> str:
    """Some of the words that others can stand for are replaced by these."""

    def replaced(found: re.Match[str]) -> str:
        if rng.random() >= _WORD_SHARE:
            return found.group()
        other = rng.choice(_synonyms()[found["word"]])
        return names.with_article(other) if found["article"] else other

    return _known().sub(replaced, text)


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    return {
        word: tuple(other.strip() for other in others.split(","))
        for word, others in table("synonyms").items()
    }


@cache
def _known() -> re.Pattern[str]:
    """Any of the words, the longer ones first; not within a name such as `single-GPU`."""
    words = sorted(_synonyms(), key=len, reverse=True)
    return re.compile(
        rf"(?<![\w-])(?P<article>an? )?(?P<word>{'|'.join(map(re.escape, words))})(?![\w-])"
    )
