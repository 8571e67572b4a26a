"""The figures of a run, as a table: each metric's formula, unit and provenance.

A metric is defined once, as data; called with a record it gives a `Figure`. What was not measured
is None with a reason. What is computed is in `formulae`.
"""

from __future__ import annotations

from app.bench import formulae
from app.bench.metric import Figure, Metric
from app.bench.record import RunRecord

ttft = Metric(
    "ttft_ns",
    "Time to first token (TTFT)",
    "ns",
    "measured",
    "",
    formulae.ttft_ns,
    formulae.NO_TOKEN,
    detail=formulae.ttft_formula,
)
answer_ttft = Metric(
    "answer_ttft_ns",
    "Time to first answer token",
    "ns",
    "measured",
    "first text of the answer, after the reasoning − the moment from which TTFT counts",
    formulae.answer_ttft_ns,
    formulae.no_answer_text,
)
tpot = Metric(
    "tpot_ns",
    "Time per output token (TPOT)",
    "ns",
    "measured",
    "(last token − first token) / (tokens − tokens in the first chunk)",
    lambda record: formulae.tpot_ns(record.chunks),
    formulae.TOO_FEW,
    is_estimate=formulae.are_chunks_shared,
)
decode_rate = Metric(
    "decode_tokens_per_second",
    "Decode speed",
    "tokens/s",
    "derived",
    "1 / TPOT",
    formulae.decode_rate,
    formulae.TOO_FEW,
    better="higher",
    is_estimate=formulae.are_chunks_shared,
)
prefill_rate = Metric(
    "prefill_tokens_per_second",
    "Prefill speed",
    "tokens/s",
    "derived",
    "prompt tokens computed / TTFT",
    formulae.prefill_rate,
    formulae.no_prefill_rate,
    better="higher",
)
total_time = Metric(
    "e2e_ns",
    "Total time (E2E)",
    "ns",
    "measured",
    "engine free again − request accepted by the engine",
    formulae.busy_ns,
    "the engine did not take or did not end the request",
)
prompt_tokens = Metric(
    "prompt_tokens",
    "Prompt tokens",
    "tokens",
    "measured",
    "",
    lambda record: record.usage.prompt_tokens if record.usage else None,
    formulae.not_counted,
    better="neither",
    detail=lambda record: formulae.counted(record, "ids in the rendered prompt"),
    is_estimate=formulae.is_count_estimated,
)
output_tokens = Metric(
    "output_tokens",
    "Output tokens",
    "tokens",
    "measured",
    "",
    lambda record: record.usage.output_tokens if record.usage else None,
    formulae.not_counted,
    better="neither",
    detail=lambda record: formulae.counted(record, "ids produced, end-of-turn token included"),
    is_estimate=formulae.is_count_estimated,
)
reasoning_tokens = Metric(
    "reasoning_tokens",
    "Reasoning tokens",
    "tokens",
    "measured",
    "",
    formulae.reasoning_tokens,
    formulae.NO_REASONING,
    better="neither",
    detail=formulae.reasoning_formula,
    is_estimate=lambda record: formulae.told_reasoning(record) is None,
)
tokens_per_chunk = Metric(
    "tokens_per_chunk",
    "Tokens per chunk",
    "ratio",
    "derived",
    "output tokens / chunks with text",
    formulae.tokens_per_chunk,
    lambda record: (
        formulae.not_counted(record)
        if formulae.is_elsewhere(record)
        else "each chunk is a step of the model"
    ),
    better="neither",
    is_estimate=formulae.is_count_estimated,
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
    formulae.cost_dollars,
    formulae.no_cost,
    detail=formulae.cost_formula,
    is_estimate=formulae.is_cost_estimated,
)
cost_per_million = Metric(
    "cost_per_million_tokens",
    "Cost per million tokens",
    "dollars",
    "derived",
    "cost / output tokens × 1,000,000",
    formulae.cost_per_million_tokens,
    formulae.no_cost_per_token,
    is_estimate=formulae.is_cost_estimated,
)
queue_time = Metric(
    "queue_ns",
    "Time in the queue",
    "ns",
    "measured",
    "device was ours − asked for",
    lambda record: formulae.between(record.timeline.queued_ns, record.timeline.started_ns),
    "it never got the device",
)
stop_time = Metric(
    "stop_ns",
    "Time to stop",
    "ns",
    "measured",
    "device free again − stop asked for",
    lambda record: formulae.between(record.timeline.stop_requested_ns, record.timeline.released_ns),
    "it was not stopped",
)

acceptance = Metric(
    "acceptance_rate",
    "Guesses accepted",
    "share",
    "measured",
    "guesses that the target kept / guesses made",
    formulae.acceptance,
    formulae.no_guess,
    better="higher",
)
tokens_per_pass = Metric(
    "tokens_per_pass",
    "Tokens per target pass",
    "ratio",
    "measured",
    "tokens of the answer / passes of the target",
    formulae.tokens_per_pass,
    formulae.no_guess,
    better="higher",
)
draft_share = Metric(
    "draft_time_share",
    "Time spent guessing",
    "share",
    "measured",
    "time in the guesser / (last token − first token), the first cycle left out",
    formulae.draft_share,
    formulae.no_guess,
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
    cost_per_million,
    acceptance,
    tokens_per_pass,
    draft_share,
    queue_time,
    stop_time,
)


_BY_NAME = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """The metric of that name. Raises `KeyError` where there is none."""
    return _BY_NAME[name]


def all_figures(record: RunRecord) -> dict[str, Figure]:
    """Every figure by name."""
    return {metric.name: metric(record) for metric in METRICS}
