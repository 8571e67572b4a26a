"""The figure of the energy pass. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.bench.benchmarks.intervals import mean_interval
from app.bench.experiments.samples import SetupFigure

METRIC: Final = "joules_per_token"
REPEATS_FOR_AN_INTERVAL = 6
_FORMULA = (
    "mean over the rounds of joules counted from when the engine was asked until it had answered, "
    "for all prompts, over the output tokens of all answers; whole processor packages or the whole "
    "GPU, idle share included; interval: Student's t over the rounds"
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run took."""

    round: int
    joules: float
    tokens: int


def energy_formula() -> str:
    return _FORMULA


def joules_per_token(runs: Sequence[Spent], disturbed: int = 0) -> SetupFigure:
    """Of one setup. A round's value is that of all its prompts together, as a counter that moves in
    steps says little of one short answer. `disturbed`: so many of the runs were, by other work."""
    rounds = sorted({run.round for run in runs})
    values = [_of_round([run for run in runs if run.round == one]) for one in rounds]
    samples = [value for value in values if value is not None]
    if not samples:
        return not_measured("no answer had a token")
    if all(value == 0 for value in samples):
        return not_measured("the counter did not move during these runs; ask for longer answers")
    mean, low, high = mean_interval(samples)
    reasons = []
    if disturbed:
        reasons.append(f"the energy of other work is in {disturbed} of {len(runs)} runs")
    if len(samples) < REPEATS_FOR_AN_INTERVAL:
        reasons.append(f"fewer than {REPEATS_FOR_AN_INTERVAL} rounds give no interval")
        low = high = None
    return _figure(mean, low, high, len(samples), "; ".join(reasons))


def not_measured(reason: str) -> SetupFigure:
    return _figure(None, None, None, 0, reason)


def _of_round(runs: Sequence[Spent]) -> float | None:
    tokens = sum(run.tokens for run in runs)
    return sum(run.joules for run in runs) / tokens if tokens else None


def _figure(
    value: float | None, low: float | None, high: float | None, n: int, reason: str = ""
) -> SetupFigure:
    title = "Energy per output token"
    return SetupFigure(METRIC, title, "joules", "lower", value, low, high, n, reason)
