"""What goes into the store's questions and comes out of its lists, as frozen values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from app.bench import figures
from app.bench.record import Purpose, RunRecord, RunStatus
from app.bench.store import groups, samples
from app.bench.store.tables import RunRow

PROMPT_START_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs. `visitor=None` is the machine's owner, who sees all; None elsewhere is any.

    `setup` matches a setup's id exactly or its label in part, whatever the case. `since` is
    included, `until` is not. `comparable_only`: finished, warm, alone on the device, undisturbed.
    """

    visitor: str | None
    model: str | None = None
    setup: str | None = None
    status: RunStatus | None = None
    purpose: Purpose | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    conversation_id: str | None = None
    experiment_id: str | None = None
    comparable_only: bool = False
    limit: int | None = 100
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run as a line of a list; figures are None where they were not measured."""

    id: str
    created_at: dt.datetime
    visitor: str
    conversation_id: str | None
    turn: int | None
    column_key: str | None
    model: str
    backend: str
    setup_id: str
    label: str
    prompt_start: str
    purpose: Purpose
    status: RunStatus
    error: str | None
    contended: bool
    warm: bool
    comparable: bool
    ttft_ns: int | None
    tpot_ns: float | None
    e2e_ns: int | None
    prompt_tokens: int | None
    output_tokens: int | None
    peak_memory_bytes: int | None
    cost_dollars: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSummary:
    """A conversation as a line of a list. `title` falls back to the start of the first prompt."""

    id: str
    visitor: str
    title: str
    turns: int
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSummary:
    """An experiment as a line of a list. Runs are counted without warm-ups: those that were made
    again count each time. `imported_from` is empty for one that was made here."""

    id: str
    visitor: str
    name: str
    created_at: dt.datetime
    updated_at: dt.datetime
    state: str
    reason: str
    workload: str
    setups: int
    left_out: int
    finished: int
    failed: int
    disturbed: int
    last_run_at: dt.datetime | None
    imported_from: str


def row_of(record: RunRecord) -> dict[str, Any]:
    """The summary row; `superseded` and `deleted_at` are left as they are in the store."""
    prompt = record.request.messages[-1].content if record.request.messages else ""
    cost = figures.cost(record).value
    row = {
        "id": record.id,
        "created_at": record.created_at,
        "visitor": record.visitor,
        "conversation_id": record.conversation_id,
        "turn": record.turn,
        "column_key": record.column_key,
        "model": record.setup.model,
        "backend": record.setup.backend,
        "setup_id": record.setup.id,
        "label": record.setup_label,
        "prompt_start": prompt[:PROMPT_START_CHARS],
        "purpose": record.purpose,
        "status": record.status,
        "error": record.error.message if record.error else None,
        "contended": record.contended,
        "warm": record.warm,
        "comparable": record.is_undisturbed and record.warm,
        "ttft_ns": figures.ttft(record).value,
        "tpot_ns": figures.tpot(record).value,
        "e2e_ns": figures.total_time(record).value,
        "prompt_tokens": figures.prompt_tokens(record).value,
        "output_tokens": figures.output_tokens(record).value,
        "peak_memory_bytes": figures.peak_memory(record).value,
        "cost": None if cost is None else str(cost),
        **samples.columns_of(record),
    }
    return {**row, "group_key": groups.key_of(row)}


def summary_of(row: RunRow) -> RunSummary:
    return RunSummary(
        id=row.id,
        created_at=row.created_at,
        visitor=row.visitor,
        conversation_id=row.conversation_id,
        turn=row.turn,
        column_key=row.column_key,
        model=row.model,
        backend=row.backend,
        setup_id=row.setup_id,
        label=row.label,
        prompt_start=row.prompt_start,
        purpose=cast(Purpose, row.purpose),
        status=cast(RunStatus, row.status),
        error=row.error,
        contended=row.contended,
        warm=row.warm,
        comparable=row.comparable,
        ttft_ns=row.ttft_ns,
        tpot_ns=row.tpot_ns,
        e2e_ns=row.e2e_ns,
        prompt_tokens=row.prompt_tokens,
        output_tokens=row.output_tokens,
        peak_memory_bytes=row.peak_memory_bytes,
        cost_dollars=None if row.cost is None else Decimal(row.cost),
    )
