"""Hand-made records with exact stamps, for tests of what the pages draw."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from app.bench.conversation import Column, Comparison, Conversation, Turn
from app.bench.record import (
    ChunkStamp,
    Environment,
    MemoryLedger,
    Price,
    RunRecord,
    RunStatus,
    Timeline,
    TokenUsage,
)
from backends.request import Message, Request
from backends.setup import Setup

MS = 1_000_000
MB = 1_000_000
WHEN = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
PRICE = Price(dollars_per_hour=Decimal("0.084"), source="a price list", date=dt.date(2026, 7, 1))
CACHE_ON = Setup(weights="bf16", kv_cache="dynamic")
CACHE_OFF = Setup(weights="bf16", kv_cache="off")


def make_record(
    *,
    id: str = "a" * 32,
    setup: Setup = CACHE_ON,
    label: str = "KV on",
    ttft_ms: float = 21,
    tpot_ms: float = 6,
    tokens: int = 11,
    status: RunStatus = "finished",
    price: Price | None = PRICE,
    memory: MemoryLedger | None = None,
    contended: bool = False,
    prompt: str = "What is prefill?",
    answer: str = "Prefill is the pass over the prompt.",
    **changes: object,
) -> RunRecord:
    """A run accepted at 1 ms whose tokens come one a chunk, `tpot_ms` apart."""
    accepted = MS
    stamps = [accepted + round((ttft_ms + i * tpot_ms) * MS) for i in range(tokens)]
    ended = (stamps[-1] if stamps else accepted) + MS
    record = RunRecord(
        id=id,
        created_at=WHEN,
        setup=setup,
        setup_label=label,
        request=Request(messages=(Message(role="user", content=prompt),)),
        status=status,
        finish_reason="stop" if status == "finished" else "cancelled",
        answer=answer,
        chunks=tuple(
            ChunkStamp(t_ns=stamp, tokens=1, text="x ", token_ids=(1,)) for stamp in stamps
        ),
        timeline=Timeline(queued_ns=0, started_ns=0, accepted_ns=accepted, ended_ns=ended),
        usage=TokenUsage(prompt_tokens=34, prompt_tokens_computed=34, output_tokens=tokens),
        memory=memory
        or MemoryLedger(
            weights_bytes=27 * MB, kv_cache_bytes=2 * MB, peak_bytes=58 * MB, method="smaps"
        ),
        price=price,
        contended=contended,
        warm=True,
        environment=Environment(hardware="2-core CPU", device="cpu", threads=1),
    )
    return record.model_copy(update=changes)


def make_conversation(turns: int = 2, contended: bool = False) -> Conversation:
    """Two columns, `kvon` and `kvoff`; the second takes five times as long a token."""
    columns = (Column(key="kvon", setup=CACHE_ON), Column(key="kvoff", setup=CACHE_OFF))
    return Conversation(
        id="c1",
        comparison=Comparison(columns=columns),
        turns=tuple(
            Turn(
                index=i,
                prompt=f"Question {i + 1}",
                created_at=WHEN,
                runs={
                    "kvon": make_record(
                        id=f"{i:031d}a", ttft_ms=21 + 2 * i, tokens=11 + 10 * i, contended=contended
                    ),
                    "kvoff": make_record(
                        id=f"{i:031d}b",
                        setup=CACHE_OFF,
                        label="KV off",
                        ttft_ms=22 + 20 * i,
                        tpot_ms=31,
                        tokens=11 + 10 * i,
                        contended=contended,
                        memory=MemoryLedger(weights_bytes=27 * MB, peak_bytes=55 * MB),
                    ),
                },
            )
            for i in range(turns)
        ),
        created_at=WHEN,
        updated_at=WHEN,
    )
