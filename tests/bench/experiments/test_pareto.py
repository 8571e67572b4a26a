"""The front claims no more than the intervals allow."""

from __future__ import annotations

import pytest

from app.bench.experiments.pareto import Estimate, Point, front, line, points_of
from tests.bench.experiments.made_up import MS, figure, setup_figures


def point(index: int, x: float, y: float, *, wide: float = 0.1) -> Point:
    return Point(index, Estimate(x, x - wide, x + wide), Estimate(y, y - wide, y + wide))


def test_who_is_better_in_one_figure_is_on_the_front() -> None:
    points = [point(0, 1, 5), point(1, 3, 3), point(2, 5, 1)]
    assert set(front(points).values()) == {"on the front"}
    assert [one.index for one in line(points)] == [0, 1, 2]


def test_who_is_worse_in_both_is_dominated() -> None:
    points = [point(0, 1, 1), point(1, 3, 3)]
    assert front(points) == {0: "on the front", 1: "dominated"}
    assert [one.index for one in line(points)] == [0]


def test_where_intervals_meet_nothing_is_claimed() -> None:
    points = [point(0, 1, 1, wide=0.5), point(1, 1.4, 3, wide=0.5)]
    assert front(points) == {0: "on the front", 1: "maybe"}
    close = [point(0, 1, 1, wide=0.5), point(1, 1.4, 1.4, wide=0.5)]
    assert front(close) == {0: "maybe", 1: "maybe"}
    assert [one.index for one in line(close)] == [0], "by the medians there is still a line"


def test_without_an_interval_nothing_is_sure() -> None:
    bare = Point(1, Estimate(3, None, None), Estimate(3, None, None))
    assert front([point(0, 1, 1), bare]) == {0: "maybe", 1: "maybe"}


def test_equal_in_one_figure_and_worse_in_the_other_is_dominated() -> None:
    """Peak memory may be the same to the byte: then there is no interval to leave it open."""
    same = Estimate(2, 2, 2)
    points = [Point(0, Estimate(1, 0.9, 1.1), same), Point(1, Estimate(3, 2.9, 3.1), same)]
    assert front(points) == {0: "on the front", 1: "dominated"}


def test_two_of_the_same_dominate_neither() -> None:
    same = Estimate(2, 2, 2)
    points = [Point(0, same, same), Point(1, same, same)]
    assert set(front(points).values()) == {"maybe"}
    assert len(line(points)) == 2


def test_one_alone_is_on_the_front() -> None:
    assert front([point(4, 1, 1)]) == {4: "on the front"}


def test_more_is_better_where_the_metric_says_so() -> None:
    setups = [
        setup_figures(
            index,
            figure("decode_tokens_per_second", speed, speed - 1, speed + 1),
            figure("ttft_ns", 10 * MS, 9 * MS, 11 * MS),
        )
        for index, speed in enumerate((50, 100))
    ]
    points = points_of(setups, "decode_tokens_per_second", "ttft_ns")
    assert points[0].x == Estimate(-50, -51, -49)
    assert [one.index for one in line(points)] == [1]


@pytest.mark.parametrize("value", [None, 5.0])
def test_only_setups_with_both_figures_are_points(value: float | None) -> None:
    setups = [
        setup_figures(0, figure("ttft_ns", 1, 1, 1), figure("tpot_ns", 1, 1, 1)),
        setup_figures(1, figure("ttft_ns", 2, 2, 2), figure("tpot_ns", value, value, value)),
        setup_figures(2, figure("ttft_ns", 2, 2, 2)),
    ]
    assert len(points_of(setups, "ttft_ns", "tpot_ns")) == (1 if value is None else 2)
