"""Names of points keep off each other, off points and off lines; titles are wrapped."""

from __future__ import annotations

from app.charts.colors import setup_color, setup_symbol
from app.charts.placing import Named, Place, places
from app.charts.style import label_width, wrapped

WIDTH, HEIGHT = 560, 320


def box(point: Named, place: Place) -> tuple[float, float, float, float]:
    width = label_width([point.name])
    x = point.x * WIDTH + place.dx
    left = {"left": x, "right": x - width, "center": x - width / 2}[place.anchor]
    bottom = point.y * HEIGHT + place.dy - 8.5
    return left, bottom, left + width, bottom + 17


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    beside = one[2] <= other[0] or other[2] <= one[0]
    return not (beside or one[3] <= other[1] or other[3] <= one[1])


def test_names_of_near_points_do_not_cover_each_other() -> None:
    points = [Named(0.4 + 0.01 * i, 0.5 + 0.015 * i, f"setup number {i}") for i in range(6)]
    boxes = [
        box(one, place) for one, place in zip(points, places(points, WIDTH, HEIGHT), strict=True)
    ]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert not [1 for a, b in pairs if overlap(a, b)]


def test_names_stay_inside() -> None:
    points = [Named(0.99, 0.5, "at the right end"), Named(0.01, 0.99, "in the corner")]
    for point, place in zip(points, places(points, WIDTH, HEIGHT), strict=True):
        left, bottom, right, top = box(point, place)
        assert left >= 0
        assert right <= WIDTH
        assert bottom >= 0
        assert top <= HEIGHT


def test_names_keep_off_bars_and_lines() -> None:
    point = Named(0.5, 0.5, "a name", across=(0.2, 0.8))
    (place,) = places([point], WIDTH, HEIGHT)
    assert not overlap(box(point, place), (0.2 * WIDTH, 157, 0.8 * WIDTH, 163))
    (above,) = places([Named(0.5, 0.5, "a name")], WIDTH, HEIGHT, [(0.5, 0.5), (1, 0.5)])
    assert above.anchor != "left" or above.dy != 0


def test_titles_are_broken_between_words() -> None:
    assert wrapped("one two three", 7) == "one two<br>three"
    assert wrapped("one<br>two", 40) == "one<br>two"
    assert wrapped("&lt;averylongname&gt;", 5) == "&lt;averylongname&gt;"


def test_36_setups_are_told_apart() -> None:
    assert len({(setup_color(index), setup_symbol(index)) for index in range(36)}) == 36
