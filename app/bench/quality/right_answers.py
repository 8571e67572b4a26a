"""Whether an answer holds one of those that are right. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# A number is one word, with its sign and fraction: 7 is neither in 17 nor in 7.5 or -7.
_NUMBER = r"(?:(?<![\w.)])-)?\d+(?:,\d{3})*(?:\.\d+)?"
_WORD = re.compile(rf"{_NUMBER}|[^\W\d_]+|\d+")


def is_right(answer: str, accepted: Sequence[str]) -> bool:
    """One of the accepted answers stands in it, as whole words in a row, whatever the case and the
    marks between them; numbers exactly."""
    said = _words(answer)
    return any(_stands_in(said, _words(one)) for one in accepted)


def _stands_in(said: Sequence[str], wanted: Sequence[str]) -> bool:
    length = len(wanted)
    starts = range(len(said) - length + 1)
    return bool(wanted) and any(said[at : at + length] == wanted for at in starts)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").casefold()
    return [_plain_number(word) for word in _WORD.findall(plain)]


def _plain_number(word: str) -> str:
    if not word[-1].isdigit():
        return word
    whole, _, fraction = word.replace(",", "").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
