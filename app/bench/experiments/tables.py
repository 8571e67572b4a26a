"""What the command line shows of experiments: lists, medians, ratios, what moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.bench.experiments.environments import Change
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.statistics import (
    Conclusion,
    MetricMedian,
    MetricRatio,
    Move,
)
from app.bench.experiments.words import (
    median_text,
    ratio_text,
    remarks,
    times_text,
    value_text,
)
from app.bench.metric import Unit
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
        figures: list[tuple[float | None, Unit]] = [
            *((run.ttft_ns, "ns"), (run.tpot_ns, "ns"), (run.e2e_ns, "ns")),
            *((run.output_tokens, "tokens"), (run.peak_memory_bytes, "bytes")),
        ]
        table.add_row(
            f"{run.created_at:%Y-%m-%d %H:%M:%S}",
            escape(run.label or run.setup_id),
            escape(run.model),
            run.status,
            *("" if value is None else value_text(value, unit) for value, unit in figures),
            escape("; ".join(filter(None, marks))),
        )
    console.print(table)
    if matching > len(runs):
        console.print(f"{len(runs)} of {matching}: --limit shows more.", style="dim")


def show_conclusion(experiment: Experiment, conclusion: Conclusion, console: Console) -> None:
    """Medians of each setup, their ratios to the first one's, and what is not in them."""
    console.print(f"[bold]{escape(experiment.plan.name)}[/bold] ({experiment.id})", highlight=False)
    medians = _table("setup", "runs", *_titles(conclusion.setups[0].medians))
    for one in conclusion.setups:
        cells = [_median(median) for median in one.medians]
        runs = max(len(median.samples) for median in one.medians)
        medians.add_row(escape(one.label), str(runs), *cells)
    console.print("Medians with their 95 % intervals", style="dim")
    console.print(medians)
    reference, *others = conclusion.setups
    if others:
        ratios = _table("setup", *_titles(others[0].ratios))
        for one in others:
            ratios.add_row(escape(one.label), *(_ratio(ratio) for ratio in one.ratios))
        console.print(
            f"Ratios to {reference.label}, in pairs; all {conclusion.comparisons} intervals hold "
            "together with 95 %",
            style="dim",
            markup=False,
            highlight=False,
        )
        console.print(ratios)
    _print_lines(remarks(experiment, conclusion), console)


def show_moves(changes: Sequence[Change], found: Sequence[Move], console: Console) -> None:
    """What is another environment, and which figures moved beyond noise."""
    table = _table("changed", "before", "after")
    for change in changes:
        table.add_row(*(escape(text or "–") for text in (change.what, change.before, change.after)))
    console.print(table if changes else "Nothing known of the environment has changed.")
    moved = _table("setup", "figure", "second / first", "runs", "")
    for one in found:
        words = "[bold]moved[/bold]" if one.moved else "within noise"
        moved.add_row(
            escape(one.setup),
            one.title,
            escape(times_text(one.ratio, one.low, one.high)),
            f"{one.n[0]}, {one.n[1]}",
            words if one.ratio is not None else escape(one.reason),
        )
    console.print(moved if found else "The two experiments have no setup in common.")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)
    return table


def _titles(ones: Iterable[MetricMedian | MetricRatio]) -> list[str]:
    return [one.title for one in ones]


def _median(one: MetricMedian) -> str:
    """Why there is none is said under the table."""
    return "not measured" if one.median is None else escape(median_text(one))


def _ratio(one: MetricRatio) -> str:
    if one.ratio is None:
        return "[dim]not compared[/dim]"
    verdict = f"[{_COLOURS[one.verdict]}]{one.verdict}[/], {one.n} pairs"
    return f"{escape(ratio_text(one))}\n{verdict}"


def _print_lines(lines: Sequence[str], console: Console) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False)
