"""What a figure is: one number of a run, its unit and how it was obtained. Types only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.bench.record import RunRecord

Number = int | float | Decimal
Provenance = Literal["measured", "derived", "estimated", "quoted"]
Unit = Literal[
    "ns", "tokens/s", "tokens", "bytes", "dollars", "ratio", "share", "number", "nats", "joules"
]
Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and how it was obtained. `value` is None where `reason` says why not."""

    name: str
    title: str
    value: Number | None
    unit: Unit
    provenance: Provenance
    formula: str
    better: Better = "lower"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure is. `missing` is why there may be none; a function says it by record.

    `detail` adds to the formula what holds for one record alone (a price, a method).
    `is_estimate`: for which records the number is estimated, whatever it usually is.
    """

    name: str
    title: str
    unit: Unit
    provenance: Provenance
    formula: str
    value: Callable[[RunRecord], Number | None]
    missing: str | Callable[[RunRecord], str]
    better: Better = "lower"
    detail: Callable[[RunRecord], str] = lambda record: ""
    is_estimate: Callable[[RunRecord], bool] = lambda record: False

    def __call__(self, record: RunRecord) -> Figure:
        value = self.value(record)
        reason = self.missing if isinstance(self.missing, str) else self.missing(record)
        return Figure(
            name=self.name,
            title=self.title,
            value=value,
            unit=self.unit,
            provenance="estimated" if self.is_estimate(record) else self.provenance,
            formula=self.formula + self.detail(record),
            better=self.better,
            reason=reason if value is None else "",
        )
