"""What the command line shows of experiments: lists, medians, ratios, what moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.bench.experiments.environments import Change
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.samples import PassResult, SetupFigure
from app.bench.experiments.statistics import (
    Conclusion,
    MetricMedian,
    MetricRatio,
    Move,
)
from app.bench.metric import Unit
from app.bench.quality.figures import IS_REFERENCE

_SCALES: dict[Unit, tuple[float, str]] = {"ns": (1e6, "ms"), "bytes": (1e6, "MB")}
_PASS_SCALES: dict[Unit, tuple[float, str]] = {
    **{"share": (0.01, "%"), "ratio": (1.0, "×"), "number": (1.0, ""), "joules": (1.0, "J")}
}
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


def show_conclusion(
    experiment: Experiment,
    conclusion: Conclusion,
    console: Console,
    passes: Sequence[PassResult] = (),
) -> None:
    """Medians of each setup, their ratios to the first one's, what other passes found, and what is
    not in them."""
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
    for found in passes:
        show_pass(experiment.plan.labels, found, console)
    _print_lines(_remarks(experiment, conclusion), console)


def show_pass(labels: Sequence[str], found: PassResult, console: Console) -> None:
    """Figures of a pass, a setup a row, and what is to be known of them."""
    first = next(iter(found.figures.values()), ())
    table = _table("setup", *(figure.title for figure in first))
    for index, figures in found.figures.items():
        table.add_row(escape(labels[index]), *(_pass_figure(figure) for figure in figures))
    console.print(f"The {found.name} pass, with 95 % intervals", style="dim", highlight=False)
    console.print(table)
    remarks = [
        f"{labels[index]}: {figure.title}: "
        f"{'not measured: ' if figure.value is None else ''}{figure.reason}."
        for index, figures in found.figures.items()
        for figure in figures
        if figure.reason and figure.reason != IS_REFERENCE
    ]
    _print_lines(remarks, console)


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
            _interval(one.ratio, one.low, one.high, "×"),
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
    if one.median is None:
        return "not measured"
    scale, unit = _SCALES.get(one.unit, (1.0, "$" if one.unit == "dollars" else one.unit))
    low, high = (None if end is None else end / scale for end in (one.low, one.high))
    return f"{_interval(one.median / scale, low, high)} {unit}"


def _pass_figure(one: SetupFigure) -> str:
    if one.value is None:
        return "[dim]not measured[/dim]"
    if one.reason == IS_REFERENCE:
        return "[dim]the reference[/dim]"
    scale, unit = _PASS_SCALES.get(one.unit, (1.0, one.unit))
    low, high = (None if end is None else end / scale for end in (one.low, one.high))
    return f"{_interval(one.value / scale, low, high)} {unit}".rstrip()


def _ratio(one: MetricRatio) -> str:
    if one.ratio is None:
        return "[dim]not compared[/dim]"
    text = _interval(one.ratio, one.low, one.high, "×")
    return f"{text}\n[{_COLOURS[one.verdict]}]{one.verdict}[/], {one.n} pairs"


def _interval(value: float | None, low: float | None, high: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    ends = "" if low is None or high is None else f" \\[{low:.4g}, {high:.4g}]"
    return f"{value:.4g}{unit}{ends}"


def _remarks(experiment: Experiment, conclusion: Conclusion) -> list[str]:
    """Whatever a reader must know to believe the tables."""
    remarks = [f"Ended early: {experiment.reason}"] if experiment.reason else []
    if experiment.state == "begun":
        remarks.append("It has not ended: this is what there is so far.")
    remarks += [f"{label} was left out: {why}" for label, why in experiment.left_out.items()]
    for one in conclusion.setups:
        if one.failed:
            remarks.append(f"{one.label}: {one.failed} runs failed.")
        if one.disturbed:
            remarks.append(
                f"{one.label}: {one.disturbed} of the runs were disturbed by other work, also when "
                "made again: on a quiet machine its medians may be better."
            )
    missing = {
        f"{median.title}: {median.reason}."
        for one in conclusion.setups
        for median in one.medians
        if median.reason
    }
    missing |= {
        f"{ratio.title} against the reference: {ratio.reason}."
        for one in conclusion.setups
        for ratio in one.ratios
        if ratio.reason and ratio.n
    }
    return remarks + sorted(missing)


def _print_lines(lines: Sequence[str], console: Console) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False)
