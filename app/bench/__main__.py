"""`python -m app.bench NAME`: the doctor, experiments, and the benchmarks of the app itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.bench.benchmarks import kv as kv_benchmark
from app.bench.benchmarks import llamacpp as llamacpp_benchmark
from app.bench.benchmarks import observer as observer_benchmark
from app.bench.benchmarks import overhead as overhead_benchmark
from app.bench.benchmarks import paint as paint_benchmark
from app.bench.benchmarks import power as power_benchmark
from app.bench.benchmarks import remote as remote_benchmark
from app.bench.benchmarks import scale as scale_benchmark
from app.bench.benchmarks import setups as setups_benchmark
from app.bench.benchmarks import soak as soak_benchmark
from app.bench.benchmarks import startup as startup_benchmark
from app.bench.benchmarks.quiet import refuse_if_busy
from app.bench.benchmarks.records import (
    EXIT_FALLS_SHORT,
    BenchmarkRecord,
    Target,
    exit_code,
    json_line,
)
from app.bench.benchmarks.table import show
from app.bench.doctor import Check, diagnose
from app.bench.experiments import commands as experiment_commands
from backends.catalog import BUNDLED
from backends.errors import DynoError
from backends.settings import ROOT

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Runs experiments, measures LLM Dyno itself, and tells what works on this machine.",
)
experiment_commands.add_to(app)

AsJson = Annotated[bool, typer.Option("--json", help="Print the records as JSON on the last line.")]
Force = Annotated[bool, typer.Option("--force", help="Measure although other work runs.")]
Model = Annotated[str, typer.Option(help="A model of the catalog, a folder or a Hub id.")]
Pairs = Annotated[int, typer.Option(min=1, help="How many interleaved pairs.")]
Only = Annotated[str, typer.Option(help="Only figures with this in their name.")]


@app.command()
def observer(
    as_json: AsJson = False, force: Force = False, model: Model = BUNDLED, pairs: Pairs = 24
) -> None:
    """The engine's speed against a bare loop in the same worker."""
    _run(
        observer_benchmark.TARGETS,
        lambda console: observer_benchmark.measure(console, model, pairs),
        as_json=as_json,
        force=force,
    )


@app.command()
def kv(
    as_json: AsJson = False, force: Force = False, model: Model = BUNDLED, pairs: Pairs = 8
) -> None:
    """The KV cache on against off at 512 tokens of context."""
    _run(
        kv_benchmark.TARGETS,
        lambda console: kv_benchmark.measure(console, model, pairs),
        as_json=as_json,
        force=force,
    )


@app.command()
def llamacpp(
    as_json: AsJson = False, force: Force = False, model: Model = BUNDLED, pairs: Pairs = 24
) -> None:
    """llama.cpp through our engine, against a bare loop and against transformers."""
    _run(
        llamacpp_benchmark.TARGETS,
        lambda console: llamacpp_benchmark.measure(console, model, pairs),
        as_json=as_json,
        force=force,
    )


@app.command()
def setups(
    as_json: AsJson = False,
    force: Force = False,
    model: Model = BUNDLED,
    pairs: Pairs = 24,
    only: Only = "",
) -> None:
    """What each optimisation is worth: KV cache, prefix, speculation, weights, loading."""
    targets = [target for target in setups_benchmark.TARGETS if only in target.name]
    _run(
        targets,
        lambda console: setups_benchmark.measure(console, model, pairs, only),
        as_json=as_json,
        force=force,
    )


@app.command()
def remote(
    as_json: AsJson = False,
    force: Force = False,
    pairs: Pairs = 12,
    only: Only = "",
) -> None:
    """How servers are measured, against guidellm and a bare client; and llama.cpp here."""
    _run(
        [target for target in remote_benchmark.TARGETS if only in target.name],
        lambda console: remote_benchmark.measure(console, pairs, only),
        as_json=as_json,
        force=force,
    )


@app.command()
def power(
    as_json: AsJson = False,
    force: Force = False,
    model: Model = BUNDLED,
    pairs: Annotated[int, typer.Option(min=6, help="Of starts that are measured.")] = 12,
    simulations: Annotated[int, typer.Option(min=2_000, help="Simulated checks.")] = 20_000,
) -> None:
    """How often `check` finds a slow-down of 3 %, and one that is not there."""
    _run(
        power_benchmark.TARGETS,
        lambda console: power_benchmark.measure(console, model, simulations, pairs),
        as_json=as_json,
        force=force,
    )


@app.command()
def overhead(
    as_json: AsJson = False,
    force: Force = False,
    model: Model = BUNDLED,
    repeats: Annotated[int, typer.Option(min=1, help="How many experiments.")] = 6,
) -> None:
    """What an experiment costs beside its runs, warm-ups and loads."""
    _run(
        overhead_benchmark.TARGETS,
        lambda console: overhead_benchmark.measure(console, model, repeats),
        as_json=as_json,
        force=force,
    )


@app.command()
def scale(
    as_json: AsJson = False,
    force: Force = False,
    runs: Annotated[int, typer.Option(min=1_000, help="Made-up runs in the store.")] = 100_000,
    repeats: Annotated[int, typer.Option(min=1, help="How many servers, one by one.")] = 5,
) -> None:
    """How quick the pages are, and how large the app, with very many runs in the store."""
    _run(
        scale_benchmark.TARGETS,
        lambda console: scale_benchmark.measure(console, runs, repeats),
        as_json=as_json,
        force=force,
    )


@app.command()
def gpu() -> None:
    """What a CUDA GPU here delivers on a model of a 7B's shape; needs no weights."""
    script = ROOT / "backends" / "local" / "gpu_probe.py"
    raise typer.Exit(subprocess.run([sys.executable, str(script)], check=False).returncode)


@app.command()
def startup(
    as_json: AsJson = False,
    force: Force = False,
    model: Model = BUNDLED,
    repeats: Annotated[int, typer.Option(min=1, help="How many measured starts.")] = 7,
) -> None:
    """From the start command to an interactive page, and until an engine is ready."""
    _run(
        startup_benchmark.TARGETS,
        lambda console: startup_benchmark.measure(console, model, repeats),
        as_json=as_json,
        force=force,
    )


@app.command()
def paint(
    as_json: AsJson = False,
    force: Force = False,
    model: Model = BUNDLED,
    turns: Annotated[int, typer.Option(min=1, help="Prompts to two columns in Chromium.")] = 120,
    pairs: Pairs = 24,
) -> None:
    """How soon a token is on the screen, and what showing it costs."""
    _run(
        paint_benchmark.TARGETS,
        lambda console: paint_benchmark.measure(console, model, turns, pairs),
        as_json=as_json,
        force=force,
    )


@app.command()
def soak(
    as_json: AsJson = False,
    force: Force = False,
    model: Model = BUNDLED,
    conversations: Annotated[int, typer.Option(min=1, help="Of ten turns each.")] = 10,
) -> None:
    """A hundred prompts over four setups: does anything grow or stay behind?"""
    _run(
        soak_benchmark.TARGETS,
        lambda console: soak_benchmark.measure(console, model, conversations),
        as_json=as_json,
        force=force,
    )


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What works on this machine, and what to do where something does not."""
    checks = diagnose()
    _show_checks(checks, _console())
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    if any(not check.ok and not check.optional for check in checks):
        raise typer.Exit(EXIT_FALLS_SHORT)


def _run(
    targets: Sequence[Target],
    measure: Callable[[Console], list[BenchmarkRecord]],
    *,
    as_json: bool,
    force: bool,
) -> None:
    """Measure unless the machine is busy, print, and exit as the records say."""
    console = _console()
    try:
        if not force:
            refuse_if_busy()
        records = measure(console)
    except DynoError as error:
        reason = f"{error.message} {error.remedy}".strip()
        records = [target.not_measured(reason) for target in targets]
    show(records, console)
    if as_json:
        typer.echo(json_line(records))
    raise typer.Exit(exit_code(records))


def _show_checks(checks: Sequence[Check], console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        mark = "[green]works[/green]" if check.ok else "[red]does not[/red]"
        if not check.ok and check.optional:
            mark = "[yellow]optional[/yellow]"
        table.add_row(check.name, mark, escape(check.detail))
        if check.remedy:
            table.add_row("", "", f"[dim]{escape(check.remedy)}[/dim]")
    console.print(table)


def _console() -> Console:
    """A terminal's own width; wide enough for a table where the output goes to a file."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


if __name__ == "__main__":
    app(prog_name="python -m app.bench")
