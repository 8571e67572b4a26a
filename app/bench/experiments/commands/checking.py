"""`check`: did something get slower since a baseline? For a user's own CI."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from app.bench.environment import hardware_name
from app.bench.experiments.baseline import Baseline, read_baseline
from app.bench.experiments.check import (
    LEAST_STARTS,
    MEMORY,
    TIMES,
    CheckLine,
    Moved,
    judged,
    paired,
    percent,
    unpaired,
)
from app.bench.experiments.commands.common import (
    EXIT_DONE,
    EXIT_INCOMPLETE,
    EXIT_NOTHING,
    EXIT_STOPPED,
    EXIT_UNSURE,
    AsJson,
    console,
    echo_json,
    told,
)
from app.bench.experiments.commands.following import warn_if_busy
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.samples import RunSample
from app.bench.experiments.starts import (
    Start,
    Version,
    one_start,
    other_version,
    samples_of,
    this_version,
)
from app.bench.experiments.statistics import counted_runs
from app.bench.experiments.tables import show_check
from backends.errors import DynoError
from backends.settings import get_settings

Runs = Sequence[RunSample]


def check(
    baseline: Annotated[Path, typer.Argument(help="As `export ID --json FILE` wrote it.")],
    slower: Annotated[
        str, typer.Option("--fail-if-slower", metavar="10%", help="Of TTFT, TPOT and E2E.")
    ] = "",
    more_memory: Annotated[
        str, typer.Option("--fail-if-more-memory", metavar="10%", help="Of peak memory.")
    ] = "",
    setup: Annotated[
        list[str] | None, typer.Option("--setup", metavar="LABEL", help="Only this one; repeat it.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A checkout of the baseline's version, to run beside."),
    ] = None,
    python: Annotated[
        Path | None, typer.Option(help="Its Python; else its .venv's, else this one.")
    ] = None,
    starts: Annotated[
        int | None,
        typer.Option(min=LEAST_STARTS, help="Of each version; else the plan's repeats, at least 6"),
    ] = None,
    other_machine: Annotated[
        bool, typer.Option("--other-machine", help="Compare although the hardware is another.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a baseline's plan again here and fail if something got slower than is allowed.

    Exit code 1 where a whole 95 % interval lies above the bound, 0 where all of every interval
    lies below, 3 where one holds the bound (more starts would tell), 2 where something could not be
    run, 130 after Ctrl-C. --fail-if-slower 0% asks whether it is slower at all.
    """
    out = console()
    with told(out, as_json):
        bounds = _bounds(slower, more_memory)
        read = read_baseline(baseline)
        plan = _chosen(read.experiment.plan, setup or [])
        if against is None and not other_machine:
            _refuse_other_hardware(read)
        count = starts or max(LEAST_STARTS, plan.repeats)
        warn_if_busy(out)
        moved, left_out = _made(read, plan, bounds, count, against, python, out)
        lines = judged(moved, bounds, is_paired=against is not None)
        show_check(lines, left_out, out, is_paired=against is not None)
        code = _exit_code(lines, left_out)
        if as_json:
            echo_json(_as_json(lines, left_out, code, is_paired=against is not None))
    raise typer.Exit(code)


def _made(
    baseline: Baseline,
    plan: Plan,
    bounds: dict[str, float],
    count: int,
    against: Path | None,
    python: Path | None,
    out: Console,
) -> tuple[list[Moved], dict[str, str]]:
    """What moved, and the setups that failed. Without `against` now is held against the file."""
    settings = get_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="check-", dir=settings.data_dir) as folder:
        versions = [this_version(Path(folder) / "now")]
        if against is not None:
            versions.append(other_version(against, python, Path(folder) / "then"))
        made = _started(versions, plan, baseline, count, out)
        runs = [
            samples_of(version, starts, settings)
            for version, starts in zip(versions, made, strict=True)
        ]
    left_out = {
        f"{label}{where}": said
        for starts, where in zip(made, ("", " in the baseline's version"), strict=False)
        for start in starts
        for label, said in start.left_out.items()
    }
    moved = []
    for index, label in enumerate(plan.labels):
        now = [counted_runs(index, start) for start in runs[0]]
        if against is not None:
            then = [counted_runs(index, start) for start in runs[1]]
            moved += paired(label, then, now, bounds)
        else:
            moved += unpaired(label, _of_baseline(baseline, label), now, bounds)
    return moved, left_out


def _started(
    versions: Sequence[Version], plan: Plan, baseline: Baseline, count: int, out: Console
) -> list[list[Start]]:
    """So many starts of each version: A B, B A, A B …, so that a machine that drifts hits both."""
    made: list[list[Start]] = [[] for _ in versions]
    with Progress(console=out, transient=True) as bar:
        task = bar.add_task("starts", total=count * len(versions))
        for number in range(count):
            order = range(len(versions)) if number % 2 == 0 else reversed(range(len(versions)))
            for which in order:
                whose = "the baseline's version" if which else "this version"
                doing = f"start {number + 1} of {count}: {whose}"
                bar.update(task, description=doing)
                if not out.is_terminal:
                    out.print(doing, highlight=False)
                try:
                    made[which].append(one_start(versions[which], plan, baseline.workload, number))
                except KeyboardInterrupt:
                    out.print(f"It was stopped in start {number + 1} of {count}; nothing is told.")
                    raise typer.Exit(EXIT_STOPPED) from None
                bar.advance(task)
    return made


def _bounds(slower: str, more_memory: str) -> dict[str, float]:
    bounds = dict.fromkeys(TIMES, percent(slower)) if slower else {}
    bounds |= dict.fromkeys(MEMORY, percent(more_memory)) if more_memory else {}
    if not bounds:
        raise DynoError("What is too much?", "Say --fail-if-slower 10%, --fail-if-more-memory 5%.")
    return bounds


def _chosen(plan: Plan, labels: Sequence[str]) -> Plan:
    """The plan with the setups of these labels, all where none is named."""
    unknown = [label for label in labels if label not in plan.labels]
    if unknown:
        known = ", ".join(f"“{label}”" for label in plan.labels)
        raise DynoError(f"The baseline has no setup “{unknown[0]}”.", f"It has {known}.")
    named = zip(plan.labels, plan.setups, strict=True)
    setups = [
        PlannedSetup(label=label, setup=one.setup)
        for label, one in named
        if not labels or label in labels
    ]
    return plan.model_copy(update={"setups": tuple(setups)})


def _of_baseline(baseline: Baseline, label: str) -> Runs:
    return counted_runs(baseline.experiment.plan.labels.index(label), baseline.samples)


def _refuse_other_hardware(baseline: Baseline) -> None:
    if set(baseline.hardware) - {hardware_name()}:
        raise DynoError(
            f"The baseline was made on {', '.join(baseline.hardware)}; this is {hardware_name()}.",
            "Run both versions here with --against FOLDER, or say --other-machine.",
        )


def _exit_code(lines: Sequence[CheckLine], left_out: dict[str, str]) -> int:
    verdicts = {line.verdict for line in lines}
    if "over" in verdicts:
        return EXIT_INCOMPLETE
    if left_out or not _is_measured(lines):
        return EXIT_NOTHING
    return EXIT_UNSURE if "cannot tell" in verdicts else EXIT_DONE


def _is_measured(lines: Sequence[CheckLine]) -> bool:
    """Whether something tells of each setup what each bound asks. An answer of one token has no
    TPOT, and its other times do."""
    asked = {(line.setup, line.metric in MEMORY) for line in lines}
    told = {(one.setup, one.metric in MEMORY) for one in lines if one.verdict != "not measured"}
    return bool(asked) and asked == told


def _as_json(
    lines: Sequence[CheckLine], left_out: dict[str, str], code: int, *, is_paired: bool
) -> dict[str, Any]:
    words = {
        EXIT_DONE: "passed",
        EXIT_INCOMPLETE: "slower",
        EXIT_NOTHING: "could not be done",
        EXIT_UNSURE: "cannot tell",
    }
    return {
        "verdict": words[code],
        "paired": is_paired,
        "left_out": left_out,
        "lines": [asdict(line) for line in lines],
    }
