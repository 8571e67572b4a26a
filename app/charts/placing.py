"""Where to put the names of points, so that they cover neither each other nor a point. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.style import label_width

_HEIGHT_PX = 17
_POINT_PX, _BAR_PX = 7, 3
_GAP_PX = 11
_ROWS = (0, 1, -1, 2, -2, 3, -3)


@dataclass(frozen=True, slots=True)
class Named:
    """A point, as shares of its axes (0, 0 is at the lower left), its name, and from where to where
    the bars of its intervals go."""

    x: float
    y: float
    name: str
    across: tuple[float, float] | None = None
    upright: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """How far from its point a name is, in pixels, and which of its ends is there."""

    anchor: str
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: _Box) -> float:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    def outside(self, width: float, height: float) -> float:
        across = max(0.0, -self.left) + max(0.0, self.right - width)
        return (across + max(0.0, -self.bottom) + max(0.0, self.top - height)) * _HEIGHT_PX


_CANDIDATES = (
    *(
        Place(anchor, sign * _GAP_PX, row * _HEIGHT_PX)
        for row in _ROWS
        for anchor, sign in (("left", 1), ("right", -1))
    ),
    *(Place("center", 0.0, row * (_HEIGHT_PX + 2)) for row in _ROWS if row),
)


def places(
    points: Sequence[Named],
    width_px: float,
    height_px: float,
    corners: Sequence[tuple[float, float]] = (),
) -> list[Place]:
    """A place for each name, beside its point or above it, where the least is covered.

    Made for the narrowest a chart gets: a wider one has more room between points. `corners` are
    those of a line of upright and level parts that is to be kept free, too.
    """
    drawn = [box for point in points for box in _drawn(point, width_px, height_px)]
    scaled = [(x * width_px, y * height_px) for x, y in corners]
    drawn += [_part(start, end) for start, end in itertools.pairwise(scaled)]
    taken: list[_Box] = []
    found = []
    for point in points:
        others = [*taken, *drawn]
        candidates = [(place, _box(place, point, width_px, height_px)) for place in _CANDIDATES]
        best, box = min(
            candidates,
            key=lambda one: (
                sum(one[1].overlap(other) for other in others)
                + 4 * one[1].outside(width_px, height_px)
                + (abs(one[0].dy) + abs(one[0].dx)) / 10
            ),
        )
        taken.append(box)
        found.append(best)
    return found


def _part(start: tuple[float, float], end: tuple[float, float]) -> _Box:
    (left, right), (bottom, top) = (sorted(ends) for ends in zip(start, end, strict=True))
    return _Box(left - _BAR_PX, bottom - _BAR_PX, right + _BAR_PX, top + _BAR_PX)


def _drawn(point: Named, width_px: float, height_px: float) -> list[_Box]:
    """The point's marker and its bars."""
    x, y = point.x * width_px, point.y * height_px
    boxes = [_Box(x - _POINT_PX, y - _POINT_PX, x + _POINT_PX, y + _POINT_PX)]
    if point.across is not None:
        left, right = (end * width_px for end in point.across)
        boxes.append(_Box(left, y - _BAR_PX, right, y + _BAR_PX))
    if point.upright is not None:
        bottom, top = (end * height_px for end in point.upright)
        boxes.append(_Box(x - _BAR_PX, bottom, x + _BAR_PX, top))
    return boxes


def _box(place: Place, point: Named, width_px: float, height_px: float) -> _Box:
    width = label_width([point.name])
    x = point.x * width_px + place.dx
    left = {"left": x, "right": x - width, "center": x - width / 2}[place.anchor]
    bottom = point.y * height_px + place.dy - _HEIGHT_PX / 2
    return _Box(left, bottom, left + width, bottom + _HEIGHT_PX)
