"""The axis of a metric: its unit, from where to where it goes, and where on it a figure lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.bench.experiments.figure_text import Scale, axis_title, scale_of
from app.bench.experiments.samples import SetupFigure
from app.charts.ticks import linear_axis, log_axis

_LOG_FROM = 10  # times that the largest is the smallest
_PAD = 0.09  # of the axis, beyond the outermost interval


@dataclass(frozen=True, slots=True)
class Span:
    """`low` and `high` are in the unit of `scale`; of a log axis, their logarithms."""

    figure: SetupFigure
    scale: Scale
    is_log: bool
    low: float
    high: float

    @staticmethod
    def of(figures: Sequence[SetupFigure]) -> Span:
        values = [one.value for one in figures if one.value is not None]
        ends = [end for one in figures for end in (one.low, one.high) if end is not None]
        scale = scale_of(figures[0], values)
        low, high = (pick([*values, *ends]) / scale.divisor for pick in (min, max))
        is_log = low > 0 and high / low >= _LOG_FROM
        if is_log:
            low, high = math.log10(low), math.log10(high)
        pad = (high - low) * _PAD or abs(high) * _PAD or 1.0
        return Span(figures[0], scale, is_log, low - pad, high + pad)

    def share(self, value: float) -> float:
        """Where on the axis a value in base units lies: 0 left or below, 1 right or above."""
        scaled = value / self.scale.divisor
        return ((math.log10(scaled) if self.is_log else scaled) - self.low) / (self.high - self.low)

    def shares(self, figure: SetupFigure) -> tuple[float, float, float]:
        """Where its value and the ends of its interval are."""
        assert figure.value is not None
        ends = (figure.value if end is None else end for end in (figure.low, figure.high))
        low, high = (self.share(end) for end in ends)
        return self.share(figure.value), low, high

    @property
    def worst(self) -> float:
        end = self.high if self.figure.better == "lower" else self.low
        return 10**end if self.is_log else end

    def drawn(self, figure: SetupFigure) -> float:
        assert figure.value is not None
        return figure.value / self.scale.divisor

    def bar(self, figure: SetupFigure) -> dict[str, Any]:
        """The interval as Plotly's error bar."""
        if figure.value is None or figure.low is None or figure.high is None:
            return {"visible": False}
        above, below = figure.high - figure.value, figure.value - figure.low
        return {
            "type": "data",
            "symmetric": False,
            "array": [above / self.scale.divisor],
            "arrayminus": [below / self.scale.divisor],
        }

    def axis(self, *, dark: bool) -> dict[str, Any]:
        title = axis_title(self.figure, self.scale)
        if self.is_log:
            return log_axis(title, 10**self.low, 10**self.high, dark=dark)
        return linear_axis(title, self.low, self.high, dark=dark)
