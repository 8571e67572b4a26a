"""How honestly servers are measured, against another benchmark and a bare client; and what
llama.cpp, the engine behind some of them, delivers here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from app.bench.benchmarks import llamacpp, remote_client, remote_timing
from app.bench.benchmarks.records import BenchmarkRecord, Target
from backends.catalog import BUNDLED
from backends.errors import DynoError

TARGETS = (*remote_timing.TARGETS, *remote_client.TARGETS, *llamacpp.TARGETS)

# A short request takes milliseconds, and its noise is as large as what is looked for.
_ROUNDS_A_PAIR = 20
_LLAMACPP_PAIRS_A_PAIR = 2
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


def _llamacpp(console: Console, pairs: int) -> list[BenchmarkRecord]:
    return llamacpp.measure(console, BUNDLED, pairs * _LLAMACPP_PAIRS_A_PAIR)


_FIGURES: tuple[tuple[Sequence[Target], _Measure], ...] = (
    (remote_timing.TARGETS, remote_timing.measure),
    (remote_client.TARGETS, _client),
    (llamacpp.TARGETS, _llamacpp),
)
