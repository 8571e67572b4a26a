"""Numbers on axes are round, few enough for a narrow page, and never an SI prefix or 1e-05."""

from __future__ import annotations

import pytest

from app.charts.ticks import linear_axis, log_axis, ratios_between, room_beside


def test_a_log_axis_has_round_numbers_and_says_that_it_is_one() -> None:
    narrow = log_axis("TTFT (ms)", 20, 90, dark=False)
    assert narrow["ticktext"] == ["20", "30", "40", "50", "60", "80"]
    wide = log_axis("TTFT (ms)", 1, 50_000, dark=False)
    assert wide["ticktext"] == ["1", "10", "100", "1\u202f000", "10\u202f000"]
    assert wide["title"]["text"] == "TTFT (ms), log axis"


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (1190, 1290, ["1\u202f200", "1\u202f220", "1\u202f240", "1\u202f260", "1\u202f280"]),
        (0.00009, 0.00049, ["0.0001", "0.0002", "0.0003", "0.0004"]),
        (3.2149, 3.2166, ["3.215", "3.2155", "3.216", "3.2165"]),
        (-0.3, 4.2, ["0", "1", "2", "3", "4"]),
    ],
)
def test_a_linear_axis_has_equal_round_steps(low: float, high: float, texts: list[str]) -> None:
    found = linear_axis("Cost ($)", low, high, dark=False)
    assert found["ticktext"] == texts
    assert found["range"] == [low, high]


def test_small_numbers_are_written_out_and_tiny_ones_as_powers() -> None:
    assert log_axis("Cost", 8e-6, 1.2e-3, dark=False)["ticktext"] == ["0.00001", "0.0001", "0.001"]
    tiny = log_axis("KL", 1e-14, 1e-2, dark=False)["ticktext"]
    assert "10<sup>-12</sup>" in tiny
    assert len(tiny) <= 8


def test_labels_of_a_narrow_page_do_not_meet() -> None:
    for high in (9e2, 9e4, 9e6, 9e8):
        texts = log_axis("E2E (ms)", 1, high, dark=False)["ticktext"]
        assert sum(7.2 * len(text) + 12 for text in texts) <= 400
        assert len(texts) >= 3


def test_long_labels_get_more_room_beside_the_plot() -> None:
    short = linear_axis("TPOT (ms)", 1, 5, dark=False)
    long = linear_axis("Cost ($)", 0.000121, 0.000128, dark=False)
    assert room_beside(long) - room_beside(short) >= 6 * 7


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.62, 4.6, [0.7, 1, 1.5, 2, 3]),
        (0.22, 18.0, [0.5, 1, 2, 5, 10]),
        (0.95, 1.06, [0.95, 0.98, 1, 1.02, 1.05]),
        (1e-4, 1e4, [0.0001, 0.01, 1, 100, 10_000]),
    ],
)
def test_ratios_are_round_hold_1_and_have_room(low: float, high: float, shown: list[float]) -> None:
    found = ratios_between(low, high)
    assert found == pytest.approx(shown)
