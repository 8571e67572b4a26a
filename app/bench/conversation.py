"""Comparisons and conversations as values: what the columns hold and what was said in them.

A comparison is what a permalink carries. A conversation is private to its visitor and is stored.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import secrets
import zlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.bench.record import RunRecord
from backends.catalog import looks_like_a_path
from backends.errors import InvalidSetup
from backends.request import Message, Sampling
from backends.setup import Setup

MAX_COLUMNS = 6
_MAX_PERMALINK_CHARS = 8_000
_MAX_PERMALINK_BYTES = 64_000


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """A setup with its label (empty: named by what differs) and its own sampling (None: linked).

    `key` is the column's identity: it stays the same when the column is moved or renamed.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,16}$")] = Field(
        default_factory=lambda: secrets.token_hex(4)
    )
    setup: Setup
    label: Annotated[str, StringConstraints(max_length=60)] = ""
    sampling: Sampling | None = None


class Comparison(_Frozen):
    """1 to 6 columns, the sampling they share, and how they are run.

    `race`: all at once instead of one after the other. `shared_history`: every column goes on from
    the first column's answers, so that all get the same prompt.
    """

    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=MAX_COLUMNS)]
    sampling: Sampling = Sampling()
    race: bool = False
    shared_history: bool = False

    def sampling_of(self, column: Column) -> Sampling:
        return column.sampling or self.sampling

    def to_permalink(self) -> str:
        """URL-safe text. Raises `InvalidSetup` for a local folder: its path stays private."""
        if any(_names_a_folder(column.setup) for column in self.columns):
            raise InvalidSetup(
                "A comparison with a local folder has no link: the path would be shared.",
                "Use the bundled model or a Hub id to share it.",
            )
        packed = zlib.compress(self.model_dump_json(exclude_defaults=True).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @staticmethod
    def from_permalink(text: str) -> Comparison:
        """Raises `InvalidSetup` on anything that is not a whole comparison."""
        broken = InvalidSetup(
            "This link is broken or was cut off.", "Ask for it again, or start from a preset."
        )
        if len(text) > _MAX_PERMALINK_CHARS:
            raise broken
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            inflater = zlib.decompressobj()
            raw = inflater.decompress(packed, _MAX_PERMALINK_BYTES)
            if not inflater.eof:
                raise broken
            comparison = Comparison.model_validate_json(raw)
        except (binascii.Error, zlib.error, ValidationError, ValueError) as error:
            raise broken from error
        if any(_names_a_folder(column.setup) for column in comparison.columns):
            raise InvalidSetup(
                "This link names a folder of a machine, which links may not do.",
                "Open the folder from the model picker instead.",
            )
        return comparison


def _names_a_folder(setup: Setup) -> bool:
    """Whether its model, its draft or an option, such as a tokenizer, lies on this machine."""
    named = (setup.model, setup.draft_model, *setup.options.values())
    return any(isinstance(one, str) and one and looks_like_a_path(one) for one in named)


class Turn(_Frozen):
    """One prompt and its answers: run records by column key (the latest run of each)."""

    index: int
    prompt: str
    created_at: dt.datetime
    runs: dict[str, RunRecord] = Field(default_factory=dict)


class Conversation(_Frozen):
    """A comparison's turns. `id` is an unguessable token: knowing it is not enough, see the store.

    `dropped_turns` counts, per column key, the oldest turns no longer sent (context window full).
    """

    id: str
    visitor: str = "local"
    title: str = ""
    comparison: Comparison
    turns: tuple[Turn, ...] = ()
    created_at: dt.datetime
    updated_at: dt.datetime
    dropped_turns: dict[str, int] = Field(default_factory=dict)

    def messages_for(self, column_key: str, prompt: str) -> tuple[Message, ...]:
        """What a column's engine is sent: the answers of earlier turns, then `prompt`.

        The answers are its own, or the first column's where the history is shared.

        Turns that this column did not answer (failed, or the column is newer) are left out, so
        that roles alternate; a stopped answer is kept as far as it came.
        """
        messages: list[Message] = []
        shared = self.comparison.shared_history
        source = self.comparison.columns[0].key if shared else column_key
        for turn in self.turns[self.dropped_turns.get(column_key, 0) :]:
            run = turn.runs.get(source)
            if run is not None and run.answer:
                messages.append(Message(role="user", content=turn.prompt))
                messages.append(Message(role="assistant", content=run.answer))
        messages.append(Message(role="user", content=prompt))
        return tuple(messages)


def new_conversation_id() -> str:
    return secrets.token_urlsafe(16)
