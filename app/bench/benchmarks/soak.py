"""A hundred prompts over four setups in one server: does memory grow, is anything left behind?

Each conversation has a page of its own that is drawn after every prompt, as a visitor's would.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console

from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.benchmarks.server_process import ServerProcess
from app.bench.benchmarks.viewer import Viewer
from app.bench.conversation import Column, Comparison
from backends.request import Sampling
from backends.setup import Setup

GROWTH = Target("soak_growth_mb", "MB", "lower", bar=50.0)
LEFT_BEHIND = Target("soak_left_behind", "things", "lower", bar=0.0)
MISSING_RUNS = Target("soak_missing_runs", "runs", "lower", bar=0.0)
TARGETS = (GROWTH, LEFT_BEHIND, MISSING_RUNS)

TURNS = 10
_SETTLED_AFTER_PROMPTS = 20
_NEW_TOKENS = 32
_READINGS = 5
_PROMPTS = (
    "What is the KV cache?",
    "Why is decode slower than prefill?",
    "Tell me a short story about a fox.",
    "What is speculative decoding?",
    "What is the capital of Norway?",
)


def measure(console: Console, model: str, conversations: int) -> list[BenchmarkRecord]:
    """Ten turns in each conversation; memory is compared with what it was after 20 prompts."""
    comparison = Comparison(columns=_columns(model), sampling=Sampling(max_new_tokens=_NEW_TOKENS))
    settled: float | None = None
    asked = 0
    with tempfile.TemporaryDirectory(prefix="dyno-bench-") as scratch:
        server = ServerProcess(Path(scratch) / "data")
        try:
            server.wait_answering()
            for number in range(conversations):
                conversation = server.start_conversation(comparison)
                with Viewer(server.port) as viewer:
                    viewer.ask(c=conversation)
                    viewer.wait_drawn()
                    for turn in range(TURNS):
                        server.start_turn(conversation, _PROMPTS[(number + turn) % len(_PROMPTS)])
                        viewer.ask(c=conversation)
                        viewer.wait_drawn()
                        server.finished_turn(conversation, turn)
                        asked += 1
                        if asked == _SETTLED_AFTER_PROMPTS:
                            settled = _memory_mb(server)
                console.print(f"{asked} prompts, {_memory_mb(server):.0f} MB", style="dim")
            end, runs = _memory_mb(server), int(server.state()["runs"])
        finally:
            left = server.end()
    return [
        _growth(settled, end, asked),
        LEFT_BEHIND.measured(len(left), n=1, reason=", ".join(left)),
        MISSING_RUNS.measured(
            asked * len(comparison.columns) - runs, n=asked, reason=f"{runs} runs are stored"
        ),
    ]


def _columns(model: str) -> tuple[Column, ...]:
    return (
        Column(setup=Setup(model=model)),
        Column(setup=Setup(model=model, kv_cache="off")),
        Column(setup=Setup(model=model, weights="bf16")),
        Column(setup=Setup(model=model, weights="fp16")),
    )


def _growth(settled: float | None, end: float, asked: int) -> BenchmarkRecord:
    if settled is None or asked <= _SETTLED_AFTER_PROMPTS:
        return GROWTH.not_measured(
            f"more than {_SETTLED_AFTER_PROMPTS} prompts are needed", n=asked
        )
    note = f"app and host, {settled:.0f} MB after prompt {_SETTLED_AFTER_PROMPTS}, {end:.0f} MB now"
    return GROWTH.measured(end - settled, n=asked, reason=note)


def _memory_mb(server: ServerProcess) -> float:
    """Resident memory of the server and the engine host (not the workers): median of a few."""
    processes = [psutil.Process(server.pid), psutil.Process(int(server.state()["host"]))]
    readings = []
    for _ in range(_READINGS):
        readings.append(sum(process.memory_info().rss for process in processes) / 1e6)
        time.sleep(0.1)
    return float(median(readings))
