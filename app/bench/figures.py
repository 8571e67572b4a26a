"""The figures of a run: formulae over a record's raw stamps, each with unit and provenance.

A metric is defined once, as data; called with a record it gives a `Figure`. Pure, integer
nanoseconds in. What was not measured is None with a reason. The formulae are those of DESIGN §6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.bench.record import ChunkStamp, RunRecord

Number = int | float | Decimal
Provenance = Literal["measured", "derived", "estimated", "quoted"]
Unit = Literal["ns", "tokens/s", "tokens", "bytes", "dollars", "ratio", "share"]
Better = Literal["lower", "higher", "neither"]

NS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and how it was obtained. `value` is None where `reason` says why not."""

    name: str
    title: str
    value: Number | None
    unit: Unit
    provenance: Provenance
    formula: str
    better: Better = "lower"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure is. `missing` is why there may be none; a function says it by record.

    `detail` adds to the formula what holds for one record alone (a price, a method).
    `wants_chunk_tokens`: it is estimated where a server does not tell the tokens of each chunk.
    `is_shared`: this record's count is one of those.
    """

    name: str
    title: str
    unit: Unit
    provenance: Provenance
    formula: str
    value: Callable[[RunRecord], Number | None]
    missing: str | Callable[[RunRecord], str]
    better: Better = "lower"
    detail: Callable[[RunRecord], str] = lambda record: ""
    wants_chunk_tokens: bool = False
    is_shared: Callable[[RunRecord], bool] = lambda record: False

    def __call__(self, record: RunRecord) -> Figure:
        value = self.value(record)
        reason = self.missing if isinstance(self.missing, str) else self.missing(record)
        return Figure(
            name=self.name,
            title=self.title,
            value=value,
            unit=self.unit,
            provenance="estimated" if self._is_estimated(record) else self.provenance,
            formula=self.formula + self.detail(record),
            better=self.better,
            reason=reason if value is None else "",
        )

    def _is_estimated(self, record: RunRecord) -> bool:
        if self.wants_chunk_tokens:
            return _shares_tokens(record)
        counted = record.usage.kind if record.usage else "measured"
        return self.unit == "tokens" and (counted == "estimated" or self.is_shared(record))


def _shares_tokens(record: RunRecord) -> bool:
    """Whether tokens were shared over the chunks because a server did not tell those of each."""
    return any(chunk.tokens and chunk.token_ids is None for chunk in record.chunks)


def tpot_ns(chunks: Sequence[ChunkStamp]) -> float | None:
    """(t_last − t_first) / (n − n_first) over chunks with tokens; None when n = n_first."""
    counted = [chunk for chunk in chunks if chunk.tokens > 0]
    later_tokens = sum(chunk.tokens for chunk in counted[1:])
    if later_tokens == 0:
        return None
    return (counted[-1].t_ns - counted[0].t_ns) / later_tokens


def rest_bytes(record: RunRecord) -> int | None:
    """Peak minus weights, cache and activations: runtime, and activations where not told apart."""
    memory = record.memory
    if memory.peak_bytes is None or memory.weights_bytes is None:
        return None
    parts = (
        memory.kv_cache_bytes,
        memory.draft_weights_bytes,
        memory.draft_kv_cache_bytes,
        memory.compile_bytes,
        memory.activations_bytes,
    )
    return memory.peak_bytes - memory.weights_bytes - sum(part or 0 for part in parts)


def _ttft_ns(record: RunRecord) -> int | None:
    # A server's chunks have text before anybody knows how many tokens they are.
    first = next((chunk for chunk in record.chunks if chunk.tokens > 0 or chunk.text), None)
    accepted_ns = record.timeline.accepted_ns
    return first.t_ns - accepted_ns if first and accepted_ns is not None else None


def _first_answer_ns(record: RunRecord) -> int | None:
    answers = (c for c in record.chunks if c.kind == "answer" and (c.tokens > 0 or c.text))
    first, accepted_ns = next(answers, None), record.timeline.accepted_ns
    return first.t_ns - accepted_ns if first and accepted_ns is not None else None


def _reasoning_tokens(record: RunRecord) -> int | None:
    if record.usage is None or not record.reasoning:
        return None
    if record.usage.reasoning_tokens is not None:
        return record.usage.reasoning_tokens
    return sum(c.tokens for c in record.chunks if c.kind == "reasoning") or None


def _decode_rate(record: RunRecord) -> float | None:
    per_token_ns = tpot_ns(record.chunks)
    return NS_PER_SECOND / per_token_ns if per_token_ns else None


def _prefill_rate(record: RunRecord) -> float | None:
    first_ns, usage = _ttft_ns(record), record.usage
    if not first_ns or first_ns < 0 or usage is None or usage.prompt_tokens_computed is None:
        return None
    return usage.prompt_tokens_computed * NS_PER_SECOND / first_ns


def _between(start_ns: int | None, end_ns: int | None) -> int | None:
    return end_ns - start_ns if start_ns is not None and end_ns is not None else None


def _busy_ns(record: RunRecord) -> int | None:
    return _between(record.timeline.accepted_ns, record.timeline.ended_ns)


def _cost_dollars(record: RunRecord) -> Decimal | None:
    busy_ns = _busy_ns(record)
    if record.price is None or busy_ns is None:
        return None
    return record.price.dollars_per_hour * busy_ns / (3600 * NS_PER_SECOND)


def _price_used(record: RunRecord) -> str:
    price = record.price
    if price is None:
        return ""
    return f" ({price.dollars_per_hour} $/h, {price.source}, {price.date})"


def _acceptance(record: RunRecord) -> float | None:
    guesses = record.speculation
    return guesses.accepted / guesses.drafted if guesses and guesses.drafted else None


def _tokens_per_pass(record: RunRecord) -> float | None:
    guesses = record.speculation
    tokens = sum(chunk.tokens for chunk in record.chunks)
    return tokens / guesses.cycles if guesses and guesses.cycles else None


def _draft_share(record: RunRecord) -> float | None:
    """The first cycle holds the prefill and is left out of both times."""
    counted = [chunk for chunk in record.chunks if chunk.tokens > 0]
    if record.speculation is None or len(counted) < 2:
        return None
    return record.speculation.draft_ns / (counted[-1].t_ns - counted[0].t_ns)


def _no_guess(record: RunRecord) -> str:
    return "nothing was guessed" if record.speculation is None else "too few guesses"


_NO_TOKEN = "no token was produced"
_TOO_FEW = "fewer than two chunks of tokens"
# How a reason begins where a server knows and does not say.
NOT_TOLD = "not told"


def _not_counted(record: RunRecord) -> str:
    if record.usage is None:
        return "the run ended before tokens were counted"
    return f"{NOT_TOLD}: the server does not count tokens"


ttft = Metric(
    "ttft_ns",
    "Time to first token (TTFT)",
    "ns",
    "measured",
    "first token id − request accepted by the engine (time in the queue not included)",
    _ttft_ns,
    _NO_TOKEN,
)
first_answer = Metric(
    "first_answer_ns",
    "Time to first answer token",
    "ns",
    "measured",
    "first token of the answer itself, after any reasoning − request accepted by the engine",
    _first_answer_ns,
    "no token of an answer was produced",
)
tpot = Metric(
    "tpot_ns",
    "Time per output token (TPOT)",
    "ns",
    "measured",
    "(last token − first token) / (tokens − tokens in the first chunk)",
    lambda record: tpot_ns(record.chunks),
    _TOO_FEW,
    wants_chunk_tokens=True,
)
decode_rate = Metric(
    "decode_tokens_per_second",
    "Decode speed",
    "tokens/s",
    "derived",
    "1 / TPOT",
    _decode_rate,
    _TOO_FEW,
    better="higher",
    wants_chunk_tokens=True,
)
prefill_rate = Metric(
    "prefill_tokens_per_second",
    "Prefill speed",
    "tokens/s",
    "derived",
    "prompt tokens computed / TTFT",
    _prefill_rate,
    _NO_TOKEN,
    better="higher",
)
total_time = Metric(
    "e2e_ns",
    "Total time (E2E)",
    "ns",
    "measured",
    "engine free again − request accepted by the engine",
    _busy_ns,
    "the engine did not take or did not end the request",
)
prompt_tokens = Metric(
    "prompt_tokens",
    "Prompt tokens",
    "tokens",
    "measured",
    "ids in the rendered prompt",
    lambda record: record.usage.prompt_tokens if record.usage else None,
    _not_counted,
    better="neither",
)
output_tokens = Metric(
    "output_tokens",
    "Output tokens",
    "tokens",
    "measured",
    "ids produced, end-of-turn token included",
    lambda record: record.usage.output_tokens if record.usage else None,
    _not_counted,
    better="neither",
)
reasoning_tokens = Metric(
    "reasoning_tokens",
    "Reasoning tokens",
    "tokens",
    "measured",
    "those of the output tokens that are no part of the answer",
    _reasoning_tokens,
    lambda record: _not_counted(record) if record.reasoning else "it did not reason",
    better="neither",
    is_shared=lambda record: record.usage is None or record.usage.reasoning_tokens is None,
)
peak_memory = Metric(
    "peak_memory_bytes",
    "Peak memory",
    "bytes",
    "measured",
    "",
    lambda record: record.memory.peak_bytes,
    lambda record: record.memory.reason or "not read",
    detail=lambda record: (
        record.memory.method or "most memory the engine's process held beyond its start"
    ),
)
cost = Metric(
    "cost_dollars",
    "Cost",
    "dollars",
    "derived",
    "device price per hour × seconds busy / 3600, at 100 % use",
    _cost_dollars,
    lambda record: "no price set" if record.price is None else "the run has no end",
    detail=_price_used,
)
queue_time = Metric(
    "queue_ns",
    "Time in the queue",
    "ns",
    "measured",
    "device was ours − asked for",
    lambda record: _between(record.timeline.queued_ns, record.timeline.started_ns),
    "it never got the device",
)
stop_time = Metric(
    "stop_ns",
    "Time to stop",
    "ns",
    "measured",
    "device free again − stop asked for",
    lambda record: _between(record.timeline.stop_requested_ns, record.timeline.released_ns),
    "it was not stopped",
)

acceptance = Metric(
    "acceptance_rate",
    "Guesses accepted",
    "share",
    "measured",
    "guesses that the target kept / guesses made",
    _acceptance,
    _no_guess,
    better="higher",
)
tokens_per_pass = Metric(
    "tokens_per_pass",
    "Tokens per target pass",
    "ratio",
    "measured",
    "tokens of the answer / passes of the target",
    _tokens_per_pass,
    _no_guess,
    better="higher",
)
draft_share = Metric(
    "draft_time_share",
    "Time spent guessing",
    "share",
    "measured",
    "time in the guesser / (last token − first token), the first cycle left out",
    _draft_share,
    _no_guess,
    better="neither",
)

# In the order in which pages show them.
METRICS = (
    ttft,
    first_answer,
    tpot,
    decode_rate,
    prefill_rate,
    total_time,
    prompt_tokens,
    output_tokens,
    reasoning_tokens,
    peak_memory,
    cost,
    acceptance,
    tokens_per_pass,
    draft_share,
    queue_time,
    stop_time,
)


def all_figures(record: RunRecord) -> dict[str, Figure]:
    """Every figure by name."""
    return {metric.name: metric(record) for metric in METRICS}
