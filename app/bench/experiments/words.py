"""What an experiment shows, in words and numbers: the same on the command line and in a report."""

from __future__ import annotations

import math

from app.bench.experiments.check import MEMORY, CheckLine
from app.bench.experiments.environments import workers
from app.bench.experiments.findings import Findings
from app.bench.experiments.statistics import Conclusion, MetricRatio, SetupResult
from app.bench.format import counted, significant

# Beside what moved from one experiment to another: their intervals are over runs (decision 0016).
STARTS_DIFFER = (
    "Each experiment started its engines once, and one start differs from the next by a few per "
    "cent: whether a version is slower, check tells."
)
# Why a reference has no figure against itself: everybody knows.
_ITSELF = "it is the reference"
_NEAR = 1.1


def ratio_text(one: MetricRatio) -> str:
    """“0.500× [0.490, 0.510]”; empty where there is none."""
    return times_text(one.ratio, one.low, one.high)


def times_text(ratio: float | None, low: float | None, high: float | None) -> str:
    if ratio is None:
        return ""
    ends = "" if low is None or high is None else f" [{_times(low)}, {_times(high)}]"
    return f"{_times(ratio)}×{ends}"


def _times(ratio: float) -> str:
    """Near to 1 with a digit more than figures have: how near it is may be what matters."""
    return significant(ratio, 4 if 1 / _NEAR < ratio < _NEAR else 3)


def sentences(conclusion: Conclusion) -> list[str]:
    """One for each proven difference, and one for what no difference was shown in."""
    reference, *others = conclusion.setups
    return [sentence for one in others for sentence in _sentences_of(one, reference.label)]


def compared(conclusion: Conclusion) -> list[str]:
    """The metrics in which a setup could be compared with the reference; all where none could."""
    ratios = [one for setup in conclusion.setups for one in setup.ratios]
    found = dict.fromkeys(one.metric for one in ratios if one.ratio is not None)
    return list(found or dict.fromkeys(one.metric for one in ratios))


def check_words(line: CheckLine) -> str:
    """“slower by 12 % [11, 14]: more than 10 %”, and what to do where nothing can be told."""
    more, less = ("more", "less") if line.metric in MEMORY else ("slower", "faster")
    bound = f"{line.bound * 100:g} %"
    if line.ratio is None or line.low is None or line.high is None:
        what = "cannot tell" if line.verdict == "cannot tell" else line.verdict
        return f"{what}: {line.reason}"
    by = f"{more if line.ratio >= 1 else less} by {_percent(line.ratio)}"
    if line.verdict == "over":
        return f"{by}, proven to be more than {bound}"
    if line.verdict == "within":
        return f"{by}, proven not to be {more} by more than {bound}"
    advice = "nothing short of many more starts would tell"
    if line.more is not None:
        advice = f"about {math.ceil(line.more * line.starts)} starts would tell"
    known = f"{by}; " if line.low > 1 else ""
    return f"{known}cannot tell whether it is {more} by more than {bound}: {advice}"


def _percent(ratio: float) -> str:
    return f"{abs(ratio - 1) * 100:.2g} %"


def _sentences_of(setup: SetupResult, reference: str) -> list[str]:
    proven = [one for one in setup.ratios if one.verdict in ("better", "worse")]
    alike = [_in_a_sentence(one) for one in setup.ratios if one.verdict == "no difference shown"]
    told = [
        f"{setup.label}: {_in_a_sentence(one)} is {ratio_text(one)} that of {reference}, over "
        f"{one.n} pairs: {one.verdict}."
        for one in proven
    ]
    if alike:
        told.append(f"{setup.label}: no difference shown to {reference} in {_listed(alike)}.")
    if not told:
        told.append(f"{setup.label} could not be compared with {reference}.")
    return told


def remarks(findings: Findings) -> list[str]:
    """Whatever a reader must know to believe the tables."""
    experiment, conclusion = findings.experiment, findings.conclusion
    told = [f"Ended early: {experiment.reason}"] if experiment.reason else []
    if experiment.state == "begun":
        told.append("It has not ended: this is what there is so far.")
    told += [f"{label} was left out: {why}" for label, why in experiment.left_out.items()]
    for one in conclusion.setups:
        if one.failed:
            told.append(f"{one.label}: {counted(one.failed, 'run')} failed.")
    if disturbed := [f"{one.label} {one.disturbed}" for one in conclusion.setups if one.disturbed]:
        told.append(
            "Some runs were disturbed, by other work or a slow clock, also when made again "
            f"({', '.join(disturbed)}): on a quiet machine the medians may be better."
        )
    told += [f"The {name} pass has not been made." for name in _passes_missing(findings)]
    if made := workers(findings.samples):
        each = (f"{worker or 'no cluster'} {runs}" for worker, runs in made.items())
        told.append(f"Runs made on: {', '.join(each)}. Each pair is of one worker.")
    missing = set(_reasons(findings))
    missing |= {
        f"{ratio.title} against the reference: {ratio.reason}."
        for one in conclusion.setups
        for ratio in one.ratios
        if ratio.reason and ratio.n
    }
    return told + sorted(missing)


def _passes_missing(findings: Findings) -> list[str]:
    """Passes that the plan asks for and of which no setup has a figure, not even a reason."""
    plan = findings.experiment.plan
    asked = (("quality", plan.quality, "perplexity"), ("energy", plan.energy, "joules_per_token"))
    return [
        name
        for name, is_asked, metric in asked
        if is_asked and not any(metric in setup.figures for setup in findings.setups)
    ]


def _reasons(findings: Findings) -> list[str]:
    """Why figures are missing or less than they seem, each reason once, with those it is true of
    unless it is of all."""
    of: dict[str, list[str]] = {}
    for setup in findings.setups:
        for figure in setup.figures.values():
            if figure.reason and _ITSELF not in figure.reason:
                how = "" if figure.value is not None else "not measured: "
                of.setdefault(f"{figure.title}: {how}{figure.reason}.", []).append(setup.label)
    return [
        said if len(labels) == len(findings.setups) else f"{_listed(labels)}: {said}"
        for said, labels in of.items()
    ]


def _in_a_sentence(one: MetricRatio) -> str:
    return one.title[:1].lower() + one.title[1:]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
