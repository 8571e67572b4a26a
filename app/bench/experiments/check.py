"""Whether something got slower than is allowed, from runs of a baseline and runs made now. Pure.

One start of the program, in which each setup answers the workload once, gives one number: starts
differ by more than the runs within one do. Which rule decides, and why: docs/decisions/0016.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from app.bench.compare import PAIRS_FOR_A_VERDICT, corrected_confidence, paired_ratio
from app.bench.experiments.samples import RunSample
from app.bench.experiments.statistics import pairs_of
from app.bench.figures import metric_named
from backends.errors import DynoError

TIMES = ("ttft_ns", "tpot_ns", "e2e_ns")
MEMORY = ("peak_memory_bytes",)
LEAST_STARTS = PAIRS_FOR_A_VERDICT
# Beyond so many times the starts, more of them is no advice.
_MOST_TIMES_MORE = 50

CheckVerdict = Literal["over", "within", "cannot tell", "not measured"]
Runs = Sequence[RunSample]


@dataclass(frozen=True, slots=True)
class Moved:
    """How a figure of a setup stands to the baseline's: a logarithm of now over then a start."""

    setup: str
    metric: str
    logs: tuple[float, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One figure of one setup: now over then, and what that says about the bound.

    "over": the whole interval lies above 1 + `bound`; "within": none of it does; else it is "cannot
    tell". All intervals of a check hold together with 95 %: each is at `confidence`. `more` is how
    many times as many starts would probably tell; None where none would, or none are needed.
    """

    setup: str
    metric: str
    title: str
    bound: float
    ratio: float | None
    low: float | None
    high: float | None
    starts: int
    confidence: float
    verdict: CheckVerdict
    more: float | None = None
    reason: str = ""

    @property
    def differs(self) -> bool:
        """Whether the interval excludes 1: a difference is proven, whatever is allowed."""
        return self.low is not None and self.high is not None and (self.low > 1 or self.high < 1)


def paired(
    setup: str, then: Sequence[Runs], now: Sequence[Runs], metrics: Iterable[str]
) -> list[Moved]:
    """The runs of a setup that count, by start: each start of the baseline's version has one of
    this version beside it. Runs of the same turn are compared."""
    found = []
    for metric in metrics:
        couples = [pairs_of(a, b, metric) for a, b in zip(then, now, strict=True)]
        logs = [_mean_log(pairs) for pairs in couples if pairs]
        found.append(Moved(setup, metric, tuple(logs), _missing([*then, *now], metric)))
    return found


def unpaired(setup: str, then: Runs, now: Sequence[Runs], metrics: Iterable[str]) -> list[Moved]:
    """The same against the runs that a baseline was made of, in a start of its own."""
    found = []
    for metric in metrics:
        couples = [_across_rounds(then, runs, metric) for runs in now]
        logs = [_mean_log(pairs) for pairs in couples if pairs]
        found.append(Moved(setup, metric, tuple(logs), _missing([then, *now], metric)))
    return found


def judged(
    moved: Sequence[Moved], bounds: Mapping[str, float], *, is_paired: bool
) -> list[CheckLine]:
    """A line for each figure, corrected together. `bounds`: by metric, 0.1 for 10 %.

    Unpaired, the baseline is one start, which may differ from the mean of many as any may.
    """
    confidence = corrected_confidence(sum(len(one.logs) >= LEAST_STARTS for one in moved))
    return [_line(one, bounds[one.metric], confidence, is_paired=is_paired) for one in moved]


def percent(text: str) -> float:
    """A share from "10%", "10 %" or "0.1". Raises `DynoError` for anything else."""
    number = text.strip()
    is_percent = number.endswith("%")
    try:
        value = float(number.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise DynoError(f"“{text}” is no share.", "Write 10% or 0.1.")
    if not is_percent and value >= 1:
        raise DynoError(f"“{text}” would be {value:.0%}.", f"Write {value:g}% if that is meant.")
    return value / 100 if is_percent else value


def _line(one: Moved, bound: float, confidence: float, *, is_paired: bool) -> CheckLine:
    starts = len(one.logs)
    line = CheckLine(
        setup=one.setup,
        metric=one.metric,
        title=metric_named(one.metric).title,
        bound=bound,
        ratio=None,
        low=None,
        high=None,
        starts=starts,
        confidence=confidence,
        verdict="not measured",
        reason=one.reason,
    )
    if one.reason:
        return line
    if starts < LEAST_STARTS:
        more = LEAST_STARTS / starts if starts else None
        reason = f"a verdict needs {LEAST_STARTS} starts, {starts} have it"
        return replace(line, verdict="cannot tell", more=more, reason=reason)
    ratio, low, high = _interval(one.logs, confidence, is_paired=is_paired)
    line = replace(line, ratio=ratio, low=low, high=high)
    if low > 1 + bound:
        return replace(line, verdict="over")
    if high <= 1 + bound:
        return replace(line, verdict="within")
    # Unpaired, one start of the baseline stays what there is of it, however many are made now.
    more = _times_more(ratio, high, bound) if is_paired else None
    return replace(line, verdict="cannot tell", more=more)


def _interval(
    logs: Sequence[float], confidence: float, *, is_paired: bool
) -> tuple[float, float, float]:
    found = paired_ratio([math.exp(log) for log in logs], [1.0] * len(logs), confidence)
    assert found.low is not None
    assert found.high is not None
    if is_paired:
        return found.ratio, found.low, found.high
    # Student's t for the difference of one more start and the mean of n: its variance is
    # s²(1 + 1/n) where the mean's is s²/n (Hahn and Meeker, Statistical Intervals, 1991, 4.7).
    wider = math.sqrt(len(logs) + 1)
    ends = (found.ratio * (end / found.ratio) ** wider for end in (found.low, found.high))
    return (found.ratio, *ends)


def _times_more(ratio: float, high: float, bound: float) -> float | None:
    """The half-width shrinks with the root of the starts, and must fit between ratio and bound."""
    half, room = math.log(high / ratio), abs(math.log(ratio / (1 + bound)))
    if room * math.sqrt(_MOST_TIMES_MORE) <= half:
        return None
    return (half / room) ** 2


def _mean_log(pairs: Sequence[tuple[float, float]]) -> float:
    return float(np.mean([math.log(now) - math.log(then) for now, then in pairs]))


def _across_rounds(then: Runs, now: Runs, metric: str) -> list[tuple[float, float]]:
    """Each run of now with every run of then that asked the same turn, in whatever round."""
    turns: dict[tuple[int, int], list[RunSample]] = {}
    for run in then:
        turns.setdefault((run.place.conversation, run.place.turn), []).append(run)
    return [
        pair
        for run in now
        for earlier in turns.get((run.place.conversation, run.place.turn), ())
        for pair in pairs_of([_in_round_of(earlier, run)], [run], metric)
    ]


def _in_round_of(earlier: RunSample, run: RunSample) -> RunSample:
    return replace(earlier, place=earlier.place.model_copy(update={"round": run.place.round}))


def _missing(starts: Iterable[Runs], metric: str) -> str:
    """Why no run has it; empty where one has: then others have lost it, which is no pass."""
    runs = [run for start in starts for run in start]
    if any(metric in run.values for run in runs):
        return ""
    return next((run.reasons[metric] for run in runs if metric in run.reasons), "no run counts")
