"""What the benchmarks without a page need: engines, the device's queue, and runs in pairs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console

from app.bench.conversation import Column
from app.bench.figures import decode_rate
from app.bench.lane import Lane
from app.bench.prices import PriceBook
from app.bench.record import RunRecord
from app.bench.runner import Bench, RunOrder, run
from app.bench.scheduler import Place, Scheduler
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.host.shared import close_shared_host
from backends.pool import EnginePool
from backends.request import Message, Request, Sampling
from backends.settings import get_settings
from backends.setup import Setup
from backends.worker.engine import LocalEngine

_T = TypeVar("_T")
SHORT_PROMPT = "What is the KV cache?"


@contextlib.contextmanager
def opened_bench(scheduler: Scheduler | None = None) -> Iterator[Bench]:
    """Pool, scheduler and prices of this process; engines and their host end with it."""
    settings = get_settings()
    budget = settings.memory_budget_gb
    pool = EnginePool(settings.max_engines, int(budget * 1e9) if budget is not None else None)
    try:
        yield Bench(pool, scheduler or Scheduler(), PriceBook.load(settings))
    finally:
        pool.close()
        close_shared_host()


def equal_work(prompt: str, tokens: int) -> Request:
    """Greedy, and exactly `tokens` new tokens whatever the model would say."""
    sampling = Sampling(max_new_tokens=tokens, fixed_length=True)
    return Request(messages=(Message(role="user", content=prompt),), sampling=sampling)


def finished_run(bench: Bench, setup: Setup, request: Request, console: Console) -> RunRecord:
    """One run through queue and pool. Raises its `DynoError` where it did not finish."""
    lane = _TellingLane(Column(setup=setup), f"benchmark {setup.weights}", console=console)
    order = RunOrder(setup=setup, request=request, label=lane.label, purpose="benchmark")
    record = run(bench, order, lane, CancelToken())
    if record.status != "finished":
        raise lane.error or DynoError(f"A run ended as {record.status}.")
    return record


def engine_speed(engine: LocalEngine, request: Request) -> float:
    """Tokens a second from "request accepted" to "free again", asked of the engine itself."""
    report = None
    for chunk in engine.generate(request, CancelToken()):
        report = chunk.report or report
    if report is None or report.usage.output_tokens is None:
        raise DynoError("The engine ended without a report.")
    return report.usage.output_tokens * 1e9 / (report.ended_ns - report.accepted_ns)


def decode_speed(record: RunRecord) -> float:
    """Tokens a second, as the chat page shows it. Raises `DynoError` where there is none."""
    value = decode_rate(record).value
    if value is None:
        raise DynoError("A run was too short to have a decode speed.")
    return float(value)


class _TellingLane(Lane):
    """A lane that says on the console for whom it waits, once for each."""

    def __init__(self, column: Column, label: str, *, console: Console) -> None:
        super().__init__(column, label)
        self._told: set[str] = set()
        self._console = console

    def set_place(self, place: Place) -> None:
        tell_place(self._console, self._told, place)


def tell_place(console: Console, told: set[str], place: Place) -> None:
    """Say that the device is taken, and by whom, unless that was said before."""
    if place.holder not in told:
        told.add(place.holder)
        console.print(f"Waiting for the device: {place.holder or 'in the queue'}", markup=False)


def interleaved(pair: Sequence[_T], times: int) -> Iterator[Sequence[_T]]:
    """A B, B A, A B, …: so that a machine that drifts hits both alike."""
    for index in range(times):
        yield pair if index % 2 == 0 else list(reversed(pair))
