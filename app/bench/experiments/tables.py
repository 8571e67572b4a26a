"""What the command line shows of experiments: lists, medians, ratios, what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.bench.experiments.check import CheckLine
from app.bench.experiments.environments import Change
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.figure_text import Scale, scale_of, short_title
from app.bench.experiments.findings import Findings
from app.bench.experiments.samples import MEDIANS, SetupFigure
from app.bench.experiments.statistics import MetricRatio, Move
from app.bench.experiments.words import (
    STARTS_DIFFER,
    check_words,
    compared,
    ratio_text,
    remarks,
    times_text,
)
from app.bench.figures import metric_named
from app.bench.format import bytes_text, duration
from app.bench.quality.figures import IS_REFERENCE
from app.bench.store import RunSummary

_COLOURS = {"better": "green", "worse": "red", "no difference shown": "dim", "not compared": "dim"}


def show_experiments(experiments: Sequence[Experiment], console: Console) -> None:
    table = _table("id", "begun (UTC)", "name", "setups", "workload", "state", "")
    for one in experiments:
        left_out = [f"{label} failed" for label in one.left_out]
        table.add_row(
            one.id,
            f"{one.created_at:%Y-%m-%d %H:%M}",
            escape(one.plan.name),
            str(len(one.plan.setups)),
            escape(one.plan.workload),
            one.state,
            escape("; ".join(filter(None, [one.reason, *left_out]))),
        )
    console.print(table if experiments else "There is no experiment yet.")


def show_runs(runs: Sequence[RunSummary], matching: int, console: Console) -> None:
    """Runs with their figures, newest first; `matching` is how many there are in all."""
    if not runs:
        console.print("There is no such run yet.")
        return
    table = _table(
        *("made (UTC)", "setup", "model", "ended", "TTFT", "TPOT", "E2E", "answer", "memory"),
        "",
    )
    for run in runs:
        marks = [run.error or ""] if run.status == "failed" else []
        marks += ["cold"] if not run.warm and run.status == "finished" else []
        marks += ["shared the device"] if run.contended else []
        times = (run.ttft_ns, run.tpot_ns, run.e2e_ns)
        table.add_row(
            f"{run.created_at:%Y-%m-%d %H:%M:%S}",
            escape(run.label or run.setup_id),
            escape(run.model),
            run.status,
            *("" if time is None else duration(time) for time in times),
            "" if run.output_tokens is None else f"{run.output_tokens} tokens",
            "" if run.peak_memory_bytes is None else bytes_text(run.peak_memory_bytes),
            escape("; ".join(filter(None, marks))),
        )
    console.print(table)
    if matching > len(runs):
        console.print(f"{len(runs)} of {matching}: --limit shows more.", style="dim")


def show_conclusion(findings: Findings, console: Console) -> None:
    """The figures of each setup, their ratios to the first one's, and what is not in them."""
    experiment, conclusion = findings.experiment, findings.conclusion
    console.print(f"[bold]{escape(experiment.plan.name)}[/bold] ({experiment.id})", highlight=False)
    of_runs = [one for one in findings.metrics() if one.metric in MEDIANS]
    of_passes = [one for one in findings.metrics() if one.metric not in MEDIANS]
    counts = [len(findings.runs_of(setup.index)) for setup in findings.setups]
    medians = _figures(findings, of_runs, runs=counts)
    console.print("Medians with their 95 % intervals", style="dim", highlight=False)
    console.print(medians)
    if of_passes:
        console.print("What other passes found, with 95 % intervals", style="dim", highlight=False)
        console.print(_figures(findings, of_passes))
    reference, *others = conclusion.setups
    if others:
        shown = compared(conclusion)
        ratios = _table("setup", *(metric_named(name).title for name in shown))
        for other in others:
            cells = (_ratio(ratio) for ratio in other.ratios if ratio.metric in shown)
            ratios.add_row(escape(other.label), *cells)
        console.print(
            f"Ratios to {reference.label}, in pairs; all {conclusion.comparisons} intervals hold "
            "together with 95 %",
            style="dim",
            markup=False,
            highlight=False,
        )
        console.print(ratios)
    for line in remarks(findings):
        console.print(line, markup=False, highlight=False)


def _figures(findings: Findings, metrics: Sequence[SetupFigure], runs: Sequence[int] = ()) -> Table:
    """A row a setup, with how many runs it has where that is told."""
    counted = ["runs"] if runs else []
    table = _table("setup", *counted, *(short_title(one) for one in metrics))
    scales = [scale_of(one, findings.values(one.metric)) for one in metrics]
    for setup in findings.setups:
        found = (setup.measured(one.metric) for one in metrics)
        cells = (_figure(one, scale) for one, scale in zip(found, scales, strict=True))
        table.add_row(escape(setup.label), *map(str, runs[setup.index :][:1]), *cells)
    return table


def _figure(one: SetupFigure | None, scale: Scale) -> str:
    """Why there is none is said under the tables."""
    if one is None:
        return "[dim]not measured[/dim]"
    is_itself = one.reason == IS_REFERENCE
    return "[dim]the reference[/dim]" if is_itself else escape(scale.with_interval(one))


def show_moves(changes: Sequence[Change], found: Sequence[Move], console: Console) -> None:
    """What is another environment, and which figures moved beyond the spread of runs."""
    table = _table("changed", "before", "after")
    for change in changes:
        table.add_row(*(escape(text or "–") for text in (change.what, change.before, change.after)))
    console.print(table if changes else "Nothing known of the environment has changed.")
    moved = _table("setup", "figure", "second / first", "runs", "")
    for one in found:
        words = "[bold]moved[/bold]" if one.moved else "within the spread of runs"
        moved.add_row(
            escape(one.setup),
            one.title,
            escape(times_text(one.ratio, one.low, one.high)),
            f"{one.n[0]}, {one.n[1]}",
            words if one.ratio is not None else escape(one.reason),
        )
    console.print(moved if found else "The two experiments have no setup in common.")
    if found:
        console.print(STARTS_DIFFER, style="dim", highlight=False)


def show_check(
    lines: Sequence[CheckLine],
    left_out: Mapping[str, str],
    console: Console,
    *,
    is_paired: bool,
) -> None:
    """Each figure's change since the baseline, and what that says about its bound."""
    table = _table("setup", "figure", "now / baseline", "starts", "")
    for line in lines:
        colour = {"over": "red", "within": "green"}.get(line.verdict, "yellow")
        table.add_row(
            escape(line.setup),
            line.title,
            escape(times_text(line.ratio, line.low, line.high)),
            str(line.starts),
            f"[{colour}]{escape(check_words(line))}[/]",
        )
    how = "start by start, beside the baseline's version" if is_paired else "against the file"
    console.print(f"Compared {how}; all intervals hold together with 95 %", style="dim")
    console.print(table)
    for label, said in left_out.items():
        console.print(f"{label} failed: {said}", markup=False, highlight=False)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)
    return table


def _ratio(one: MetricRatio) -> str:
    if one.ratio is None:
        return "[dim]not compared[/dim]"
    verdict = f"[{_COLOURS[one.verdict]}]{one.verdict}[/], {one.n} pairs"
    return f"{escape(ratio_text(one))}\n{verdict}"
