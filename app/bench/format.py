"""Numbers for people: the only place where nanoseconds, bytes and dollars become text.

Base units come in; text with thin, unbreakable spaces and a unit goes out. What was not measured
becomes a phrase with its reason, never a dash alone.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.bench.formulae import NOT_TOLD
from app.bench.metric import Figure, Unit
from app.charts.style import THIN

Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Parts:
    """A figure as it is set in type: the number, its unit (small), or a phrase instead of both.

    `short_unit` is for narrow cells, where the long form is one hover away.
    """

    number: str
    unit: str = ""
    missing: str = ""
    short_unit: str = ""

    @property
    def text(self) -> str:
        if self.missing:
            return self.missing
        gap = "" if self.unit in ("", "×") else THIN
        return f"{self.number}{gap}{self.unit}"


@dataclass(frozen=True, slots=True)
class _Scale:
    """What a number is divided by, the unit that this gives, and the decimals to show."""

    divisor: Decimal
    unit: str
    decimals: int
    prefix: str = ""
    short_unit: str = ""

    def parts(self, value: Number) -> Parts:
        scaled = _decimal(value) / self.divisor
        number = self.prefix + grouped(scaled, self.decimals)
        return Parts(number, self.unit, short_unit=self.short_unit or self.unit)


_NS_UNITS = ((Decimal(1_000), "µs"), (Decimal(1_000_000), "ms"), (Decimal(1_000_000_000), "s"))
_BYTE_UNITS = tuple((Decimal(1_000) ** i, unit) for i, unit in enumerate(("B", "kB", "MB", "GB")))
_MOST_DIGITS_IN_A_ROW = 100_000


def grouped(value: Number, decimals: int = 0) -> str:
    """A number with thin spaces between thousands and a true minus: 1 280, −0.5."""
    text = f"{round(_decimal(value), decimals):,.{decimals}f}"
    return text.replace(",", THIN).replace("-", "−")


def duration(value_ns: Number) -> str:
    """Nanoseconds: 850 µs, 6.1 ms, 21 ms, 1.24 s, 12.4 s."""
    return _scale("ns", value_ns).parts(value_ns).text


def about_seconds(value: float) -> str:
    """Seconds to come, as exact as a guess can be: 40 s, 6 min, 2 h 10 min."""
    if value < 90:
        return f"{max(1, round(value))} s"
    minutes = round(value / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(round(minutes / 5) * 5, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def bytes_text(value: Number) -> str:
    """Bytes in powers of 1,000: 850 kB, 58 MB, 3.2 GB."""
    return _scale("bytes", value).parts(value).text


def rate(value: Number) -> str:
    """Tokens per second: 6.3 tok/s, 163 tok/s, 1 280 tok/s."""
    return _scale("tokens/s", value).parts(value).text


def count(value: int) -> str:
    return grouped(value)


def counted(number: int, what: str) -> str:
    """1 setup, 2 setups."""
    return f"{grouped(number)} {what if number == 1 else what + 's'}"


def dollars(value: Number) -> str:
    """Money: $0.02, and below a cent what a thousand or a million of the same would cost."""
    return _scale("dollars", value).parts(value).text


def dollars_of_many(value: Decimal) -> str:
    """Money as it is, with two digits that mean something below a cent: $0.0019, $1.20, $1 234."""
    size = abs(value)
    if size == 0 or size >= Decimal("0.1"):
        return "$" + grouped(value, 2 if size < 1_000 else 0)
    return "$" + grouped(value, min(12, 1 - math.floor(math.log10(size))))


def unit_scale(unit: Unit, value: Number) -> tuple[float, str]:
    """What values near this one are divided by to be shown, and the unit that this gives."""
    scale = _scale(unit, value)
    return float(scale.divisor), scale.unit


def significant(value: float, digits: int = 3) -> str:
    """A number with so many digits that mean something: 0.0123, 1.23, 123, 1 235."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.{digits - 1}e}")  # 9.996 is a 10.0, and no 10.00
    return grouped(value, min(12, max(0, digits - 1 - math.floor(math.log10(abs(rounded))))))


def ratio(value: Number) -> str:
    """How many times: 5.1×, 0.98×, 23×."""
    return _scale("ratio", value).parts(value).text


def long_duration(seconds: float) -> str:
    """Seconds that have passed: 40 s, 6 min 54 s, 2 h 10 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def moment(when: dt.datetime, now: dt.datetime | None = None) -> str:
    """A date and time in this machine's zone, shorter the nearer it is: 14:03, 12 Mar 14:03."""
    local = when.astimezone()
    today = (now or dt.datetime.now(dt.UTC)).astimezone()
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    day = f"{local.day} {local.strftime('%b')}"
    if local.year != today.year:
        day += f" {local.year}"
    return f"{day} {local.strftime('%H:%M')}"


def figure_text(figure: Figure) -> str:
    """A figure by itself; with its reason where it was not measured."""
    return figure_parts(figure).text


def told_text(figure: Figure) -> str:
    """A figure inside a sentence, where nothing else says that it is an estimate."""
    is_about = figure.value is not None and figure.provenance == "estimated"
    return f"about {figure_text(figure)}" if is_about else figure_text(figure)


def figure_parts(figure: Figure) -> Parts:
    return row_parts([figure])[0]


def format_row(figures: Sequence[Figure]) -> list[str]:
    """The same figure of several setups, in one unit with the same decimals."""
    return [parts.text for parts in row_parts(figures)]


def row_parts(figures: Sequence[Figure]) -> list[Parts]:
    """As `format_row`, as parts. The smallest value that is not 0 sets the unit and decimals."""
    values = [figure.value for figure in figures if figure.value is not None]
    shared: _Scale | None = None
    if values:
        unit = figures[0].unit
        sizes = [abs(_decimal(value)) for value in values if value]
        smallest, largest = (min(sizes), max(sizes)) if sizes else (Decimal(0), Decimal(0))
        scale = _scale(unit, smallest)
        if largest / scale.divisor < _MOST_DIGITS_IN_A_ROW:
            shared = scale
    return [
        missing_parts(figure)
        if figure.value is None
        else (shared or _scale(figure.unit, figure.value)).parts(figure.value)
        for figure in figures
    ]


def missing_phrase(reason: str) -> str:
    """Why there is no number: nobody measured it, or a server keeps it to itself."""
    if reason.startswith(NOT_TOLD):
        return reason
    return f"not measured: {reason or 'no reason was given'}"


def missing_parts(figure: Figure) -> Parts:
    if figure.unit == "dollars" and figure.reason == "no price set":
        return Parts("", missing="no price")
    return Parts("", missing=missing_phrase(figure.reason))


def _decimal(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _scale(unit: Unit, value: Number) -> _Scale:
    """How one value is shown: two or three digits that mean something."""
    size = abs(_decimal(value))
    match unit:
        case "ns":
            return _unit_scale(_NS_UNITS, size, small_decimals=1, decimals_of_last=2)
        case "bytes":
            return _unit_scale(_BYTE_UNITS, size, small_decimals=1, decimals_of_last=1)
        case "tokens/s":
            return _Scale(Decimal(1), "tok/s", 2 if size < 1 else 1 if size < 10 else 0)
        case "tokens":
            return _Scale(Decimal(1), "tokens", 0)
        case "ratio":
            return _Scale(Decimal(1), "×", 2 if size < 2 else 1 if size < 10 else 0)
        case "share":
            return _Scale(Decimal("0.01"), "%", 1 if size < Decimal("0.1") else 0)
        case "dollars":
            return _money_scale(size)
        case "number":
            return _Scale(Decimal(1), "", 3 if size < 10 else 1)
        case "nats":
            return _Scale(Decimal(1), "nats", 6 if size < Decimal("0.001") else 4)
        case "joules":
            return _Scale(Decimal(1), "J", 3 if size < 1 else 2 if size < 10 else 0)


def _unit_scale(
    units: Sequence[tuple[Decimal, str]], size: Decimal, small_decimals: int, decimals_of_last: int
) -> _Scale:
    """The largest unit in which `size`, as it will be rounded, is at least 1."""
    divisor, unit = units[1] if size == 0 and units[0][1] != "B" else units[0]
    for larger, name in units[1:]:
        if round(size / divisor) >= 1_000 or size >= larger:
            divisor, unit = larger, name
    scaled = size / divisor
    if unit == "B":
        return _Scale(divisor, unit, 0)
    if unit == units[-1][1]:
        whole_digits = len(str(math.floor(scaled)))
        return _Scale(divisor, unit, max(0, decimals_of_last + 1 - whole_digits))
    return _Scale(divisor, unit, small_decimals if 0 < scaled < Decimal("9.95") else 0)


_MONEY_SCALES = (
    (1, "", ""),
    (1_000, f"per 1{THIN}000 answers", "/ 1k"),
    (1_000_000, "per million answers", "/ 1M"),
)


def _money_scale(size: Decimal) -> _Scale:
    """Dollars of one answer, or of as many answers as make at least a cent."""
    for answers, unit, short_unit in _MONEY_SCALES:
        scaled = size * answers
        if size == 0 or scaled >= Decimal("0.01"):
            decimals = 2 if scaled < 1_000 else 0
            return _Scale(1 / Decimal(answers), unit, decimals, "$", short_unit)
    answers, unit, short_unit = _MONEY_SCALES[-1]
    decimals = min(12, 1 - math.floor(math.log10(size * answers)))
    return _Scale(1 / Decimal(answers), unit, decimals, "$", short_unit)
