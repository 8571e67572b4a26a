"""The numbers behind each chart, as rows: what is drawn, what is downloaded, nothing else.

Base units, with the unit in the name of each value. Knows records; does not know how charts look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.bench import figures, formulae
from app.bench.conversation import Column, Conversation, Turn
from app.bench.labels import labels
from app.bench.metric import Provenance
from app.bench.record import MemoryLedger, RunRecord

MemoryPart = Literal["weights", "kv_cache", "draft", "activations", "compiled", "rest", "peak"]
PART_NAMES: dict[MemoryPart, str] = {
    "weights": "Weights",
    "kv_cache": "KV cache",
    "draft": "Draft model",
    "activations": "Activations",
    "compiled": "Compiled code",
    "rest": "Runtime and activations",
    "peak": "Peak, parts not known",
}


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column as charts name and colour it."""

    key: str
    label: str
    index: int


@dataclass(frozen=True, slots=True)
class TurnTime:
    """Time of one answer; None where it was not measured."""

    turn: int
    setup: str
    column_key: str
    ttft_ns: int | None
    total_ns: int | None
    status: str
    contended: bool


@dataclass(frozen=True, slots=True)
class RacePoint:
    """Tokens that a setup had made `since_accepted_ns` after its engine took the prompt."""

    setup: str
    column_key: str
    since_accepted_ns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class MemoryBar:
    setup: str
    part: MemoryPart
    bytes: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class CostBar:
    """Mean cost of a setup's answers, times a thousand."""

    setup: str
    column_key: str
    dollars_per_1000_answers: Decimal
    answers: int
    price: str
    price_source: str


def named(columns: Sequence[Column]) -> list[NamedColumn]:
    """Columns with the user's label, or one made of what differs."""
    made = labels([column.setup for column in columns])
    return [
        NamedColumn(column.key, column.label or label, index)
        for index, (column, label) in enumerate(zip(columns, made, strict=True))
    ]


def turn_times(conversation: Conversation, columns: Sequence[Column]) -> list[TurnTime]:
    """One row an answer, by column and turn; turns count from 1."""
    rows = []
    for column in named(columns):
        for turn in conversation.turns:
            run = turn.runs.get(column.key)
            if run is None:
                continue
            first, total = figures.ttft(run).value, figures.total_time(run).value
            rows.append(
                TurnTime(
                    turn.index + 1,
                    column.label,
                    column.key,
                    first if isinstance(first, int) else None,
                    total if isinstance(total, int) else None,
                    run.status,
                    run.contended,
                )
            )
    return rows


def race_points(turn: Turn, columns: Sequence[Column]) -> list[RacePoint]:
    """The raw stamps of a turn as running totals of tokens, from the request accepted."""
    points = []
    for column in named(columns):
        run = turn.runs.get(column.key)
        accepted_ns = run.timeline.accepted_ns if run is not None else None
        counted = [chunk for chunk in run.chunks if chunk.tokens > 0] if run is not None else []
        if accepted_ns is None or not counted:
            continue
        tokens = 0
        points.append(RacePoint(column.label, column.key, 0, 0))
        for chunk in counted:
            tokens += chunk.tokens
            since_ns = chunk.t_ns - accepted_ns
            points.append(RacePoint(column.label, column.key, since_ns, tokens))
    return points


def memory_bars(records: Sequence[RunRecord]) -> list[MemoryBar]:
    """Parts of each run's peak, weights first; a run whose peak was not read has none."""
    bars = []
    for record, setup in zip(records, unique_labels(records), strict=True):
        memory = record.memory
        if memory.peak_bytes is None:
            continue
        if memory.weights_bytes is None:
            bars.append(MemoryBar(setup, "peak", memory.peak_bytes, "measured"))
            continue
        parts: list[tuple[MemoryPart, int | None, Provenance]] = [
            ("weights", memory.weights_bytes, "measured"),
            ("kv_cache", memory.kv_cache_bytes, "measured"),
            ("draft", _draft_bytes(memory), "measured"),
            ("activations", memory.activations_bytes, "measured"),
            ("compiled", memory.compile_bytes, "measured"),
            ("rest", max(0, formulae.rest_bytes(record) or 0), "derived"),
        ]
        bars += [MemoryBar(setup, part, size, how) for part, size, how in parts if size]
    return bars


def _draft_bytes(memory: MemoryLedger) -> int:
    """The draft's weights and its KV cache: one part, since both go with it."""
    return (memory.draft_weights_bytes or 0) + (memory.draft_kv_cache_bytes or 0)


def cost_bars(records: Sequence[RunRecord]) -> list[CostBar]:
    """Finished runs with a price, by setup; one setup counts once with the mean of its answers."""
    by_setup: dict[str, list[RunRecord]] = {}
    for record in records:
        if record.status == "finished" and figures.cost(record).value is not None:
            by_setup.setdefault(record.column_key or record.setup.id, []).append(record)
    names = unique_labels([runs[0] for runs in by_setup.values()])
    bars = []
    for (key, runs), setup in zip(by_setup.items(), names, strict=True):
        costs = [Decimal(figures.cost(run).value or 0) for run in runs]
        prices = {run.price for run in runs if run.price is not None}
        bars.append(
            CostBar(
                setup,
                key,
                1_000 * sum(costs, Decimal(0)) / len(costs),
                len(costs),
                " and ".join(sorted({price.text for price in prices})),
                " and ".join(sorted({f"{price.source}, {price.date}" for price in prices})),
            )
        )
    return bars


def unique_labels(records: Sequence[RunRecord]) -> list[str]:
    """The label each run was made under, or one of what differs; equal ones are numbered."""
    made = labels([record.setup for record in records])
    wanted = [record.setup_label or label for record, label in zip(records, made, strict=True)]
    return [
        f"{label} ({wanted[:index].count(label) + 1})" if label in wanted[:index] else label
        for index, label in enumerate(wanted)
    ]
