"""The record of a run: everything needed to say later what was measured, where and how.

Raw stamps are kept; every figure is computed from them by `app.bench.figures`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from backends.request import FinishReason, Request
from backends.setup import Setup

RECORD_VERSION: Final = 1
Purpose = Literal["chat", "repeat", "benchmark"]
RunStatus = Literal["finished", "stopped", "failed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChunkStamp(_Frozen):
    """One chunk as it was emitted: monotonic stamp, tokens in it, and its text, whose first
    `accepted_chars` were guessed. `tokens_told`: a server counted these tokens, though it did not
    tell their ids."""

    t_ns: int
    tokens: int
    tokens_told: bool = False
    text: str = ""
    token_ids: tuple[int, ...] | None = None
    drafted: int = 0
    accepted: int = 0
    accepted_chars: int = 0
    kind: Literal["answer", "reasoning"] = "answer"


class Timeline(_Frozen):
    """Monotonic stamps of one run, in nanoseconds; None where it did not come to that.

    `queued_ns`: asked for. `started_ns`: the device was ours. `accepted_ns`: the engine took the
    request. `ended_ns`: the engine was free. `stop_requested_ns`: the user pressed stop.
    `released_ns`: the device was free for the next. Engine stamps and ours are one clock for local
    engines.
    """

    queued_ns: int
    started_ns: int | None = None
    accepted_ns: int | None = None
    ended_ns: int | None = None
    stop_requested_ns: int | None = None
    released_ns: int | None = None


class TokenUsage(_Frozen):
    """Counts of one run; None where the engine could not tell them. `reasoning_tokens` are among
    the output's."""

    prompt_tokens: int | None
    prompt_tokens_computed: int | None
    output_tokens: int | None
    reasoning_tokens: int | None = None
    tokens_after_stop: int = 0
    kind: Literal["measured", "estimated"] = "measured"


class MemoryLedger(_Frozen):
    """Bytes by part; None with `reason` where unknown. `rest` is computed, see figures."""

    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    draft_weights_bytes: int | None = None
    draft_kv_cache_bytes: int | None = None
    compile_bytes: int | None = None
    activations_bytes: int | None = None
    peak_bytes: int | None = None
    load_peak_bytes: int | None = None
    method: str = ""
    reason: str = ""


class Speculation(_Frozen):
    """What guessing did: see `backends.request.SpeculationReport`."""

    drafted: int
    accepted: int
    cycles: int
    draft_ns: int


class Price(_Frozen):
    """What the device costs, as it was set when the run was made."""

    dollars_per_hour: Decimal
    source: str
    date: dt.date

    @property
    def text(self) -> str:
        return f"${self.dollars_per_hour} per hour"


class TokenPrice(_Frozen):
    """What somebody else's server charges, in dollars for a million tokens, as it was quoted or set
    when the run was made. `cached_per_million`: for input that it had cached; None: as for any
    other."""

    input_per_million: Decimal
    output_per_million: Decimal
    cached_per_million: Decimal | None = None
    source: str
    date: dt.date

    @property
    def text(self) -> str:
        cached = self.cached_per_million
        middle = "" if cached is None else f", ${cached} cached input"
        return (
            f"${self.input_per_million} input{middle}, ${self.output_per_million} output "
            "per million tokens"
        )


UNKNOWN_DEVICE = "unknown"  # of a run that ended before it had an engine


class Environment(_Frozen):
    """Where a run was made."""

    hardware: str
    device: str
    threads: int | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    commit: str | None = None
    attention_kernel: str = ""
    linear_kernels: dict[str, int] = Field(default_factory=dict)
    draft_path: str = ""
    dtypes: dict[str, int] = Field(default_factory=dict)
    model_path: str = ""
    model_revision: str | None = None
    chat_template: str = "own"
    context_window: int | None = None
    weights_parameters: int | None = None


class ErrorNote(_Frozen):
    """A `DynoError` as it was shown: its class name, message and remedy."""

    type: str
    message: str
    remedy: str = ""


class ExperimentPlace(_Frozen):
    """Where a run stands in an experiment: the indices of its conversation, turn and setup in the
    plan, and its round (from 1; 0 are the warm-ups, those below other passes).
    `attempt` counts from 1 what was made again; `worker` says which one of several made it.
    """

    id: str
    round: int
    conversation: int
    turn: int
    setup: int
    attempt: int = 1
    worker: str = ""

    @property
    def pair(self) -> tuple[int, int, int]:
        """What the runs of one pair share: everything but the setup."""
        return self.round, self.conversation, self.turn


def new_run_id() -> str:
    return uuid.uuid4().hex


class RunRecord(_Frozen):
    """One generation of one request on one engine.

    `contended`: other runs shared the device (race mode). `warm`: the engine had answered before,
    so that one-time costs are not in it. Its place in a conversation is the `turn`'s index and the
    column's key (`column_key`); `column` is where that column stood, counted from the left.
    `served`: what a server told of who answered (provider, request id, rate limits), by name.
    `disturbed`: what else loaded the machine meanwhile, in words; empty where nobody saw anything.
    """

    record_version: Literal[1] = 1
    id: str = Field(default_factory=new_run_id)
    created_at: dt.datetime
    visitor: str = "local"
    conversation_id: str | None = None
    turn: int | None = None
    column: int | None = None
    column_key: str | None = None
    purpose: Purpose = "chat"
    setup: Setup
    setup_label: str = ""
    request: Request
    status: RunStatus
    finish_reason: FinishReason | None = None
    error: ErrorNote | None = None
    answer: str = ""
    chunks: tuple[ChunkStamp, ...] = ()
    timeline: Timeline
    usage: TokenUsage | None = None
    memory: MemoryLedger = MemoryLedger()
    speculation: Speculation | None = None
    price: Price | TokenPrice | None = None
    served: dict[str, str] = Field(default_factory=dict)
    contended: bool = False
    disturbed: str = ""
    experiment: ExperimentPlace | None = None
    warm: bool = False
    load_seconds: float | None = None
    compile_seconds: float | None = None
    warm_up_seconds: float | None = None
    environment: Environment

    @property
    def reasoning(self) -> str:
        """What the model thought before it answered, where that was told apart."""
        return "".join(chunk.text for chunk in self.chunks if chunk.kind == "reasoning")

    @property
    def is_undisturbed(self) -> bool:
        """It came to its end with the device to itself: its times may be held against others'."""
        return self.status == "finished" and not self.contended and not self.disturbed
