"""How honestly servers are measured: against another benchmark, and what our client costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from app.bench.benchmarks import remote_client, remote_timing
from app.bench.benchmarks.records import BenchmarkRecord, Target
from backends.errors import DynoError

TARGETS = (*remote_timing.TARGETS, *remote_client.TARGETS)

# A short request takes milliseconds, and its noise is as large as what is looked for.
_ROUNDS_A_PAIR = 20
_Measure = Callable[[Console, int], list[BenchmarkRecord]]


def measure(console: Console, pairs: int, only: str = "") -> list[BenchmarkRecord]:
    """All figures, or those whose name holds `only`. What cannot be measured says why."""
    records: list[BenchmarkRecord] = []
    for targets, measured in _FIGURES:
        if not any(only in target.name for target in targets):
            continue
        console.print(f"Measuring {', '.join(target.name for target in targets)}")
        try:
            records += measured(console, pairs)
        except DynoError as error:
            reason = f"{error.message} {error.remedy}".strip()
            records += [target.not_measured(reason) for target in targets]
    return records


def _client(console: Console, pairs: int) -> list[BenchmarkRecord]:
    return remote_client.measure(pairs * _ROUNDS_A_PAIR)


_FIGURES: tuple[tuple[Sequence[Target], _Measure], ...] = (
    (remote_timing.TARGETS, remote_timing.measure),
    (remote_client.TARGETS, _client),
)
