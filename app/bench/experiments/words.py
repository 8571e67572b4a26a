"""What an experiment shows, in words and numbers: the same on the command line and in a report."""

from __future__ import annotations

import numpy as np

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.statistics import Conclusion, MetricMedian, MetricRatio, SetupResult
from app.bench.format import grouped
from app.bench.metric import Unit

# Divisor and name of what a unit is shown in; the others are shown as they are.
_SCALES: dict[Unit, tuple[float, str]] = {
    "ns": (1e6, "ms"),
    "bytes": (1e6, "MB"),
    "dollars": (1.0, "$"),
    "share": (0.01, "%"),
    "ratio": (1.0, ""),
}


def value_text(value: float, unit: Unit) -> str:
    """A number with four digits that mean something, in milliseconds, megabytes, dollars …"""
    scale, name = _SCALES.get(unit, (1.0, unit))
    return f"{_number(value / scale)} {name}".rstrip()


def median_text(one: MetricMedian | SetupFigure) -> str:
    """“21.3 ms [20.9, 21.8]”, or why there is none."""
    value = one.median if isinstance(one, MetricMedian) else one.value
    if value is None:
        return f"not measured: {one.reason}"
    scale, name = _SCALES.get(one.unit, (1.0, one.unit))
    low, high = (None if end is None else end / scale for end in (one.low, one.high))
    return f"{_interval(value / scale, low, high)} {name}".rstrip()


def ratio_text(one: MetricRatio) -> str:
    """“0.5× [0.49, 0.51]”; empty where there is none."""
    return times_text(one.ratio, one.low, one.high)


def times_text(ratio: float | None, low: float | None, high: float | None) -> str:
    return "" if ratio is None else _interval(ratio, low, high, "×")


def findings(conclusion: Conclusion) -> list[str]:
    """A sentence for each proven difference, and one for what no difference was shown in."""
    reference, *others = conclusion.setups
    return [sentence for one in others for sentence in _findings_of(one, reference.label)]


def _findings_of(setup: SetupResult, reference: str) -> list[str]:
    proven = [one for one in setup.ratios if one.verdict in ("better", "worse")]
    alike = [_in_a_sentence(one) for one in setup.ratios if one.verdict == "no difference shown"]
    sentences = [
        f"{setup.label}: {_in_a_sentence(one)} is {ratio_text(one)} that of {reference}, over "
        f"{one.n} pairs: {one.verdict}."
        for one in proven
    ]
    if alike:
        sentences.append(f"{setup.label}: no difference shown to {reference} in {_listed(alike)}.")
    if not sentences:
        sentences.append(f"{setup.label} could not be compared with {reference}.")
    return sentences


def remarks(experiment: Experiment, conclusion: Conclusion) -> list[str]:
    """Whatever a reader must know to believe the tables."""
    told = [f"Ended early: {experiment.reason}"] if experiment.reason else []
    if experiment.state == "begun":
        told.append("It has not ended: this is what there is so far.")
    told += [f"{label} was left out: {why}" for label, why in experiment.left_out.items()]
    for one in conclusion.setups:
        if one.failed:
            told.append(f"{one.label}: {one.failed} runs failed.")
        if one.disturbed:
            told.append(
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
    return told + sorted(missing)


def _interval(value: float, low: float | None, high: float | None, unit: str = "") -> str:
    ends = "" if low is None or high is None else f" [{_number(low)}, {_number(high)}]"
    return f"{_number(value)}{unit}{ends}"


def _number(value: float) -> str:
    """Four digits that mean something, and never an exponent."""
    if abs(value) >= 1_000:
        return grouped(value)
    return np.format_float_positional(value, precision=4, fractional=False, trim="-")


def _in_a_sentence(one: MetricRatio) -> str:
    return one.title[:1].lower() + one.title[1:]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
