"""Whether something got slower than is allowed: runs of a baseline against runs made now. Pure.

Which rule decides, and why: docs/decisions/0016.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.bench.compare import PAIRS_FOR_A_VERDICT, paired_ratio
from app.bench.experiments.samples import RunSample
from app.bench.experiments.statistics import (
    corrected_confidence,
    pairs_of,
    unpaired_ratio,
)
from app.bench.figures import metric_named
from backends.errors import DynoError

TIMES = ("ttft_ns", "tpot_ns", "e2e_ns")
MEMORY = "peak_memory_bytes"
# Beyond so many times the repeats, more of them is no advice.
_MOST_TIMES_MORE = 50

CheckVerdict = Literal["over", "within", "cannot tell", "not measured"]
Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One figure of one setup: now over then, and what that says about the bound.

    "over": the whole interval lies above 1 + `bound`; "within": none of it does; else it is "cannot
    tell". All intervals of a check hold together with 95 %: each is at `confidence`. `more` is how
    many times as many repeats would probably tell; None where none would, or none are needed.
    """

    setup: str
    metric: str
    title: str
    bound: float
    ratio: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float
    verdict: CheckVerdict
    more: float | None = None
    reason: str = ""

    @property
    def differs(self) -> bool:
        """Whether the interval excludes 1: a difference is proven, whatever is allowed."""
        return self.low is not None and self.high is not None and (self.low > 1 or self.high < 1)


@dataclass(frozen=True, slots=True)
class Figures:
    """One figure of one setup before it is judged: (now, then) of each pair."""

    setup: str
    metric: str
    pairs: Pairs
    reason: str = ""


def figures_of(
    setup: str, then: Sequence[RunSample], now: Sequence[RunSample], metrics: Sequence[str]
) -> list[Figures]:
    """The figures of a setup from the runs of it that count; those in the same place are a pair."""
    return [
        Figures(setup, metric, pairs_of(then, now, metric), _why_missing(then, now, metric))
        for metric in metrics
    ]


def judged(
    figures: Sequence[Figures], bounds: Mapping[str, float], *, paired: bool
) -> list[CheckLine]:
    """A line for each figure, corrected together. `bounds`: by metric, 0.1 for 10 %.

    `paired`: runs of a pair were made side by side, so that their ratios count; else all of now are
    held against all of then (Welch's t), which takes more runs to show the same.
    """
    confidence = corrected_confidence(sum(len(one.pairs) >= PAIRS_FOR_A_VERDICT for one in figures))
    return [_line(one, bounds[one.metric], confidence, paired=paired) for one in figures]


def percent(text: str) -> float:
    """A share from "10%", "10 %" or "0.1". Raises `DynoError` for anything else."""
    number = text.strip()
    scale = 1.0
    if number.endswith("%"):
        number, scale = number[:-1].strip(), 0.01
    try:
        share = float(number) * scale
    except ValueError:
        share = math.nan
    if not 0 <= share < math.inf:
        raise DynoError(f"“{text}” is no share.", "Write 10% or 0.1.")
    if scale == 1.0 and share >= 1:
        raise DynoError(
            f"“{text}” would be {share:.0%}.", f"Write {share:g}% if {share:g} per cent is meant."
        )
    return share


def _line(one: Figures, bound: float, confidence: float, *, paired: bool) -> CheckLine:
    title, n = metric_named(one.metric).title, len(one.pairs)
    shape = (one.setup, one.metric, title, bound)
    if one.reason:
        return CheckLine(*shape, None, None, None, n, confidence, "not measured", None, one.reason)
    if n < PAIRS_FOR_A_VERDICT:
        ratio, low, high = None, None, None
        reason = f"a verdict needs {PAIRS_FOR_A_VERDICT} pairs, there are {n}"
        more = PAIRS_FOR_A_VERDICT / n if n else None
        return CheckLine(*shape, ratio, low, high, n, confidence, "cannot tell", more, reason)
    now, then = [pair[0] for pair in one.pairs], [pair[1] for pair in one.pairs]
    if paired:
        found = paired_ratio(now, then, confidence)
        assert found.low is not None
        assert found.high is not None
        ratio, low, high = found.ratio, found.low, found.high
    else:
        ratio, low, high = unpaired_ratio(now, then, confidence)
    if low > 1 + bound:
        return CheckLine(*shape, ratio, low, high, n, confidence, "over")
    if high <= 1 + bound:
        return CheckLine(*shape, ratio, low, high, n, confidence, "within")
    more = _times_more(ratio, high, bound)
    return CheckLine(*shape, ratio, low, high, n, confidence, "cannot tell", more)


def _times_more(ratio: float, high: float, bound: float) -> float | None:
    """The half-width shrinks with the root of the repeats, and must fit between ratio and bound."""
    half, room = math.log(high / ratio), abs(math.log(ratio / (1 + bound)))
    if room * math.sqrt(_MOST_TIMES_MORE) <= half:
        return None
    return (half / room) ** 2


def _why_missing(then: Sequence[RunSample], now: Sequence[RunSample], metric: str) -> str:
    """Empty where one of them has it: then the other has lost it, and that cannot be passed."""
    if any(metric in run.values for run in (*then, *now)):
        return ""
    reasons = (run.reasons[metric] for run in (*now, *then) if metric in run.reasons)
    return next(reasons, "no run counts")
