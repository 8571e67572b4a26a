"""Does looking at tokens slow them down? The engine against a bare `generate` in the same worker.

The engine's side is everything a user gets: streamer, stop check, memory, decoding, sending. The
bare side renders the prompt and calls `generate`, and has none of it (the probe `bare_generate`).
"""

from __future__ import annotations

from rich.console import Console

from app.bench.benchmarks.engines import (
    SHORT_PROMPT,
    engine_speed,
    equal_work,
    interleaved,
    opened_bench,
    tell_place,
)
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.compare import paired_ratio
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.registry import get_backend
from backends.request import Request
from backends.setup import Setup
from backends.worker.engine import LocalEngine

OBSERVER_RATIO = Target("observer_ratio", "ratio", "higher", bar=0.98)
TARGETS = (OBSERVER_RATIO,)

_WARM_UP_ROUNDS = 2


def measure(console: Console, model: str, pairs: int, tokens: int = 256) -> list[BenchmarkRecord]:
    """Engine tokens/s over bare tokens/s, in `pairs` interleaved pairs of `tokens` tokens."""
    setup, request = Setup(model=model), equal_work(SHORT_PROMPT, tokens)
    cancel, told = CancelToken(), set[str]()
    device = get_backend(setup.backend).device_of(setup)
    speeds: dict[str, list[float]] = {"engine": [], "bare": []}
    with (
        opened_bench() as bench,
        bench.scheduler.lease(
            device, "the benchmark observer", cancel, lambda p: tell_place(console, told, p)
        ),
        bench.pool.lease(setup, lambda progress: None, cancel) as leased,
    ):
        engine = leased.engine
        if not isinstance(engine, LocalEngine):
            raise DynoError("Only a local engine can be compared with a bare loop.")
        for _ in range(_WARM_UP_ROUNDS):
            engine_speed(engine, request)
            _bare_speed(engine, request)
        for order in interleaved(("engine", "bare"), pairs):
            for side in order:
                speed = engine_speed if side == "engine" else _bare_speed
                speeds[side].append(speed(engine, request))
        threads = engine.describe().threads
    ratio = paired_ratio(speeds["engine"], speeds["bare"])
    best = max(speeds["bare"])
    note = f"{tokens} tokens, {threads} threads, bare loop up to {best:.0f} tokens/s"
    return [
        OBSERVER_RATIO.measured(
            ratio.ratio, n=ratio.n, interval=(ratio.low, ratio.high), reason=note
        )
    ]


def _bare_speed(engine: LocalEngine, request: Request) -> float:
    reading = engine.probe("bare_generate", request=request)
    return float(reading["tokens"]) * 1e9 / float(reading["ns"])
