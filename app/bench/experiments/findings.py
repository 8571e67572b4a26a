"""All that is known of an experiment, for charts, tables and the recommendation. Values only.

Knows how to bring medians of runs and figures of passes into one form, and how two setups stand to
each other in pairs. Does not know how any of it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.bench.compare import PairedRatio, paired_ratio
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.sample_table import Integers, SampleTable
from app.bench.experiments.samples import PassResult, RunSample, SetupFigure
from app.bench.experiments.statistics import (
    Conclusion,
    MetricMedian,
    conclude,
    pairs_in,
)
from app.bench.figures import metric_named
from app.bench.metric import Provenance
from backends.setup import Setup

# In the order in which axes, columns and limits are offered; what is not named here comes last.
ORDER = (
    "ttft_ns",
    "tpot_ns",
    "e2e_ns",
    "decode_tokens_per_second",
    "peak_memory_bytes",
    "cost_per_million_tokens",
    "cost_dollars",
    "perplexity",
    "perplexity_ratio",
    "kl_per_token",
    "top1_agreement",
    "first_divergence_tokens",
    "identical_answers",
    "accuracy",
    "joules_per_token",
)


@dataclass(frozen=True, slots=True)
class SetupFigures:
    """One setup of the plan with each of its figures by metric: medians of runs, and of passes."""

    index: int
    label: str
    setup: Setup
    figures: Mapping[str, SetupFigure]

    def measured(self, metric: str) -> SetupFigure | None:
        """The figure where it has a value."""
        found = self.figures.get(metric)
        return found if found is not None and found.value is not None else None


@dataclass(frozen=True, slots=True)
class Findings:
    """`setups` are in the order of the plan, the first is the reference. `samples` are all runs."""

    experiment: Experiment
    conclusion: Conclusion
    setups: tuple[SetupFigures, ...]
    samples: SampleTable

    def metrics(self, at_least: int = 1) -> tuple[SetupFigure, ...]:
        """One figure of each metric that so many setups have a value of, in `ORDER`."""
        found: dict[str, list[SetupFigure]] = {}
        for setup in self.setups:
            for name, figure in setup.figures.items():
                if figure.value is not None:
                    found.setdefault(name, []).append(figure)
        place = {name: index for index, name in enumerate(ORDER)}
        names = sorted(found, key=lambda name: place.get(name, len(place)))
        return tuple(found[name][0] for name in names if len(found[name]) >= at_least)

    def values(self, metric: str) -> list[float]:
        """The values of a metric that setups have, in their order."""
        found = (setup.measured(metric) for setup in self.setups)
        return [one.value for one in found if one is not None and one.value is not None]

    def runs_of(self, index: int) -> list[RunSample]:
        """The runs of a setup that count: finished, warm, alone, each pair once."""
        return [self.samples[int(run)] for run in self.counted(index)]

    def counted(self, index: int) -> Integers:
        """Where in `samples` those runs are."""
        return self.samples.kept(self.samples.of_setup(index))

    def versus(self, one: int, other: int, metric: str, confidence: float) -> PairedRatio | None:
        """One setup over another, pair by pair; None where no pair has the metric."""
        if metric not in self.samples.values:
            return None
        a, b = pairs_in(self.samples, self.counted(other), self.counted(one), metric)
        return paired_ratio(a, b, confidence) if a else None


def findings_of(
    experiment: Experiment, samples: Sequence[RunSample], passes: Sequence[PassResult] = ()
) -> Findings:
    """What an experiment's runs and passes show so far."""
    plan = experiment.plan
    table = SampleTable.of(samples)
    ids = [one.setup.id for one in plan.setups]
    conclusion = conclude(plan.labels, ids, table, plan.confidence)
    setups = []
    for planned, result in zip(plan.setups, conclusion.setups, strict=True):
        figures = {median.metric: _figure(median) for median in result.medians}
        for one in passes:
            figures |= {figure.metric: figure for figure in one.figures.get(result.index, ())}
        setups.append(SetupFigures(result.index, result.label, planned.setup, figures))
    return Findings(experiment, conclusion, tuple(setups), table)


def provenance_of(metric: str) -> Provenance:
    """How a figure came about. Those of passes are measured."""
    try:
        return metric_named(metric).provenance
    except KeyError:
        return "measured"


def _figure(median: MetricMedian) -> SetupFigure:
    return SetupFigure(
        metric=median.metric,
        title=median.title,
        unit=median.unit,
        better=median.better,
        value=median.median,
        low=median.low,
        high=median.high,
        n=len(median.samples),
        reason=median.reason,
    )
