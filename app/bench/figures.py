"""The figures of a run: formulae over a record's raw stamps, each with unit and provenance.

Pure functions, integer nanoseconds in, `Figure` out. What was not measured is None with a reason.
The formulae are those of DESIGN §6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.bench.record import ChunkStamp, RunRecord

Provenance = Literal["measured", "derived", "estimated", "quoted"]
Unit = Literal["ns", "tokens/s", "tokens", "bytes", "dollars", "ratio"]
Better = Literal["lower", "higher", "neither"]

NS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and how it was obtained. `value` is None where `reason` says why not."""

    name: str
    title: str
    value: int | float | Decimal | None
    unit: Unit
    provenance: Provenance
    formula: str
    better: Better = "lower"
    reason: str = ""


def _token_chunks(record: RunRecord) -> list[ChunkStamp]:
    return [chunk for chunk in record.chunks if chunk.tokens > 0]


def ttft(record: RunRecord) -> Figure:
    """Time to first token: first token id minus request accepted; the queue is apart."""
    chunks, accepted_ns = _token_chunks(record), record.timeline.accepted_ns
    value = chunks[0].t_ns - accepted_ns if chunks and accepted_ns is not None else None
    return Figure(
        "ttft_ns",
        "Time to first token (TTFT)",
        value,
        "ns",
        "measured",
        "first token id − request accepted by the engine (time in the queue not included)",
        reason="" if value is not None else "no token was produced",
    )


def tpot_ns(chunks: Sequence[ChunkStamp]) -> float | None:
    """(t_last − t_first) / (n − n_first) over chunks with tokens; None when n = n_first."""
    counted = [chunk for chunk in chunks if chunk.tokens > 0]
    if not counted:
        return None
    later_tokens = sum(chunk.tokens for chunk in counted[1:])
    if later_tokens == 0:
        return None
    return (counted[-1].t_ns - counted[0].t_ns) / later_tokens


def tpot(record: RunRecord) -> Figure:
    value = tpot_ns(record.chunks)
    return Figure(
        "tpot_ns",
        "Time per output token (TPOT)",
        value,
        "ns",
        "measured",
        "(last token − first token) / (tokens − tokens in the first chunk)",
        reason="" if value is not None else "fewer than two chunks of tokens",
    )


def decode_rate(record: RunRecord) -> Figure:
    per_token_ns = tpot_ns(record.chunks)
    value = NS_PER_SECOND / per_token_ns if per_token_ns else None
    return Figure(
        "decode_tokens_per_second",
        "Decode speed",
        value,
        "tokens/s",
        "derived",
        "1 / TPOT",
        better="higher",
        reason="" if value is not None else "fewer than two chunks of tokens",
    )


def prefill_rate(record: RunRecord) -> Figure:
    first, usage = ttft(record), record.usage
    value = None
    if isinstance(first.value, int) and first.value > 0 and usage is not None:
        value = usage.prompt_tokens_computed * NS_PER_SECOND / first.value
    return Figure(
        "prefill_tokens_per_second",
        "Prefill speed",
        value,
        "tokens/s",
        "derived",
        "prompt tokens computed / TTFT",
        better="higher",
        reason="" if value is not None else "no token was produced",
    )


def total_time(record: RunRecord) -> Figure:
    timeline = record.timeline
    value = None
    if timeline.accepted_ns is not None and timeline.ended_ns is not None:
        value = timeline.ended_ns - timeline.accepted_ns
    return Figure(
        "e2e_ns",
        "Total time (E2E)",
        value,
        "ns",
        "measured",
        "engine free again − request accepted by the engine",
        reason="" if value is not None else "the engine did not take or did not end the request",
    )


def queue_time(record: RunRecord) -> Figure:
    timeline = record.timeline
    value = timeline.started_ns - timeline.queued_ns if timeline.started_ns is not None else None
    return Figure(
        "queue_ns",
        "Time in the queue",
        value,
        "ns",
        "measured",
        "device was ours − asked for",
        reason="" if value is not None else "it never got the device",
    )


def stop_time(record: RunRecord) -> Figure:
    timeline = record.timeline
    value = None
    if timeline.stop_requested_ns is not None and timeline.released_ns is not None:
        value = timeline.released_ns - timeline.stop_requested_ns
    return Figure(
        "stop_ns",
        "Time to stop",
        value,
        "ns",
        "measured",
        "device free again − stop asked for",
        reason="" if value is not None else "it was not stopped",
    )


def prompt_tokens(record: RunRecord) -> Figure:
    return _usage_figure(record, "prompt_tokens", "Prompt tokens", "ids in the rendered prompt")


def output_tokens(record: RunRecord) -> Figure:
    return _usage_figure(
        record, "output_tokens", "Output tokens", "ids produced, end-of-turn token included"
    )


def _usage_figure(
    record: RunRecord, name: Literal["prompt_tokens", "output_tokens"], title: str, formula: str
) -> Figure:
    usage = record.usage
    value: int | None = None
    if usage is not None:
        value = usage.prompt_tokens if name == "prompt_tokens" else usage.output_tokens
    return Figure(
        name,
        title,
        value,
        "tokens",
        usage.kind if usage else "measured",
        formula,
        better="neither",
        reason="" if usage is not None else "the run ended before tokens were counted",
    )


def peak_memory(record: RunRecord) -> Figure:
    memory = record.memory
    return Figure(
        "peak_memory_bytes",
        "Peak memory",
        memory.peak_bytes,
        "bytes",
        "measured",
        memory.method or "most memory the engine's process held beyond its start",
        reason="" if memory.peak_bytes is not None else memory.reason or "not read",
    )


def rest_bytes(record: RunRecord) -> int | None:
    """Peak minus weights, cache and activations: runtime, and activations where not told apart."""
    memory = record.memory
    if memory.peak_bytes is None or memory.weights_bytes is None:
        return None
    known = memory.weights_bytes + (memory.kv_cache_bytes or 0) + (memory.activations_bytes or 0)
    return memory.peak_bytes - known


def cost(record: RunRecord) -> Figure:
    """device $/h × seconds busy / 3600, at 100 % use."""
    busy_ns = total_time(record).value
    value: Decimal | None = None
    if record.price is not None and isinstance(busy_ns, int):
        value = record.price.dollars_per_hour * Decimal(busy_ns) / Decimal(3600 * NS_PER_SECOND)
    formula = "device price per hour × seconds busy / 3600, at 100 % use"
    if record.price is not None:
        formula += (
            f" ({record.price.dollars_per_hour} $/h, {record.price.source}, {record.price.date})"
        )
    reason = ""
    if value is None:
        reason = "no price set" if record.price is None else "the run has no end"
    return Figure("cost_dollars", "Cost", value, "dollars", "derived", formula, reason=reason)


def all_figures(record: RunRecord) -> dict[str, Figure]:
    """Every figure by name, in the order in which pages show them."""
    listed = [
        ttft(record),
        tpot(record),
        decode_rate(record),
        prefill_rate(record),
        total_time(record),
        prompt_tokens(record),
        output_tokens(record),
        peak_memory(record),
        cost(record),
        queue_time(record),
        stop_time(record),
    ]
    return {figure.name: figure for figure in listed}
