"""The live side of one run: what a page looks at while it happens.

Written by the job's thread, read by any page. Every write replaces a whole value, so a reader
never sees half of one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from app.bench.conversation import Column
from app.bench.record import RunRecord
from app.bench.scheduler import Place
from backends.engine import Progress
from backends.errors import DynoError, NotRecorded
from backends.request import Chunk

LaneState = Literal["waiting", "queued", "loading", "warming up", "running", "done"]


@dataclass(slots=True)
class Lane:
    """One column of a job. `record` is set when the state becomes "done"."""

    column: Column
    label: str
    state: LaneState = "waiting"
    place: Place | None = None
    progress: Progress | None = None
    tokens: int = 0
    first_token_ns: int | None = None
    last_token_ns: int | None = None
    running_since_ns: int | None = None
    answering_since_ns: int | None = None
    record: RunRecord | None = None
    not_recorded: NotRecorded | None = None
    error: DynoError | None = None
    _pieces: list[str] = field(default_factory=list)
    _thoughts: list[str] = field(default_factory=list)

    def set_place(self, place: Place) -> None:
        self.place = place

    def set_progress(self, progress: Progress) -> None:
        self.progress = progress

    def start_running(self) -> None:
        self.running_since_ns = time.monotonic_ns()
        self.state = "running"

    def take(self, chunk: Chunk) -> None:
        """Add a chunk to what is shown."""
        if chunk.token_ids:
            if self.first_token_ns is None:
                self.first_token_ns = chunk.t_ns
            self.last_token_ns = chunk.t_ns
            self.tokens += len(chunk.token_ids)
        if not chunk.text:
            return
        if chunk.kind == "reasoning":
            self._thoughts.append(chunk.text)
            return
        if self.answering_since_ns is None:
            self.answering_since_ns = chunk.t_ns
        self._pieces.append(chunk.text)

    @property
    def text(self) -> str:
        """The answer so far; put together by who reads it, not by who streams."""
        return "".join(self._pieces)

    @property
    def reasoning(self) -> str:
        """What the model thought so far, which is no part of the answer."""
        return "".join(self._thoughts)

    @property
    def tokens_per_second(self) -> float | None:
        """Decode speed so far, for the line under a streaming answer."""
        first, last = self.first_token_ns, self.last_token_ns
        if first is None or last is None or last == first or self.tokens < 2:
            return None
        return (self.tokens - 1) * 1e9 / (last - first)
