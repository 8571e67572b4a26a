"""The text that is scored: the bundled one or the user's, in pieces that are independent enough."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backends.errors import DynoError
from backends.request import Message

MAX_CHARS = 200_000
# Shorter paragraphs go with the next: a heading says little by itself. Longer ones are cut between
# words: a piece should fit the context of any model.
LEAST_CHARS, MOST_CHARS = 200, 1_500
_HELD_OUT = Path(__file__).with_name("held_out.jsonl")
_MESSAGES = TypeAdapter(tuple[Message, ...])


class QualityTextInvalid(DynoError):
    """The text that quality is to be measured on cannot be read, or is none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that is scored: as the answer to `after`, or as it stands."""

    text: str
    after: tuple[Message, ...] = ()


def quality_pieces(path: str = "") -> tuple[Piece, ...]:
    """The pieces of a file; of the bundled held-out dialogues where none is named.

    `.jsonl`: dialogues, `{"messages": [...]}` in each line, whose last answer is scored. Any other
    is plain text, in pieces between empty lines. Raises `QualityTextInvalid`.
    """
    file = Path(path).expanduser() if path else _HELD_OUT
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise QualityTextInvalid(
            f"The text {path} cannot be read ({error.strerror or error}).",
            "Name a file that exists, or leave quality_text empty for the bundled text.",
        ) from error
    except UnicodeDecodeError as error:
        raise QualityTextInvalid(
            f"The text {path} is not UTF-8 (byte {error.start + 1}).", "Save it as UTF-8."
        ) from error
    if len(text) > MAX_CHARS:
        raise QualityTextInvalid(
            f"The text {path} has {len(text):,} characters; at most {MAX_CHARS:,} are scored.",
            "Take a part of it: some thousand words settle most differences.",
        )
    is_dialogues = file.suffix.lower() == ".jsonl"
    pieces = tuple(_dialogues(text, path) if is_dialogues else _plain(text))
    if not pieces:
        raise QualityTextInvalid(f"The text {path} is empty.", "Put some text into it.")
    return pieces


def _dialogues(text: str, path: str) -> Iterator[Piece]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            messages = _MESSAGES.validate_python(json.loads(line)["messages"])
        except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
            raise _no_dialogue(path, number) from error
        if len(messages) < 2 or messages[-1].role != "assistant":
            raise _no_dialogue(path, number)
        yield Piece(messages[-1].content, messages[:-1])


def _no_dialogue(path: str, number: int) -> QualityTextInvalid:
    return QualityTextInvalid(
        f"Line {number} of {path} is no dialogue that ends with an answer.",
        'Write {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", …}]}.',
    )


def _plain(text: str) -> Iterator[Piece]:
    gathered = ""
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        gathered = f"{gathered}\n\n{paragraph}".strip()
        while len(gathered) > MOST_CHARS:
            at = gathered.rfind(" ", MOST_CHARS // 2, MOST_CHARS)
            at = at if at > 0 else MOST_CHARS
            yield Piece(gathered[:at])
            gathered = gathered[at:].strip()
        if len(gathered) >= LEAST_CHARS:
            yield Piece(gathered)
            gathered = ""
    if gathered:
        yield Piece(gathered)
