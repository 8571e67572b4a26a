"""Which setups no other beats in both of two figures, and how sure that is. Pure.

A setup dominates another where it is no worse in either figure and better in one (Pareto, Manuale
di economia politica, 1906). Figures have intervals, so dominance is claimed only where these allow
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.bench.experiments.findings import SetupFigures
from app.bench.experiments.samples import SetupFigure

Standing = Literal["on the front", "maybe", "dominated"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, None where it has none. Less is better: `of` turns the others."""

    value: float
    low: float | None
    high: float | None

    @staticmethod
    def of(figure: SetupFigure) -> Estimate:
        assert figure.value is not None
        if figure.better == "higher":
            low, high = (None if end is None else -end for end in (figure.high, figure.low))
            return Estimate(-figure.value, low, high)
        return Estimate(figure.value, figure.low, figure.high)

    def surely_below(self, other: Estimate) -> bool:
        """Better whatever the intervals allow."""
        return self.high is not None and other.low is not None and self.high < other.low

    def surely_not_above(self, other: Estimate) -> bool:
        """No worse whatever the intervals allow: also where both are one and the same value."""
        return self.high is not None and other.low is not None and self.high <= other.low


@dataclass(frozen=True, slots=True)
class Point:
    """A setup in the plane of two figures, each the less the better; `index` is its in the plan."""

    index: int
    x: Estimate
    y: Estimate

    def surely_dominates(self, other: Point) -> bool:
        no_worse = self.x.surely_not_above(other.x) and self.y.surely_not_above(other.y)
        return no_worse and self.surely_escapes(other)

    def surely_escapes(self, other: Point) -> bool:
        """Better than the other in one figure at least, so that the other cannot dominate it."""
        return self.x.surely_below(other.x) or self.y.surely_below(other.y)

    def dominates(self, other: Point) -> bool:
        """By the values alone."""
        no_worse = self.x.value <= other.x.value and self.y.value <= other.y.value
        return no_worse and (self.x.value, self.y.value) != (other.x.value, other.y.value)


def points_of(setups: Sequence[SetupFigures], x: str, y: str) -> list[Point]:
    """The setups that have both figures."""
    found = ((setup.index, setup.measured(x), setup.measured(y)) for setup in setups)
    return [
        Point(index, Estimate.of(one), Estimate.of(other))
        for index, one, other in found
        if one is not None and other is not None
    ]


def front(points: Sequence[Point]) -> dict[int, Standing]:
    """How each setup stands, by index.

    "on the front": every other is surely worse in one figure. "dominated": another is surely better
    in both. "maybe": the intervals leave it open, as they do without an interval.
    """
    return {point.index: _standing(point, points) for point in points}


def _standing(point: Point, points: Sequence[Point]) -> Standing:
    others = [other for other in points if other.index != point.index]
    if any(other.surely_dominates(point) for other in others):
        return "dominated"
    if all(point.surely_escapes(other) for other in others):
        return "on the front"
    return "maybe"


def line(points: Sequence[Point]) -> list[Point]:
    """Those that no other dominates by the values alone, from the best x to the best y."""
    best = [one for one in points if not any(other.dominates(one) for other in points)]
    return sorted(best, key=lambda one: (one.x.value, one.y.value))
