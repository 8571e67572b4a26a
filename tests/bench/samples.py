"""Hand-made records for tests: every stamp is written down, nothing is measured."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.bench.conversation import Column, Comparison, Conversation, Turn
from app.bench.record import (
    ChunkStamp,
    Environment,
    MemoryLedger,
    RunRecord,
    Timeline,
    TokenUsage,
)
from backends.request import Message, Request, Sampling
from backends.setup import Setup

NOON = dt.datetime(2026, 11, 1, 12, 0, tzinfo=dt.UTC)
MS = 1_000_000
ENVIRONMENT = Environment(hardware="test CPU, 2 cores", device="cpu", threads=1)


def stamps(*points: tuple[int, int]) -> tuple[ChunkStamp, ...]:
    """Chunks from (milliseconds, tokens) pairs."""
    return tuple(
        ChunkStamp(t_ns=ms * MS, tokens=tokens, text="x" * tokens) for ms, tokens in points
    )


def make_run(prompt: str = "What is prefill?", **changes: Any) -> RunRecord:
    """A finished, warm run: accepted at 10 ms, tokens at 30, 40 and 50 ms, free at 60 ms."""
    fields: dict[str, Any] = {
        "created_at": NOON,
        "setup": Setup(),
        "setup_label": "fp32 · KV on",
        "request": Request(
            messages=(Message(role="user", content=prompt),), sampling=Sampling(max_new_tokens=3)
        ),
        "status": "finished",
        "finish_reason": "length",
        "answer": "The first pass.",
        "chunks": stamps((30, 1), (40, 1), (50, 1)),
        "timeline": Timeline(
            queued_ns=0,
            started_ns=5 * MS,
            accepted_ns=10 * MS,
            ended_ns=60 * MS,
            released_ns=61 * MS,
        ),
        "usage": TokenUsage(prompt_tokens=8, prompt_tokens_computed=8, output_tokens=3),
        "memory": MemoryLedger(weights_bytes=1_000, kv_cache_bytes=200, peak_bytes=1_500),
        "warm": True,
        "environment": ENVIRONMENT,
    }
    return RunRecord(**(fields | changes))


def make_conversation(*prompts: str, **changes: Any) -> Conversation:
    """Two columns, `a` with the KV cache and `b` without; one turn a minute."""
    turns = tuple(
        Turn(index=index, prompt=prompt, created_at=NOON + dt.timedelta(minutes=index))
        for index, prompt in enumerate(prompts)
    )
    fields: dict[str, Any] = {
        "id": "conversation-1",
        "comparison": Comparison(
            columns=(
                Column(key="a", setup=Setup(), label="KV on"),
                Column(key="b", setup=Setup(kv_cache="off"), label="KV off"),
            )
        ),
        "turns": turns,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Conversation(**(fields | changes))
