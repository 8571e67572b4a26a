"""Axes with round numbers on them, each written out, so that the room they need is known before a
browser has drawn them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from app.charts.style import THIN, axis

_MOST_TICKS = 8
_PLOT_PX = 400  # the width of a narrow page's plot, which the labels of an axis share
_BETWEEN_PX = 12
_DIGIT_PX, _HIGH_DIGIT_PX = 7.2, 5.0
_TITLE_PX = 38  # of a vertical axis, with the gaps on both of its sides
_LEAST_WRITTEN_OUT = 1e-6
_LEAST_GAP = 0.14  # of an axis, between two ratios
_POWERS = sorted((10.0**power for power in range(-6, 7)), key=lambda one: abs(math.log(one)))
_RATIOS = (
    _POWERS,
    [step * power for power in _POWERS for step in (2, 5)],
    [step * power for power in _POWERS for step in (3, 1.5, 7)],
    [1.25, 0.8, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.01, 0.99, 1.005, 0.995],
)


def log_axis(title: str, low: float, high: float, *, dark: bool, **more: Any) -> dict[str, Any]:
    """A log axis from `low` to `high` in the axis's unit, with round numbers on it: 1, 2, 5, 10."""
    look: dict[str, Any] = {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "rangemode": "normal",
    }
    labels = _fitting(_of_powers(low, high))
    return axis(f"{title}, log axis", dark=dark, **(look | _written(labels) | more))


def linear_axis(title: str, low: float, high: float, *, dark: bool, **more: Any) -> dict[str, Any]:
    """An axis from `low` to `high` in its unit, with equal steps of 1, 2 or 5 on it."""
    look: dict[str, Any] = {"range": [low, high], "rangemode": "normal"}
    labels = _fitting(_of_steps(low, high))
    return axis(title, dark=dark, **(look | _written(labels) | more))


def room_beside(upright: dict[str, Any]) -> int:
    """Pixels that a vertical axis made here takes, with its title."""
    return round(max((_width(text) for text in upright["ticktext"]), default=0)) + _TITLE_PX


def ratios_between(low: float, high: float) -> list[float]:
    """Ratios for a log axis, 1 among them where it is on it: the rounder come first, and each that
    follows has room beside them on the narrowest chart."""
    found: list[float] = []
    for ratio in (one for like in _RATIOS for one in like if low <= one <= high):
        gaps = (abs(math.log(ratio / other)) / math.log(high / low) for other in found)
        if min(gaps, default=1.0) >= _LEAST_GAP:
            found.append(ratio)
    return sorted(found)


_Labels = list[tuple[float, str]]


def _of_powers(low: float, high: float) -> Iterator[_Labels]:
    """Fewer and fewer of the round numbers between the two ends."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for steps in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps]
        yield [(tick, _number(tick, tick / 10)) for tick in ticks if low <= tick <= high]
    for every in range(2, len(powers)):
        ticks = [10.0**power for power in powers if power % every == 0]
        yield [(tick, _number(tick, tick)) for tick in ticks if low <= tick <= high]


def _of_steps(low: float, high: float) -> Iterator[_Labels]:
    """Larger and larger steps between the two ends."""
    power = math.floor(math.log10(high - low)) - 1
    for step in (one * 10.0**more for more in (power, power + 1) for one in (1, 2, 5)):
        places = range(math.ceil(low / step), math.floor(high / step) + 1)
        yield [(place * step, _number(place * step, step)) for place in places]


def _fitting(offered: Iterator[_Labels]) -> _Labels:
    """The most that have room beside each other; the last that are offered if none have."""
    labels: _Labels = []
    for labels in offered:
        needed = sum(_width(text) + _BETWEEN_PX for _, text in labels)
        if len(labels) <= _MOST_TICKS and needed <= _PLOT_PX:
            break
    return labels


def _written(labels: _Labels) -> dict[str, Any]:
    return {
        "tickmode": "array",
        "tickvals": [value for value, _ in labels],
        "ticktext": [text for _, text in labels],
    }


def _number(value: float, step: float) -> str:
    """With the digits that tell it from one a step away: 1 280, 0.0005, 2×10⁻⁷."""
    if 0 < abs(value) < _LEAST_WRITTEN_OUT:
        power = math.floor(math.log10(abs(value)) + 1e-9)
        digits = f"{value / 10.0**power:.6g}"
        return f"{'' if digits == '1' else f'{digits}×'}10<sup>{power}</sup>"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if decimals else text).replace(",", THIN)


def _width(text: str) -> float:
    plain, _, high = text.partition("<sup>")
    return len(plain) * _DIGIT_PX + len(high.removesuffix("</sup>")) * _HIGH_DIGIT_PX
