"""Formulae over a run's raw stamps, and the sentences that say why there is no number. Pure.

Integer nanoseconds in. What was not measured is None. The formulae are those of DESIGN §6.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.bench.record import ChunkStamp, Price, RunRecord, TokenPrice, TokenUsage
from backends.engine import REMOTE_DEVICE

NS_PER_SECOND = 1_000_000_000


def is_count_estimated(record: RunRecord) -> bool:
    """Somebody else than who made the tokens counted them."""
    return record.usage is not None and record.usage.kind == "estimated"


def are_chunks_shared(record: RunRecord) -> bool:
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


def ttft_ns(record: RunRecord) -> int | None:
    # A server's chunks have text before anybody knows how many tokens they are.
    first = next((chunk for chunk in record.chunks if chunk.tokens > 0 or chunk.text), None)
    accepted_ns = record.timeline.accepted_ns
    return first.t_ns - accepted_ns if first and accepted_ns is not None else None


def answer_ttft_ns(record: RunRecord) -> int | None:
    """None where it did not reason first: the first token is the answer's then."""
    if not record.reasoning:
        return None
    first = next((c for c in record.chunks if c.kind == "answer" and c.text), None)
    accepted_ns = record.timeline.accepted_ns
    return first.t_ns - accepted_ns if first and accepted_ns is not None else None


def told_reasoning(record: RunRecord) -> int | None:
    return record.usage.reasoning_tokens if record.usage else None


def reasoning_tokens(record: RunRecord) -> int | None:
    if not record.reasoning:
        return None
    told = told_reasoning(record)
    if told is not None:
        return told
    return sum(c.tokens for c in record.chunks if c.kind == "reasoning") or None


def reasoning_formula(record: RunRecord) -> str:
    if told_reasoning(record) is None:
        return "its chunks' share of the output tokens"
    return "as the server counted them"


def no_answer_text(record: RunRecord) -> str:
    return "it ended before it answered" if record.reasoning else NO_REASONING


def decode_rate(record: RunRecord) -> float | None:
    per_token_ns = tpot_ns(record.chunks)
    return NS_PER_SECOND / per_token_ns if per_token_ns else None


def prefill_rate(record: RunRecord) -> float | None:
    first_ns, usage = ttft_ns(record), record.usage
    if is_elsewhere(record):
        return None
    if not first_ns or first_ns < 0 or usage is None or usage.prompt_tokens_computed is None:
        return None
    return usage.prompt_tokens_computed * NS_PER_SECOND / first_ns


def between(start_ns: int | None, end_ns: int | None) -> int | None:
    return end_ns - start_ns if start_ns is not None and end_ns is not None else None


def busy_ns(record: RunRecord) -> int | None:
    return between(record.timeline.accepted_ns, record.timeline.ended_ns)


def cost_dollars(record: RunRecord) -> Decimal | None:
    match record.price:
        case Price(dollars_per_hour=per_hour):
            busy = busy_ns(record)
            return None if busy is None else per_hour * busy / (3600 * NS_PER_SECOND)
        case TokenPrice() as price:
            return _cost_of_tokens(price, record.usage)
    return None


def cost_per_million_tokens(record: RunRecord) -> Decimal | None:
    dollars = cost_dollars(record)
    tokens = record.usage.output_tokens if record.usage else None
    return dollars * 1_000_000 / tokens if dollars is not None and tokens else None


def is_cost_estimated(record: RunRecord) -> bool:
    return isinstance(record.price, TokenPrice) and is_count_estimated(record)


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


def cost_formula(record: RunRecord) -> str:
    price = record.price
    if price is None:
        return f"{_COST_OF_TIME}; on a server that charges by token: {_COST_OF_TOKENS}"
    formula = _COST_OF_TIME if isinstance(price, Price) else _COST_OF_TOKENS
    return f"{formula} ({price.text}, {price.source}, {price.date})"


def no_cost(record: RunRecord) -> str:
    match record.price:
        case None:
            return "no price set"
        case Price():
            return "the run has no end"
    return not_counted(record)


def no_cost_per_token(record: RunRecord) -> str:
    return no_cost(record) if cost_dollars(record) is None else NO_TOKEN


def acceptance(record: RunRecord) -> float | None:
    guesses = record.speculation
    return guesses.accepted / guesses.drafted if guesses and guesses.drafted else None


def tokens_per_pass(record: RunRecord) -> float | None:
    guesses = record.speculation
    tokens = sum(chunk.tokens for chunk in record.chunks)
    return tokens / guesses.cycles if guesses and guesses.cycles else None


def draft_share(record: RunRecord) -> float | None:
    """The first cycle holds the prefill and is left out of both times."""
    counted = [chunk for chunk in record.chunks if chunk.tokens > 0]
    if record.speculation is None or len(counted) < 2:
        return None
    span_ns = counted[-1].t_ns - counted[0].t_ns  # none where the clock is coarse
    return record.speculation.draft_ns / span_ns if span_ns else None


def no_guess(record: RunRecord) -> str:
    return "nothing was guessed" if record.speculation is None else "too few guesses"


def is_elsewhere(record: RunRecord) -> bool:
    return record.environment.device == REMOTE_DEVICE


def ttft_formula(record: RunRecord) -> str:
    if is_elsewhere(record):
        return (
            "first text, answer or reasoning − request sent over an open connection; network, the "
            "server's queue and prefill are all in it and cannot be told apart from here"
        )
    return "first token id − request accepted by the engine (time in the queue not included)"


def counted(record: RunRecord, here: str) -> str:
    """Who counted the tokens: we `here`, or whoever answered."""
    if not is_elsewhere(record):
        return here
    if record.usage is not None and record.usage.kind == "estimated":
        return "counted with the tokenizer that the setup names"
    return "as the server counted them"


def no_prefill_rate(record: RunRecord) -> str:
    if is_elsewhere(record):
        return f"{NOT_TOLD}: network and queue are in the time to first token"
    return NO_TOKEN


def tokens_per_chunk(record: RunRecord) -> float | None:
    """None where each chunk is one step of a model that runs here."""
    texts = sum(bool(chunk.text) for chunk in record.chunks)
    tokens = record.usage.output_tokens if record.usage else None
    if not is_elsewhere(record) or not texts or tokens is None:
        return None
    return tokens / texts


NO_TOKEN = "no token was produced"
NO_REASONING = "it did not reason first"
TOO_FEW = "fewer than two chunks of tokens"
# How a reason begins where a server knows and does not say.
NOT_TOLD = "not told"


def not_counted(record: RunRecord) -> str:
    if record.usage is None:
        return "the run ended before tokens were counted"
    return f"{NOT_TOLD}: the server does not count tokens"
