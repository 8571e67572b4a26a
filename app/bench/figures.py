"""The figures of a run: formulae over a record's raw stamps, each with unit and provenance.

A metric is defined once, as data; called with a record it gives a `Figure`. Pure, integer
nanoseconds in. What was not measured is None with a reason. The formulae are those of DESIGN §6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.bench.record import ChunkStamp, Price, RunRecord, TokenPrice, TokenUsage
from backends.engine import REMOTE_DEVICE

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
    `is_estimate`: for which records the number is estimated, whatever it usually is.
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
    is_estimate: Callable[[RunRecord], bool] = lambda record: False

    def __call__(self, record: RunRecord) -> Figure:
        value = self.value(record)
        reason = self.missing if isinstance(self.missing, str) else self.missing(record)
        return Figure(
            name=self.name,
            title=self.title,
            value=value,
            unit=self.unit,
            provenance="estimated" if self.is_estimate(record) else self.provenance,
            formula=self.formula + self.detail(record),
            better=self.better,
            reason=reason if value is None else "",
        )


def _is_count_estimated(record: RunRecord) -> bool:
    """Somebody else than who made the tokens counted them."""
    return record.usage is not None and record.usage.kind == "estimated"


def _are_chunks_shared(record: RunRecord) -> bool:
    """How many tokens a chunk holds was not told, and is its share of all."""
    return any(c.tokens and c.token_ids is None and not c.tokens_told for c in record.chunks)


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


def _answer_ttft_ns(record: RunRecord) -> int | None:
    """None where it did not reason first: the first token is the answer's then."""
    if not record.reasoning:
        return None
    first = next((c for c in record.chunks if c.kind == "answer" and c.text), None)
    accepted_ns = record.timeline.accepted_ns
    return first.t_ns - accepted_ns if first and accepted_ns is not None else None


def _told_reasoning(record: RunRecord) -> int | None:
    return record.usage.reasoning_tokens if record.usage else None


def _reasoning_tokens(record: RunRecord) -> int | None:
    if not record.reasoning:
        return None
    told = _told_reasoning(record)
    if told is not None:
        return told
    return sum(c.tokens for c in record.chunks if c.kind == "reasoning") or None


def _reasoning_formula(record: RunRecord) -> str:
    if _told_reasoning(record) is None:
        return "its chunks' share of the output tokens"
    return "as the server counted them"


def _no_answer_text(record: RunRecord) -> str:
    return "it ended before it answered" if record.reasoning else _NO_REASONING


def _decode_rate(record: RunRecord) -> float | None:
    per_token_ns = tpot_ns(record.chunks)
    return NS_PER_SECOND / per_token_ns if per_token_ns else None


def _prefill_rate(record: RunRecord) -> float | None:
    first_ns, usage = _ttft_ns(record), record.usage
    if _is_elsewhere(record):
        return None
    if not first_ns or first_ns < 0 or usage is None or usage.prompt_tokens_computed is None:
        return None
    return usage.prompt_tokens_computed * NS_PER_SECOND / first_ns


def _between(start_ns: int | None, end_ns: int | None) -> int | None:
    return end_ns - start_ns if start_ns is not None and end_ns is not None else None


def _busy_ns(record: RunRecord) -> int | None:
    return _between(record.timeline.accepted_ns, record.timeline.ended_ns)


def _cost_dollars(record: RunRecord) -> Decimal | None:
    match record.price:
        case Price(dollars_per_hour=per_hour):
            busy_ns = _busy_ns(record)
            return None if busy_ns is None else per_hour * busy_ns / (3600 * NS_PER_SECOND)
        case TokenPrice() as price:
            return _cost_of_tokens(price, record.usage)
    return None


def _cost_of_tokens(price: TokenPrice, usage: TokenUsage | None) -> Decimal | None:
    if usage is None or usage.prompt_tokens is None or usage.output_tokens is None:
        return None
    computed = usage.prompt_tokens_computed
    cached = 0 if computed is None else usage.prompt_tokens - computed
    per_cached = price.cached_per_million
    if per_cached is None:
        per_cached = price.input_per_million
    dollars_times_a_million = (
        (usage.prompt_tokens - cached) * price.input_per_million
        + cached * per_cached
        + usage.output_tokens * price.output_per_million
    )
    return dollars_times_a_million / 1_000_000


_COST_OF_TIME = "device price per hour × seconds busy / 3600, at 100 % use"
_COST_OF_TOKENS = "tokens of each kind × their price / 1,000,000"


def _cost_formula(record: RunRecord) -> str:
    price = record.price
    if price is None:
        return f"{_COST_OF_TIME}; on a server that charges by token: {_COST_OF_TOKENS}"
    formula = _COST_OF_TIME if isinstance(price, Price) else _COST_OF_TOKENS
    return f"{formula} ({price.text}, {price.source}, {price.date})"


def _no_cost(record: RunRecord) -> str:
    match record.price:
        case None:
            return "no price set"
        case Price():
            return "the run has no end"
    return _not_counted(record)


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


def _is_elsewhere(record: RunRecord) -> bool:
    return record.environment.device == REMOTE_DEVICE


def _ttft_formula(record: RunRecord) -> str:
    if _is_elsewhere(record):
        return (
            "first text, answer or reasoning − request sent over an open connection; network, the "
            "server's queue and prefill are all in it and cannot be told apart from here"
        )
    return "first token id − request accepted by the engine (time in the queue not included)"


def _counted(record: RunRecord, here: str) -> str:
    """Who counted the tokens: we `here`, or whoever answered."""
    if not _is_elsewhere(record):
        return here
    if record.usage is not None and record.usage.kind == "estimated":
        return "counted with the tokenizer that the setup names"
    return "as the server counted them"


def _no_prefill_rate(record: RunRecord) -> str:
    if _is_elsewhere(record):
        return f"{NOT_TOLD}: network and queue are in the time to first token"
    return _NO_TOKEN


def _tokens_per_chunk(record: RunRecord) -> float | None:
    """None where each chunk is one step of a model that runs here."""
    texts = sum(bool(chunk.text) for chunk in record.chunks)
    tokens = record.usage.output_tokens if record.usage else None
    if not _is_elsewhere(record) or not texts or tokens is None:
        return None
    return tokens / texts


_NO_TOKEN = "no token was produced"
_NO_REASONING = "it did not reason first"
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
    "",
    _ttft_ns,
    _NO_TOKEN,
    detail=_ttft_formula,
)
answer_ttft = Metric(
    "answer_ttft_ns",
    "Time to first answer token",
    "ns",
    "measured",
    "first text of the answer, after the reasoning − the moment from which TTFT counts",
    _answer_ttft_ns,
    _no_answer_text,
)
tpot = Metric(
    "tpot_ns",
    "Time per output token (TPOT)",
    "ns",
    "measured",
    "(last token − first token) / (tokens − tokens in the first chunk)",
    lambda record: tpot_ns(record.chunks),
    _TOO_FEW,
    is_estimate=_are_chunks_shared,
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
    is_estimate=_are_chunks_shared,
)
prefill_rate = Metric(
    "prefill_tokens_per_second",
    "Prefill speed",
    "tokens/s",
    "derived",
    "prompt tokens computed / TTFT",
    _prefill_rate,
    _no_prefill_rate,
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
    "",
    lambda record: record.usage.prompt_tokens if record.usage else None,
    _not_counted,
    better="neither",
    detail=lambda record: _counted(record, "ids in the rendered prompt"),
    is_estimate=_is_count_estimated,
)
output_tokens = Metric(
    "output_tokens",
    "Output tokens",
    "tokens",
    "measured",
    "",
    lambda record: record.usage.output_tokens if record.usage else None,
    _not_counted,
    better="neither",
    detail=lambda record: _counted(record, "ids produced, end-of-turn token included"),
    is_estimate=_is_count_estimated,
)
reasoning_tokens = Metric(
    "reasoning_tokens",
    "Reasoning tokens",
    "tokens",
    "measured",
    "",
    _reasoning_tokens,
    _NO_REASONING,
    better="neither",
    detail=_reasoning_formula,
    is_estimate=lambda record: _told_reasoning(record) is None,
)
tokens_per_chunk = Metric(
    "tokens_per_chunk",
    "Tokens per chunk",
    "ratio",
    "derived",
    "output tokens / chunks with text",
    _tokens_per_chunk,
    lambda record: (
        _not_counted(record) if _is_elsewhere(record) else "each chunk is a step of the model"
    ),
    better="neither",
    is_estimate=_is_count_estimated,
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
    "",
    _cost_dollars,
    _no_cost,
    detail=_cost_formula,
    is_estimate=lambda record: isinstance(record.price, TokenPrice) and _is_count_estimated(record),
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
    answer_ttft,
    tpot,
    decode_rate,
    prefill_rate,
    total_time,
    prompt_tokens,
    output_tokens,
    reasoning_tokens,
    tokens_per_chunk,
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
