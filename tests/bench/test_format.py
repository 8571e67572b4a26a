"""Numbers as people read them: exact strings."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from app.bench import format as fmt
from app.bench.figures import cost, peak_memory, tpot, ttft
from app.bench.metric import Figure, Unit
from app.bench.record import MemoryLedger
from tests.ui.records import make_record

THIN = "\u202f"


def plain(text: str) -> str:
    return text.replace(THIN, " ")


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("number", 1.0738, "1.074"),
        ("number", 23.46, "23.5"),
        ("nats", 0.000047228, "0.000047 nats"),
        ("nats", 0.0451, "0.0451 nats"),
        ("joules", 0.0123, "0.012 J"),
        ("joules", 12.3, "12 J"),
    ],
)
def test_figures_of_quality_and_energy(unit: Unit, value: float, text: str) -> None:
    figure = Figure("any", "Any", value, unit, "measured", "")
    assert [plain(one) for one in fmt.format_row([figure])] == [text]


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (0, "0 ms"),
        (850, "0.8 µs"),
        (85_000, "85 µs"),
        (999_600, "1.0 ms"),
        (6_100_000, "6.1 ms"),
        (9_960_000, "10 ms"),
        (21_000_000, "21 ms"),
        (999_600_000, "1.00 s"),
        (1_240_000_000, "1.24 s"),
        (12_400_000_000, "12.4 s"),
        (1_234_000_000_000, "1 234 s"),
    ],
)
def test_durations(value_ns: int, text: str) -> None:
    assert plain(fmt.duration(value_ns)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (850_000, "850 kB"),
        (8_400_000, "8.4 MB"),
        (58_000_000, "58 MB"),
        (999_700_000, "1.0 GB"),
        (3_200_000_000, "3.2 GB"),
        (58_200_000_000, "58 GB"),
    ],
)
def test_bytes(value: int, text: str) -> None:
    assert plain(fmt.bytes_text(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.42, "0.42 tok/s"), (6.3, "6.3 tok/s"), (163.2, "163 tok/s"), (1280.0, "1 280 tok/s")],
)
def test_rates(value: float, text: str) -> None:
    assert plain(fmt.rate(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "$0.00"),
        ("0.02", "$0.02"),
        ("3.5", "$3.50"),
        ("12345", "$12 345"),
        ("0.00083", "$0.83 per 1 000 answers"),
        ("0.0000012", "$1.20 per million answers"),
        ("0.000000001", "$0.0010 per million answers"),
    ],
)
def test_money_stays_readable_when_it_is_tiny(value: str, text: str) -> None:
    assert plain(fmt.dollars(Decimal(value))) == text


@pytest.mark.parametrize(("value", "text"), [(5.13, "5.1×"), (0.98, "0.98×"), (23.4, "23×")])
def test_ratios(value: float, text: str) -> None:
    assert fmt.ratio(value) == text


def test_a_minus_is_a_minus() -> None:
    assert fmt.grouped(-1234.5, 1) == f"−1{THIN}234.5"


def test_spaces_do_not_break() -> None:
    assert " " not in fmt.rate(1280)


def test_a_row_has_one_unit_and_the_decimals_of_its_smallest() -> None:
    fast, slow = make_record(tpot_ms=6.1), make_record(tpot_ms=1240)
    assert [plain(text) for text in fmt.format_row([tpot(fast), tpot(slow)])] == [
        "6.1 ms",
        "1 240.0 ms",
    ]


def test_a_row_of_what_cannot_share_a_unit_keeps_each_its_own() -> None:
    quick, slow = make_record(ttft_ms=0.085), make_record(ttft_ms=12_400)
    assert [plain(text) for text in fmt.format_row([ttft(quick), ttft(slow)])] == [
        "85 µs",
        "12.4 s",
    ]


def test_costs_of_a_row_are_for_the_same_number_of_answers() -> None:
    figures = [
        replace(cost(make_record()), value=Decimal(value)) for value in ("0.000002", "0.0009")
    ]
    assert [plain(text) for text in fmt.format_row(figures)] == [
        "$2.00 per million answers",
        "$900.00 per million answers",
    ]
    assert [parts.short_unit for parts in fmt.row_parts(figures)] == ["/ 1M", "/ 1M"]


def test_what_was_not_measured_says_why() -> None:
    silent = make_record(tokens=0, price=None, memory=MemoryLedger(reason="no smaps here"))
    assert fmt.figure_text(ttft(silent)) == "not measured: no token was produced"
    assert fmt.figure_text(cost(silent)) == "no price"
    assert fmt.figure_text(peak_memory(silent)) == "not measured: no smaps here"
    assert fmt.format_row([ttft(make_record()), ttft(silent)])[1].startswith("not measured")


def test_moments_are_short_when_they_are_near() -> None:
    now = dt.datetime(2026, 7, 1, 12, 0).astimezone()
    assert fmt.moment(now.replace(hour=9, minute=5, second=7), now) == "09:05:07"
    assert fmt.moment(now.replace(month=3, day=2, hour=14), now) == "2 Mar 14:00"
    assert fmt.moment(now.replace(year=2025), now) == "1 Jul 2025 12:00"


def test_rounding_up_to_a_power_of_ten_adds_no_digit() -> None:
    assert fmt.significant(9.996) == "10.0"
    assert fmt.significant(0.99999, 4) == "1.000"
    assert fmt.significant(0.9996, 4) == "0.9996"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (40, "40 s"), (370, "6 min"), (5400, "1 h 30 min"), (7210, "2 h")],
)
def test_time_to_come_is_as_exact_as_a_guess_can_be(seconds: float, said: str) -> None:
    assert fmt.about_seconds(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(39.6, "40 s"), (414, "6 min 54 s"), (7800, "2 h 10 min")]
)
def test_time_that_has_passed_is_told_in_the_units_that_it_has(seconds: float, said: str) -> None:
    assert fmt.long_duration(seconds) == said


def test_one_thing_is_no_several_things() -> None:
    assert [fmt.counted(number, "run") for number in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
