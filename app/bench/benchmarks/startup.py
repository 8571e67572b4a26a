"""How long a user waits: from the start command to a page, and until an engine is ready.

Files are warm (one start is not measured). The browser runs already: its own start is not ours.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from app.bench.benchmarks.browser import PROMPT_BOX, chromium, new_page
from app.bench.benchmarks.intervals import mean_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.benchmarks.server_process import BENCH_ENTRY, SHIPPED_ENTRY, ServerProcess
from backends.errors import DynoError
from backends.setup import Setup

STARTUP = Target("startup_seconds", "s", "lower", bar=4.0)
ENGINE_READY = Target("engine_ready_seconds", "s", "lower", bar=2.0)
ENGINE_READY_COLD = Target("engine_ready_cold_seconds", "s", "lower")
TARGETS = (STARTUP, ENGINE_READY, ENGINE_READY_COLD)


def measure(console: Console, model: str, repeats: int) -> list[BenchmarkRecord]:
    """`repeats` starts of the shipped entry and of the benchmark entry, `repeats` loads."""
    with tempfile.TemporaryDirectory(prefix="dyno-bench-") as scratch:
        return [
            *_page(Path(scratch) / "page", repeats),
            *_engine(Path(scratch) / "engine", model, repeats),
        ]


def _page(folder: Path, repeats: int) -> list[BenchmarkRecord]:
    try:
        with chromium() as browser:
            samples = []
            for index in range(repeats + 1):
                with new_page(browser) as page, ServerProcess(folder, SHIPPED_ENTRY) as server:
                    server.wait_answering()
                    page.goto(server.url)
                    # Interactive is when the box takes what is typed, not when it is drawn.
                    page.locator(PROMPT_BOX).fill("x")
                    seconds = (time.monotonic_ns() - server.started_ns) / 1e9
                if index:
                    samples.append(seconds)
    except DynoError as error:
        return [STARTUP.not_measured(f"{error.message} {error.remedy}")]
    return [_mean(STARTUP, samples, "start command to a prompt box that takes text, warm files")]


def _engine(folder: Path, model: str, repeats: int) -> list[BenchmarkRecord]:
    setup = Setup(model=model)
    try:
        cold = []
        for _ in range(repeats):
            with ServerProcess(folder, BENCH_ENTRY) as server:
                server.wait_answering()
                server.load(setup)
                cold.append((time.monotonic_ns() - server.started_ns) / 1e9)
        warm = []
        with ServerProcess(folder, BENCH_ENTRY) as server:
            server.wait_answering()
            server.wait_preloaded()
            for _ in range(repeats):
                warm.append(server.load(setup))
                server.unload()
    except DynoError as error:
        reason = f"{error.message} {error.remedy}"
        return [target.not_measured(reason) for target in (ENGINE_READY, ENGINE_READY_COLD)]
    return [
        _mean(ENGINE_READY, warm, "asked of the pool until ready, host preloaded"),
        _mean(ENGINE_READY_COLD, cold, "start command until an engine is ready, warm files"),
    ]


def _mean(target: Target, samples: Sequence[float], note: str) -> BenchmarkRecord:
    mean, low, high = mean_interval(samples)
    slowest = f"{note}; mean, slowest {max(samples):.3g} s"
    return target.measured(mean, n=len(samples), interval=(low, high), reason=slowest)
