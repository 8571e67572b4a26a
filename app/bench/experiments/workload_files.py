"""Reads conversations from text: a prompt a line, CSV, JSONL, ShareGPT. Pure.

Each reader yields conversations as they come, so that a file with too many ends early, and raises
`ValueError` with a phrase for what has another shape.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from backends.request import Message

_MESSAGES = TypeAdapter(tuple[Message, ...])
_ROLES = {
    **{"human": "user", "user": "user", "system": "system"},
    **{"gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant"},
}
_BETWEEN_ANSWERS = "|"


class Asked(NamedTuple):
    """A conversation up to its last question, and the answers that are right (None: not known)."""

    messages: tuple[Message, ...]
    answers: tuple[str, ...] | None = None


def lines(text: str) -> Iterator[Asked]:
    return (_alone(line) for line in text.splitlines() if line.strip())


def comma_separated(text: str) -> Iterator[Asked]:
    """A column `prompt`, and if there is one a column `answer`."""
    rows = csv.DictReader(io.StringIO(text))
    if "prompt" not in (rows.fieldnames or ()):
        raise ValueError("it has no column “prompt”")
    for row in rows:
        if (row["prompt"] or "").strip():
            yield _alone(row["prompt"], _answers(row.get("answer"), f"line {rows.line_num}"))


def json_lines(text: str) -> Iterator[Asked]:
    """Objects with `prompt` or `messages`, and perhaps an `answer`."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        one, where = _parsed(line, f"line {number}"), f"line {number}"
        answers = _answers(one.get("answer"), where) if isinstance(one, dict) else None
        if isinstance(one, dict) and isinstance(one.get("prompt"), str):
            yield _alone(one["prompt"], answers)
        elif isinstance(one, dict) and "messages" in one:
            yield Asked(_spoken(_MESSAGES.validate_python(one["messages"]), where), answers)
        else:
            raise ValueError(f"{where} has neither “prompt” nor “messages”")


def sharegpt(text: str) -> Iterator[Asked]:
    """A list of `{"conversations": [{"from": "human" or "gpt", "value": …}, …]}`."""
    entries = _parsed(text, "the file")
    if not isinstance(entries, list):
        raise ValueError("it is no list of conversations")
    for number, entry in enumerate(entries, 1):
        turns = entry.get("conversations") if isinstance(entry, dict) else None
        if not isinstance(turns, list):
            raise ValueError(f"entry {number} has no “conversations”")
        yield Asked(_spoken([_turn(one, number) for one in turns], f"entry {number}"))


def as_json_lines(conversations: Sequence[Asked]) -> str:
    """What `json_lines` reads back as the same."""
    written = []
    for messages, answers in conversations:
        line: dict[str, Any] = {
            "messages": [{"role": one.role, "content": one.content} for one in messages]
        }
        if answers is not None:
            line["answer"] = list(answers)
        written.append(json.dumps(line, ensure_ascii=False))
    return "\n".join(written) + "\n"


def _answers(told: Any, where: str) -> tuple[str, ...] | None:
    """One text or number, several texts with | between them, or a list; blank ones are none."""
    if told is None:
        return None
    found = told.split(_BETWEEN_ANSWERS) if isinstance(told, str) else told
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, str | int | float) for one in listed):
        raise ValueError(f"the “answer” of {where} is neither text nor a list of texts")
    return tuple(text for one in listed if (text := str(one).strip())) or None


def _turn(one: Any, number: int) -> Message:
    try:
        return Message.model_validate({"role": _ROLES[one["from"]], "content": one["value"]})
    except (KeyError, TypeError) as error:
        raise ValueError(f"a turn of entry {number} has no known “from” and “value”") from error


def _spoken(messages: Sequence[Message], where: str) -> tuple[Message, ...]:
    """From the first turn of the user (and the system turn before it) to the last one."""
    system = [one for one in messages[:1] if one.role == "system"]
    users = [index for index, one in enumerate(messages) if one.role == "user"]
    if not users:
        raise ValueError(f"{where} has no turn of the user")
    return (*system, *messages[users[0] : users[-1] + 1])


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{where} is not JSON") from error


def _alone(prompt: str, answers: tuple[str, ...] | None = None) -> Asked:
    return Asked((Message(role="user", content=prompt.strip()),), answers)


READERS: dict[str, Callable[[str], Iterator[Asked]]] = {
    ".txt": lines,
    ".csv": comma_separated,
    ".jsonl": json_lines,
    ".json": sharegpt,
}
