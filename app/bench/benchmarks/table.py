"""The small table that a person sees: figure, value, interval, bar, verdict."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from app.bench.benchmarks.records import BenchmarkRecord


def show(records: Sequence[BenchmarkRecord], console: Console) -> None:
    """Print the records and, under them, whatever has to be said about one."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("figure", "value", "95 % interval", "unit", "n", "bar", ""):
        table.add_column(heading, justify="left" if heading in ("figure", "unit", "") else "right")
    for record in records:
        table.add_row(
            record.name,
            _number(record.value),
            _interval(record),
            record.unit,
            str(record.n),
            _bar(record),
            _verdict(record),
        )
    console.print(table)
    for record in records:
        if record.reason:
            console.print(f"{record.name}: {record.reason}", highlight=False, markup=False)
    if records:
        first = records[0]
        console.print(f"{first.hardware} · {first.date}", style="dim", highlight=False)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


def _interval(record: BenchmarkRecord) -> str:
    if record.low is None or record.high is None:
        return ""
    return f"{record.low:.4g} to {record.high:.4g}"


def _bar(record: BenchmarkRecord) -> str:
    if record.bar is None:
        return ""
    return f"{'≥' if record.better == 'higher' else '≤'} {record.bar:g}"


def _verdict(record: BenchmarkRecord) -> str:
    if record.holds is None:
        return ""
    return "[green]holds[/green]" if record.holds else "[red]falls short[/red]"
