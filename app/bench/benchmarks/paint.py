"""Is a token on the screen at once, and what does showing it cost? Two columns in Chromium.

First paints and updates are seen by the page itself; the stamps they are compared with are the
worker's, from the run's record. One machine, so one clock, and its error is told.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console

from app.bench.benchmarks import ui_ratio
from app.bench.benchmarks.browser import (
    PROMPT_BOX,
    Paint,
    chromium,
    clock_offset,
    new_page,
    paints,
    send,
    watch,
)
from app.bench.benchmarks.intervals import SAMPLES_FOR_P95, mean_interval, quantile_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.benchmarks.server_process import ServerProcess
from app.bench.conversation import Column, Comparison
from app.bench.record import RunRecord
from backends.errors import DynoError
from backends.request import Sampling
from backends.setup import Setup

PAINT_P95 = Target("paint_p95_seconds", "s", "lower", bar=0.1)
UPDATES = Target("paint_updates_per_second", "1/s", "higher", bar=20.0)
TARGETS = (PAINT_P95, UPDATES, *ui_ratio.TARGETS)

_TOKENS = 128
_TURNS_A_PAGE = 5
_LEAST_STREAM_NS = 200_000_000


@dataclass(slots=True)
class _Seen:
    """What was seen of all answers so far. `delays`: first paint − stamp of the first text."""

    delays: list[float] = field(default_factory=list)
    by_column: dict[int, list[float]] = field(default_factory=dict)
    updates_per_second: list[float] = field(default_factory=list)
    uncertainty_ns: int = 0
    never_painted: int = 0


def measure(console: Console, model: str, turns: int, pairs: int) -> list[BenchmarkRecord]:
    """`turns` prompts to two columns in Chromium, then `pairs` runs watched and not watched."""
    with (
        tempfile.TemporaryDirectory(prefix="dyno-bench-") as scratch,
        ServerProcess(Path(scratch) / "data") as server,
    ):
        server.wait_answering()
        return [*_on_screen(server, model, turns), *ui_ratio.measure(server, model, pairs)]


def _on_screen(server: ServerProcess, model: str, turns: int) -> list[BenchmarkRecord]:
    seen = _Seen()
    try:
        with chromium() as browser, new_page(browser) as page:
            done = 0
            while done < turns:
                count = min(_TURNS_A_PAGE, turns - done)
                conversation = server.start_conversation(_two_columns(model))
                page.goto(f"{server.url}/?c={conversation}")
                page.locator(PROMPT_BOX).wait_for()
                offset = watch(page)
                runs = []
                for turn in range(count):
                    send(page, f"Tell me a short story about a fox, number {done + turn}.")
                    runs.append(server.finished_turn(conversation, turn))
                    page.locator(PROMPT_BOX).wait_for()
                drift = abs(clock_offset(page).offset_ns - offset.offset_ns)
                seen.uncertainty_ns = max(seen.uncertainty_ns, offset.uncertainty_ns + drift)
                _add(seen, runs, paints(page, offset))
                done += count
    except DynoError as error:
        reason = f"{error.message} {error.remedy}"
        return [target.not_measured(reason) for target in (PAINT_P95, UPDATES)]
    return [_p95(seen), _updates(seen)]


def _two_columns(model: str) -> Comparison:
    return Comparison(
        columns=(
            Column(setup=Setup(model=model, history="none")),
            Column(setup=Setup(model=model, history="none", kv_cache="off")),
        ),
        sampling=Sampling(max_new_tokens=_TOKENS, fixed_length=True),
    )


def _add(seen: _Seen, runs: list[dict[str, RunRecord]], painted: list[Paint]) -> None:
    for turn, by_column in enumerate(runs):
        for run in by_column.values():
            stamp_ns = _first_text_ns(run)
            mine = [paint for paint in painted if (paint.column, paint.turn) == (run.column, turn)]
            if stamp_ns is None:
                continue
            if not mine:
                seen.never_painted += 1
                continue
            delay = (mine[0].t_ns - stamp_ns) / 1e9
            seen.delays.append(delay)
            seen.by_column.setdefault(mine[0].column, []).append(delay)
            streamed_ns = run.chunks[-1].t_ns - mine[0].t_ns
            if streamed_ns >= _LEAST_STREAM_NS:
                during = [paint for paint in mine[1:] if paint.t_ns <= run.chunks[-1].t_ns]
                seen.updates_per_second.append(len(during) * 1e9 / streamed_ns)


def _first_text_ns(run: RunRecord) -> int | None:
    """When the worker had the first text that can be seen."""
    return next((chunk.t_ns for chunk in run.chunks if chunk.text.strip()), None)


def _p95(seen: _Seen) -> BenchmarkRecord:
    n = len(seen.delays)
    if seen.never_painted:
        return PAINT_P95.not_measured(f"{seen.never_painted} answers never appeared", n=n)
    if n < SAMPLES_FOR_P95:
        few = f"{SAMPLES_FOR_P95} answers are needed, {n} seen; median {_medians(seen)}"
        return PAINT_P95.not_measured(few, n=n)
    value, low, high = quantile_interval(seen.delays, 0.95)
    note = f"median {_medians(seen)}; clocks agree to {seen.uncertainty_ns / 1e6:.2g} ms"
    return PAINT_P95.measured(value, n=n, interval=(low, high), reason=note)


def _medians(seen: _Seen) -> str:
    """The middle delay of each column: the first is drawn with the page, the others into it."""
    columns = sorted(seen.by_column.items())
    return ", ".join(f"{median(delays):.3g} s in column {number}" for number, delays in columns)


def _updates(seen: _Seen) -> BenchmarkRecord:
    if not seen.updates_per_second:
        return UPDATES.not_measured("no answer streamed long enough")
    mean, low, high = mean_interval(seen.updates_per_second)
    note = f"slowest answer {min(seen.updates_per_second):.3g}"
    return UPDATES.measured(mean, n=len(seen.updates_per_second), interval=(low, high), reason=note)
