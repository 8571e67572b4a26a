"""What an experiment asks: conversations from the repository, pasted, or from a file of the user's.

Every turn of a conversation is one run, with what stands before it in the file sent along: all
setups get the same history, whatever they answered. Knows limits, nothing of setups.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import ValidationError

from app.bench.experiments.workload_files import READERS, Asked, lines
from backends.errors import DynoError
from backends.request import Message

MAX_FILE_BYTES = 64_000_000
MAX_TURNS = 10_000
MAX_PROMPT_CHARS = 200_000
PASTED = "pasted prompts"
_FOLDER = Path(__file__).with_name("prompts")
_NAMED = "Your name is "
# A letter with a space before it is one token in all common vocabularies, so that every salt makes
# a prompt longer by the same. Vowels are left out: no salt spells a word.
_SALT_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_SALT_LENGTH = 4


class WorkloadInvalid(DynoError):
    """There is no such workload, or its file cannot be read as one."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Conversations to go through, and for each the answers to its last turn that are right (None
    where that is not known; by default of none). `digest` tells whether two ask the same."""

    name: str
    conversations: tuple[tuple[Message, ...], ...]
    answers: tuple[tuple[str, ...] | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.answers:
            object.__setattr__(self, "answers", (None,) * len(self.conversations))
        if len(self.answers) != len(self.conversations):
            raise ValueError("answers are given for all conversations or for none")

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of all messages, and of the answers if there are."""
        said: object = [[(m.role, m.content) for m in messages] for messages in self.conversations]
        if any(self.answers):
            said = [said, self.answers]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

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
    return tuple(sorted(path.stem for path in _FOLDER.iterdir() if path.suffix in READERS))


def load_workload(name: str, max_prompt_chars: int = MAX_PROMPT_CHARS) -> Workload:
    """A built-in workload by name, or a file by its path and ending.

    Raises `WorkloadInvalid` where there is none, it is too large, wrongly encoded or has no prompt.
    """
    if name in built_in():
        path = next(path for path in _FOLDER.iterdir() if path.stem == name)
    else:
        path = Path(name).expanduser()
    if path.suffix.lower() not in READERS or not path.is_file():
        known = f"{', '.join(built_in())}; or a file that ends in {', '.join(READERS)}"
        raise WorkloadInvalid(f"There is no workload “{name}”.", f"Known: {known}.")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _too_large(name, size)
        data = path.read_bytes()
    except OSError as error:
        raise WorkloadInvalid(
            f"{name} cannot be read ({error.strerror or error}).", "Make it readable."
        ) from error
    return _made(name, path.suffix, data, max_prompt_chars)


def uploaded(file_name: str, data: bytes, max_prompt_chars: int = MAX_PROMPT_CHARS) -> Workload:
    """A file that came through a browser, under its own name. Raises `WorkloadInvalid`."""
    name = PurePath(file_name).name
    ending = PurePath(name).suffix
    if ending.lower() not in READERS:
        raise WorkloadInvalid(
            f"{name} cannot be read as prompts.", f"Take a file that ends in {', '.join(READERS)}."
        )
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(name, len(data))
    return _made(name, ending, data, max_prompt_chars)


def pasted(text: str, max_prompt_chars: int = MAX_PROMPT_CHARS) -> Workload:
    """A prompt a line. Raises `WorkloadInvalid`."""
    return _checked(PASTED, lines(text), max_prompt_chars)


def salted(messages: Sequence[Message], salt: str) -> tuple[Message, ...]:
    """The same prompt under another beginning: the system turn gives the model a name of letters.

    It stands at the very start, so that no cache of an earlier prompt holds any of this one's, and
    a name is what a system turn may give without asking for another answer: it neither adds to the
    question nor says how to answer. An empty salt changes nothing.
    """
    if not salt:
        return tuple(messages)
    name = f"{_NAMED}{' '.join(salt)}."
    if messages[0].role == "system":
        first = messages[0].model_copy(update={"content": f"{name} {messages[0].content}"})
        return (first, *messages[1:])
    return (Message(role="system", content=name), *messages)


def is_salted(messages: Sequence[Message]) -> bool:
    """Whether the first one begins as `salted` makes it."""
    text = messages[0].content if messages and messages[0].role == "system" else ""
    letters = text.removeprefix(_NAMED).partition(".")[0].split(" ")
    is_salt = len(letters) == _SALT_LENGTH and set(letters) <= set(_SALT_LETTERS)
    return text.startswith(_NAMED) and is_salt


def salt_of(seed: int, *place: int | str) -> str:
    """Four letters for a place in an experiment: 160,000 different ones, all equally long."""
    chosen = random.Random(f"{seed}/{'/'.join(map(str, place))}")
    return "".join(chosen.choices(_SALT_LETTERS, k=_SALT_LENGTH))


def _made(name: str, ending: str, data: bytes, max_prompt_chars: int) -> Workload:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WorkloadInvalid(
            f"{name} is not UTF-8 text (byte {error.start + 1}).", "Save it as UTF-8."
        ) from error
    try:
        return _checked(name, READERS[ending.lower()](text), max_prompt_chars)
    except (ValueError, csv.Error) as error:
        reason = "a message has another shape" if isinstance(error, ValidationError) else error
        raise WorkloadInvalid(
            f"{name} cannot be read as {ending.lower()[1:]}: {reason}.",
            "The README tells what such a file holds.",
        ) from error


def _checked(name: str, read: Iterator[Asked], max_prompt_chars: int) -> Workload:
    """All of them, unless they are too many or one is too long: then reading ends at once."""
    found: list[Asked] = []
    turns = 0
    for asked in read:
        found.append(asked)
        turns += len(prompts_of(asked.messages))
        if turns > MAX_TURNS:
            raise WorkloadInvalid(
                f"{name} has more than {MAX_TURNS:,} prompts, the most that an experiment takes.",
                "Take a part of it: a few dozen prompts already settle most differences.",
            )
        chars = sum(len(message.content) for message in asked.messages)
        if chars > max_prompt_chars:
            raise WorkloadInvalid(
                f"Prompt {len(found)} of {name} has {chars:,} characters; {max_prompt_chars:,} "
                "may be.",
                "Shorten it, or raise DYNO_MAX_PROMPT_CHARS.",
            )
    if not found:
        raise WorkloadInvalid(f"{name} has no prompts.", "Put at least one prompt into it.")
    return Workload(name, tuple(one.messages for one in found), tuple(one.answers for one in found))


def _too_large(name: str, size: int) -> WorkloadInvalid:
    return WorkloadInvalid(
        f"{name} has {size / 1e6:,.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} are read.",
        "Take a part of it.",
    )
