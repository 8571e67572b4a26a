"""What an experiment asks: conversations from the repository or from a file of the user's.

Every turn of a conversation is one run, with what stands before it in the file sent along: all
setups get the same history, whatever they answered. Knows formats and limits, nothing of setups.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from backends.errors import DynoError
from backends.request import Message

MAX_FILE_BYTES = 64_000_000
MAX_TURNS = 10_000
_FOLDER = Path(__file__).with_name("prompts")
_MESSAGES = TypeAdapter(tuple[Message, ...])
_ROLES = {
    **{"human": "user", "user": "user", "system": "system"},
    **{"gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant"},
}
# A letter with a space before it is one token in all common vocabularies, so that every salt makes
# a prompt longer by the same. Vowels are left out: no salt spells a word.
_SALT_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_SALT_LENGTH = 4


class WorkloadInvalid(DynoError):
    """There is no such workload, or its file cannot be read as one."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Conversations to go through. `digest` tells whether two workloads ask the same."""

    name: str
    conversations: tuple[tuple[Message, ...], ...]

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of all messages."""
        spoken = [[(m.role, m.content) for m in messages] for messages in self.conversations]
        return hashlib.sha256(json.dumps(spoken).encode()).hexdigest()[:16]

    @property
    def turns(self) -> tuple[int, ...]:
        """How many turns, and so runs, each conversation has."""
        return tuple(len(prompts_of(messages)) for messages in self.conversations)


def prompts_of(conversation: Sequence[Message]) -> list[tuple[Message, ...]]:
    """For each turn of the user all messages up to it."""
    ends = [index for index, one in enumerate(conversation, 1) if one.role == "user"]
    return [tuple(conversation[:end]) for end in ends]


def built_in() -> tuple[str, ...]:
    """Names of the workloads in the repository."""
    return tuple(sorted(path.stem for path in _FOLDER.iterdir() if path.suffix in _READERS))


def load_workload(name: str, max_prompt_chars: int = 200_000) -> Workload:
    """A built-in workload by name, or a file by its path and ending.

    Raises `WorkloadInvalid` where there is none, it is too large, wrongly encoded or has no prompt.
    """
    if name in built_in():
        path = next(path for path in _FOLDER.iterdir() if path.stem == name)
    else:
        path = Path(name).expanduser()
    conversations = _read(path, name)
    if not conversations:
        raise WorkloadInvalid(f"{name} has no prompts.", "Put at least one prompt into it.")
    for number, messages in enumerate(conversations, 1):
        chars = sum(len(message.content) for message in messages)
        if chars > max_prompt_chars:
            raise WorkloadInvalid(
                f"Prompt {number} of {name} has {chars:,} characters; {max_prompt_chars:,} may be.",
                "Shorten it, or raise DYNO_MAX_PROMPT_CHARS.",
            )
    return Workload(name, tuple(conversations))


def salted(messages: Sequence[Message], salt: str) -> tuple[Message, ...]:
    """The same prompt under another beginning: the system turn gives the model a name of letters.

    It stands at the very start, so that no cache of an earlier prompt holds any of this one's, and
    a name is what a system turn may give without asking for another answer: it neither adds to the
    question nor says how to answer. An empty salt changes nothing.
    """
    if not salt:
        return tuple(messages)
    name = f"Your name is {' '.join(salt)}."
    if messages[0].role == "system":
        first = messages[0].model_copy(update={"content": f"{name} {messages[0].content}"})
        return (first, *messages[1:])
    return (Message(role="system", content=name), *messages)


def salt_of(seed: int, *place: int | str) -> str:
    """Four letters for a place in an experiment: 160,000 different ones, all equally long."""
    chosen = random.Random(f"{seed}/{'/'.join(map(str, place))}")
    return "".join(chosen.choices(_SALT_LETTERS, k=_SALT_LENGTH))


def _read(path: Path, name: str) -> list[tuple[Message, ...]]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        known = f"{', '.join(built_in())}; or a file that ends in {', '.join(_READERS)}"
        raise WorkloadInvalid(f"There is no workload “{name}”.", f"Known: {known}.")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise WorkloadInvalid(
                f"{name} has {size / 1e6:,.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} are read.",
                "Take a part of it.",
            )
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise WorkloadInvalid(
            f"{name} cannot be read ({error.strerror or error}).", "Make it readable."
        ) from error
    except UnicodeDecodeError as error:
        raise WorkloadInvalid(
            f"{name} is not UTF-8 text (byte {error.start + 1}).", "Save it as UTF-8."
        ) from error
    try:
        return _not_too_many(reader(text), name)
    except (ValueError, csv.Error) as error:
        reason = "a message has another shape" if isinstance(error, ValidationError) else error
        raise WorkloadInvalid(
            f"{name} cannot be read as {path.suffix.lower()[1:]}: {reason}.",
            "The README tells what such a file holds.",
        ) from error


def _not_too_many(read: Iterator[tuple[Message, ...]], name: str) -> list[tuple[Message, ...]]:
    """All of them, unless they are too many: then reading ends at once."""
    found, turns = [], 0
    for conversation in read:
        found.append(conversation)
        turns += len(prompts_of(conversation))
        if turns > MAX_TURNS:
            raise WorkloadInvalid(
                f"{name} has more than {MAX_TURNS:,} prompts, the most that an experiment takes.",
                "Take a part of it: a few dozen prompts already settle most differences.",
            )
    return found


def _lines(text: str) -> Iterator[tuple[Message, ...]]:
    return (_alone(line) for line in text.splitlines() if line.strip())


def _csv(text: str) -> Iterator[tuple[Message, ...]]:
    rows = csv.DictReader(io.StringIO(text))
    if "prompt" not in (rows.fieldnames or ()):
        raise ValueError("it has no column “prompt”")
    yield from (_alone(row["prompt"]) for row in rows if (row["prompt"] or "").strip())


def _jsonl(text: str) -> Iterator[tuple[Message, ...]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        one = _parsed(line, f"line {number}")
        if isinstance(one, dict) and isinstance(one.get("prompt"), str):
            yield _alone(one["prompt"])
        elif isinstance(one, dict) and "messages" in one:
            yield _spoken(_MESSAGES.validate_python(one["messages"]), f"line {number}")
        else:
            raise ValueError(f"line {number} has neither “prompt” nor “messages”")


def _sharegpt(text: str) -> Iterator[tuple[Message, ...]]:
    """A list of `{"conversations": [{"from": "human" or "gpt", "value": …}, …]}`."""
    entries = _parsed(text, "the file")
    if not isinstance(entries, list):
        raise ValueError("it is no list of conversations")
    for number, entry in enumerate(entries, 1):
        turns = entry.get("conversations") if isinstance(entry, dict) else None
        if not isinstance(turns, list):
            raise ValueError(f"entry {number} has no “conversations”")
        yield _spoken([_turn(one, number) for one in turns], f"entry {number}")


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


def _alone(prompt: str) -> tuple[Message, ...]:
    return (Message(role="user", content=prompt.strip()),)


_READERS: dict[str, Callable[[str], Iterator[tuple[Message, ...]]]] = {
    ".txt": _lines,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".json": _sharegpt,
}
