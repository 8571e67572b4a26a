"""What the KV cache is worth at 512 tokens of context: on against off, as in the chat page."""

from __future__ import annotations

from statistics import median

from rich.console import Console

from app.bench.benchmarks.dialogues import long_prompt
from app.bench.benchmarks.engines import (
    decode_speed,
    equal_work,
    finished_run,
    interleaved,
    opened_bench,
)
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.compare import paired_ratio
from backends.setup import Setup

KV_ON_OFF_512 = Target("kv_on_off_512", "ratio", "higher")
TARGETS = (KV_ON_OFF_512,)


def measure(console: Console, model: str, pairs: int, tokens: int = 32) -> list[BenchmarkRecord]:
    """Decode speed with the cache over decode speed without it, in interleaved pairs."""
    on, off = Setup(model=model, kv_cache="dynamic"), Setup(model=model, kv_cache="off")
    request = equal_work(long_prompt(), tokens)
    speeds: dict[str, list[float]] = {on.id: [], off.id: []}
    prompt_tokens: int | None = None
    with opened_bench() as bench:
        for order in interleaved((on, off), pairs):
            for setup in order:
                record = finished_run(bench, setup, request, console)
                speeds[setup.id].append(decode_speed(record))
                prompt_tokens = record.usage.prompt_tokens if record.usage else None
    ratio = paired_ratio(speeds[on.id], speeds[off.id])
    note = (
        f"{prompt_tokens} prompt tokens, {tokens} new ones; "
        f"median on {median(speeds[on.id]):.4g}, off {median(speeds[off.id]):.4g} tokens/s"
    )
    return [
        KV_ON_OFF_512.measured(
            ratio.ratio, n=ratio.n, interval=(ratio.low, ratio.high), reason=note
        )
    ]
