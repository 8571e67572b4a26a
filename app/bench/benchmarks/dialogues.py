"""Dialogues that benchmarks ask: those that come with the bundled model, and long prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from backends.catalog import BUNDLED, resolve
from backends.errors import DynoError
from backends.request import Message, Request, Sampling


class Dialogue(BaseModel):
    """Messages that end in a question, and what kind of question it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    messages: tuple[Message, ...]


def bundled_file(name: str) -> Path:
    """A file beside the bundled model. Raises `DynoError` where it is missing."""
    path = Path(resolve(BUNDLED)).parent / name
    if not path.is_file():
        raise DynoError(f"{name} of the bundled model is missing.", "Fetch the repository anew.")
    return path


def evaluation_dialogues() -> list[Dialogue]:
    """Held-out dialogues, every kind in turn. Raises `DynoError` for an unreadable file."""
    text = bundled_file("dialogues.json").read_text(encoding="utf-8")
    try:
        return TypeAdapter(list[Dialogue]).validate_json(text)
    except ValidationError as error:
        raise DynoError("dialogues.json cannot be read.", "Fetch the repository anew.") from error


def one_of_each_kind() -> list[Dialogue]:
    """The first held-out dialogue of every kind. Raises `DynoError` for an unreadable file."""
    first: dict[str, Dialogue] = {}
    for dialogue in evaluation_dialogues():
        first.setdefault(dialogue.kind, dialogue)
    return list(first.values())


def asked(messages: Sequence[Message], max_new_tokens: int = 160) -> Request:
    """Greedy, and as long as the model wants."""
    return Request(messages=tuple(messages), sampling=Sampling(max_new_tokens=max_new_tokens))


def long_prompt() -> str:
    """One user message whose whole prompt has 512 tokens."""
    return bundled_file("long_prompt.txt").read_text(encoding="utf-8").strip()
