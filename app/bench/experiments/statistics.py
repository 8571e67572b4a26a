"""What the runs of an experiment show: medians, paired ratios, and what is proven. Pure.

Which intervals and which correction, and why: docs/decisions/0014.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.bench.benchmarks.intervals import quantile_interval
from app.bench.compare import (
    CONFIDENCE,
    PAIRS_FOR_A_VERDICT,
    corrected_confidence,
    paired_ratio,
)
from app.bench.experiments.sample_table import Integers, SampleTable
from app.bench.experiments.samples import MEDIANS, RunSample
from app.bench.figures import metric_named
from app.bench.metric import Better, Unit

SAMPLES_FOR_AN_INTERVAL = 6
# In the order in which they are shown. Decode speed is the inverse of TPOT and is not tested again.
COMPARED = ("ttft_ns", "tpot_ns", "e2e_ns", "peak_memory_bytes", "cost_dollars")
_OF_WHOLE_ANSWERS = frozenset({"e2e_ns", "cost_dollars"})

Verdict = Literal["better", "worse", "no difference shown", "not compared"]


@dataclass(frozen=True, slots=True)
class MetricMedian:
    """The median over all runs of a setup with its 95 % interval, None where `reason` says why.

    `samples` are all values, in the order of the runs.
    """

    metric: str
    title: str
    unit: Unit
    better: Better
    median: float | None
    low: float | None
    high: float | None
    samples: tuple[float, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MetricRatio:
    """The figure of a setup over the reference's, pair by pair: geometric mean and interval.

    All intervals of one table hold together with 95 %: each is at `confidence`. `verdict` is about
    the setup: "better" and "worse" only where the interval excludes 1 and there are enough pairs.
    """

    metric: str
    title: str
    ratio: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetupResult:
    """One setup: how its runs ended, its medians, and its ratios (none for the reference).

    `disturbed` runs count: they were disturbed also when they were made again, so that the setup's
    medians may be worse than on a quiet machine.
    """

    index: int
    label: str
    setup_id: str
    finished: int
    failed: int
    disturbed: int
    medians: tuple[MetricMedian, ...]
    ratios: tuple[MetricRatio, ...]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What an experiment shows. The first setup is the reference. `comparisons` were made."""

    setups: tuple[SetupResult, ...]
    comparisons: int


def conclude(
    labels: Sequence[str],
    setup_ids: Sequence[str],
    samples: Sequence[RunSample],
    confidence: float = CONFIDENCE,
) -> Conclusion:
    """The conclusion from an experiment's runs. `confidence` is its plan's.

    Warm-ups, runs of other passes and failed runs are in no figure. Of a run that was made
    again the undisturbed one counts, else the last.
    """
    table = SampleTable.of(samples)
    by_setup = [table.of_setup(index) for index in range(len(labels))]
    kept = [table.kept(runs) for runs in by_setup]
    pairs = {
        (index, name): pairs_in(table, kept[0], kept[index], name)
        for index in range(1, len(labels))
        for name in COMPARED
    }
    comparisons = sum(len(a) >= PAIRS_FOR_A_VERDICT for a, _ in pairs.values())
    each = corrected_confidence(comparisons, confidence)
    setups = []
    for index, (label, setup_id, runs) in enumerate(zip(labels, setup_ids, by_setup, strict=True)):
        names = COMPARED if index else ()
        setups.append(
            SetupResult(
                index=index,
                label=label,
                setup_id=setup_id,
                finished=int(table.is_finished[runs].sum()),
                failed=int(table.is_failed[runs].sum()),
                disturbed=int(table.is_disturbed[kept[index]].sum()),
                medians=tuple(_median(table, kept[index], name) for name in MEDIANS),
                ratios=tuple(_ratio(name, *pairs[index, name], each) for name in names),
            )
        )
    return Conclusion(tuple(setups), comparisons)


def median_interval(samples: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Median with its 95 % interval, whose ends are samples; under 6 samples it has none.

    How many samples lie below the true median is binomial whatever the distribution, so this holds
    for few samples too; a percentile bootstrap does not (docs/decisions/0014).
    """
    median = float(np.median(np.asarray(samples, dtype=float)))
    if len(samples) < SAMPLES_FOR_AN_INTERVAL:
        return median, None, None
    _, low, high = quantile_interval(samples, 0.5)
    return median, low, high


def counted_runs(index: int, samples: Sequence[RunSample]) -> list[RunSample]:
    """The runs of a setup that medians are of: finished, warm and alone, one for each pair."""
    table = SampleTable.of(samples)
    return table.picked(table.kept(table.of_setup(index)))


def pairs_of(
    reference: Sequence[RunSample], other: Sequence[RunSample], metric: str
) -> list[tuple[float, float]]:
    """(other, reference) of every pair that has the metric in both, of counted runs."""
    then, now = SampleTable.of(reference), SampleTable.of(other)
    found = _paired(then, np.arange(len(then)), now, np.arange(len(now)), metric)
    return list(zip(*found, strict=True))


def pairs_in(
    table: SampleTable, reference: Integers, other: Integers, metric: str
) -> tuple[list[float], list[float]]:
    """The same of counted runs of one table, apart: those of the other, those of the reference."""
    return _paired(table, reference, table, other, metric)


def _paired(
    then: SampleTable, reference: Integers, now: SampleTable, other: Integers, metric: str
) -> tuple[list[float], list[float]]:
    """The figures of the one and of the reference in every pair that has both; what is not positive
    has no ratio.

    What a whole answer takes is compared only between answers of the same length.
    """
    _, of_reference, of_other = np.intersect1d(
        then.pairs[reference], now.pairs[other], assume_unique=True, return_indices=True
    )
    reference, other = reference[of_reference], other[of_other]
    a, b = now.values[metric][other], then.values[metric][reference]
    both = (a > 0) & (b > 0)
    if metric in _OF_WHOLE_ANSWERS:
        both &= now.output_tokens[other] == then.output_tokens[reference]
    return a[both].tolist(), b[both].tolist()


def _median(table: SampleTable, runs: Integers, name: str) -> MetricMedian:
    metric = metric_named(name)
    column = table.values[name][runs]
    samples: list[float] = column[~np.isnan(column)].tolist()
    missing = table.why_missing(runs, name) or "no run counts"
    shape = (metric.name, metric.title, metric.unit, metric.better)
    if not samples:
        return MetricMedian(*shape, None, None, None, (), missing)
    median, low, high = median_interval(samples)
    reason = ""
    if low is None:
        reason = f"fewer than {SAMPLES_FOR_AN_INTERVAL} runs give no interval"
    elif len(samples) < len(runs):
        reason = f"not measured in {len(runs) - len(samples)} of {len(runs)} runs: {missing}"
    return MetricMedian(*shape, median, low, high, tuple(samples), reason)


def _ratio(
    name: str, setup: Sequence[float], reference: Sequence[float], confidence: float
) -> MetricRatio:
    metric = metric_named(name)
    if not setup:
        equal = " in answers of equal length" if name in _OF_WHOLE_ANSWERS else ""
        shape = (name, metric.title, None, None, None, 0, confidence)
        return MetricRatio(*shape, "not compared", f"no pair has it{equal}")
    found = paired_ratio(setup, reference, confidence)
    few = found.n < PAIRS_FOR_A_VERDICT
    return MetricRatio(
        metric=name,
        title=metric.title,
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        n=found.n,
        confidence=confidence,
        verdict="not compared" if few else _verdict(found.ratio, metric.better, found.proven),
        reason=f"a verdict needs {PAIRS_FOR_A_VERDICT} pairs" if few else "",
    )


def _verdict(ratio: float, better: Better, proven: bool) -> Verdict:
    if not proven:
        return "no difference shown"
    return "better" if (ratio < 1) == (better == "lower") else "worse"


@dataclass(frozen=True, slots=True)
class Move:
    """How a figure of one setup stands in a second experiment to the first, unpaired.

    `ratio` is second over first, of geometric means. `moved` only where the interval excludes 1,
    which is over runs: each experiment is one start of its engines, and starts differ (decision
    0016).
    """

    setup: str
    metric: str
    title: str
    ratio: float | None
    low: float | None
    high: float | None
    n: tuple[int, int]
    confidence: float
    moved: bool
    reason: str = ""


def moves(first: Conclusion, second: Conclusion) -> list[Move]:
    """Every figure that both experiments have, setups matched by id, corrected together."""
    before = {one.setup_id: one for one in reversed(first.setups)}
    matched = [(before[one.setup_id], one) for one in second.setups if one.setup_id in before]
    couples = [
        (now.label, a, b)
        for then, now in matched
        for a, b in zip(then.medians, now.medians, strict=True)
        if a.metric in COMPARED and (a.samples or b.samples)
    ]
    enough = sum(_both_enough(a, b) for _, a, b in couples)
    return [_move(label, a, b, corrected_confidence(enough)) for label, a, b in couples]


def _both_enough(a: MetricMedian, b: MetricMedian) -> bool:
    return min(len(a.samples), len(b.samples)) >= SAMPLES_FOR_AN_INTERVAL


def _move(label: str, a: MetricMedian, b: MetricMedian, confidence: float) -> Move:
    counts = len(a.samples), len(b.samples)
    if not _both_enough(a, b) or min(*a.samples, *b.samples) <= 0:
        reason = f"it needs {SAMPLES_FOR_AN_INTERVAL} runs in both, above zero"
        return Move(label, b.metric, b.title, None, None, None, counts, confidence, False, reason)
    ratio, low, high = unpaired_ratio(b.samples, a.samples, confidence)
    moved = low > 1 or high < 1
    return Move(label, b.metric, b.title, ratio, low, high, counts, confidence, moved)


def unpaired_ratio(
    a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Ratio of the geometric means of a and b with its interval: Welch's t on the logarithms.

    (Welch, The generalization of Student's problem when several different population variances are
    involved, Biometrika 34, 1947.) Both need two positive values at least.
    """
    from scipy.special import stdtrit

    logs = [np.log(np.asarray(values, dtype=float)) for values in (a, b)]
    spreads = [float(np.var(values, ddof=1)) / len(values) for values in logs]
    difference = float(np.mean(logs[0]) - np.mean(logs[1]))
    spread = sum(spreads)
    if spread == 0:
        return math.exp(difference), math.exp(difference), math.exp(difference)
    shares = zip(spreads, logs, strict=True)
    freedom = spread**2 / sum(one**2 / (len(values) - 1) for one, values in shares)
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(spread)
    return math.exp(difference), math.exp(difference - half), math.exp(difference + half)
