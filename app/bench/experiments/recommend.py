"""Which setup to use: within the user's limits, the best at what the user wishes. Pure.

A limit is kept only where the unfavourable end of the setup's interval keeps it: what has no
interval is not known well enough. Setups whose paired difference is not proven are called a tie.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.bench.compare import CONFIDENCE, PairedRatio, corrected_confidence
from app.bench.experiments.findings import Findings, SetupFigures
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.statistics import SAMPLES_FOR_AN_INTERVAL

Wish = Literal["fastest", "cheapest", "smallest", "most accurate"]
# What each wish looks at. How fast an answer is depends on its length: with answers of one length
# it is the time of all of it, else the time per token.
_METRICS: dict[Wish, tuple[str, ...]] = {
    "fastest": ("e2e_ns", "tpot_ns"),
    "cheapest": ("cost_per_million_tokens",),
    "smallest": ("peak_memory_bytes",),
    "most accurate": ("accuracy",),
}
Versus = Callable[[int, int, str, float], PairedRatio | None]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One limit and one setup. `worst` is the unfavourable end of its interval. `over`: by which
    share of the limit it misses it (of 0 by any), None where it keeps it or is not known."""

    metric: str
    limit: float
    passes: bool
    worst: float | None
    over: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A setup with its judgements in the order of the limits."""

    index: int
    label: str
    judgements: tuple[Judgement, ...]

    @property
    def passes(self) -> bool:
        return all(one.passes for one in self.judgements)

    @property
    def missed(self) -> tuple[Judgement, ...]:
        return tuple(one for one in self.judgements if not one.passes)


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The next best, and how it stands to the best; `ratio` None where they have no pairs."""

    index: int
    label: str
    ratio: PairedRatio | None


@dataclass(frozen=True, slots=True)
class Loosening:
    """The limit to loosen so that a setup passes, to which value and by which share."""

    metric: str
    limit: float
    to: float
    by: float
    label: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`best`: indices of the setups to use, several where they are tied, best value first; empty
    where none passes, and `loosening` then says what would change that. `metric` is what the wish
    looks at, None where nobody has it.
    """

    wish: Wish
    metric: str | None
    candidates: tuple[Candidate, ...]
    best: tuple[int, ...]
    runner_up: RunnerUp | None
    loosening: Loosening | None

    @property
    def passing(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if one.passes)


def wishes(findings: Findings) -> tuple[Wish, ...]:
    """Those that a figure of this experiment can tell."""
    return tuple(wish for wish in _METRICS if wished_metric(findings, wish) is not None)


def wished_metric(findings: Findings, wish: Wish) -> str | None:
    """The figure that tells it; None where no setup has it."""
    first, *rest = _METRICS[wish]
    if wish == "fastest" and findings.experiment.plan.output == "natural":
        first, *rest = *rest, first
    return next((name for name in (first, *rest) if findings.values(name)), None)


def recommend(findings: Findings, limits: Mapping[str, float], wish: Wish) -> Recommendation:
    """`limits`: by metric, in its own unit, at most or at least as is better for the metric."""
    metric, together = wished_metric(findings, wish), findings.experiment.plan.confidence
    return choose(findings.setups, limits, wish, metric, findings.versus, together)


def choose(
    setups: Sequence[SetupFigures],
    limits: Mapping[str, float],
    wish: Wish,
    metric: str | None,
    versus: Versus,
    together: float = CONFIDENCE,
) -> Recommendation:
    """As `recommend`. `versus(one, other, metric, confidence)` is one setup over another; all that
    are looked at hold `together`."""
    candidates = tuple(
        Candidate(
            setup.index,
            setup.label,
            tuple(judge(setup.figures.get(name), name, limit) for name, limit in limits.items()),
        )
        for setup in setups
    )
    ranked = _ranked(setups, candidates, metric)
    best, runner_up = _tied(ranked, metric, versus, together) if metric else ((), None)
    loosening = None if any(one.passes for one in candidates) else _loosening(candidates)
    return Recommendation(wish, metric, candidates, best, runner_up, loosening)


def judge(figure: SetupFigure | None, metric: str, limit: float) -> Judgement:
    """Whether the unfavourable end of a figure's interval keeps a limit."""
    if figure is None or figure.value is None:
        why = figure.reason if figure is not None and figure.reason else "its pass was not made"
        return Judgement(metric, limit, False, None, None, f"not measured: {why}")
    worst = figure.low if figure.better == "higher" else figure.high
    if worst is None:
        needs = (
            f"needs {SAMPLES_FOR_AN_INTERVAL} runs"
            if figure.n < SAMPLES_FOR_AN_INTERVAL
            else (figure.reason or "has no interval")
        )
        return Judgement(metric, limit, False, None, None, needs)
    passes = worst >= limit if figure.better == "higher" else worst <= limit
    over = abs(worst - limit) / abs(limit) if limit else math.inf
    return Judgement(metric, limit, passes, worst, None if passes else over)


def _ranked(
    setups: Sequence[SetupFigures], candidates: Sequence[Candidate], metric: str | None
) -> list[SetupFigures]:
    """Those that pass and have the figure of the wish, best value first."""
    passing = {one.index for one in candidates if one.passes}
    found = [
        (figure, setup)
        for setup in setups
        if setup.index in passing and metric and (figure := setup.measured(metric)) is not None
    ]

    def badness(one: tuple[SetupFigure, SetupFigures]) -> float:
        value = one[0].value or 0.0
        return -value if one[0].better == "higher" else value

    return [setup for _, setup in sorted(found, key=badness)]


def _tied(
    ranked: Sequence[SetupFigures], metric: str, versus: Versus, together: float
) -> tuple[tuple[int, ...], RunnerUp | None]:
    """The best with all that are not proven to be worse, and the first that is."""
    if not ranked:
        return (), None
    confidence = corrected_confidence(len(ranked) - 1, together)
    first = ranked[0]
    for other in ranked[1:]:  # medians may mislead where pairs do not
        ratio = versus(first.index, other.index, metric, confidence)
        if ratio is not None and _is_worse(first.figures[metric], other.figures[metric], ratio):
            first = other
    others = [one for one in ranked if one.index != first.index]
    best, runner_up = [first.index], None
    for other in others:
        ratio = versus(other.index, first.index, metric, confidence)
        if not _is_worse(other.figures[metric], first.figures[metric], ratio):
            best.append(other.index)
        elif runner_up is None:
            runner_up = RunnerUp(other.index, other.label, ratio)
    return tuple(best), runner_up


def _is_worse(figure: SetupFigure, best: SetupFigure, ratio: PairedRatio | None) -> bool:
    """Proven in pairs; where a figure has no pairs, by intervals that do not meet."""
    if ratio is not None:
        return ratio.proven and (ratio.ratio > 1) == (figure.better == "lower")
    if figure.better == "higher":
        return figure.high is not None and best.low is not None and figure.high < best.low
    return figure.low is not None and best.high is not None and figure.low > best.high


def _loosening(candidates: Sequence[Candidate]) -> Loosening | None:
    """The smallest share by which one limit has to give so that a setup passes; None where each
    misses several, or what it misses is not known."""
    single = [(one.missed[0], one.label) for one in candidates if len(one.missed) == 1]
    known = [
        Loosening(missed.metric, missed.limit, missed.worst, missed.over, label)
        for missed, label in single
        if missed.worst is not None and missed.over is not None
    ]
    return min(known, key=lambda one: (one.by, abs(one.to - one.limit)), default=None)
