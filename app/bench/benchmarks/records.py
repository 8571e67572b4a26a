"""The benchmark record: one figure with its interval, its bar, and whether the bar is reached.

Knows how to judge and how to exit. Does not know how anything is measured.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.bench.environment import commit, hardware_name, library_versions

Direction = Literal["higher", "lower"]

EXIT_HOLDS = 0
EXIT_FALLS_SHORT = 1
EXIT_NOTHING_RAN = 2


class BenchmarkRecord(BaseModel):
    """One figure, as `--json` prints it. `low` and `high` are its 95 % interval, if it has one.

    A figure that could not be measured has `value` None and a `reason`; `holds` is None where
    there is no value or no bar.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    n: int
    better: Direction
    bar: float | None
    holds: bool | None
    reason: str
    date: str
    hardware: str
    versions: dict[str, str]
    commit: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """What a benchmark sets out to measure: the figure's name, its unit, and the bar to reach.

    `floor` is for what should be equal: then the whole interval lies from there to the bar.
    """

    name: str
    unit: str
    better: Direction
    bar: float | None = None
    floor: float | None = None

    def measured(
        self,
        value: float,
        *,
        n: int,
        interval: tuple[float | None, float | None] = (None, None),
        reason: str = "",
    ) -> BenchmarkRecord:
        """The figure with its value. `reason` may say what a reader should know about it.

        Raises `ValueError` for a value that is not finite: that is a fault of the benchmark.
        """
        if not math.isfinite(value):
            raise ValueError(f"{self.name} is {value}")
        return self._record(value, *interval, n, reason)

    def not_measured(self, reason: str, *, n: int = 0) -> BenchmarkRecord:
        """The figure without a value. `n` counts what there was of it all the same."""
        if not reason:
            raise ValueError(f"{self.name} was not measured and nobody says why")
        return self._record(None, None, None, n, reason)

    def _record(
        self, value: float | None, low: float | None, high: float | None, n: int, reason: str
    ) -> BenchmarkRecord:
        return BenchmarkRecord(
            name=self.name,
            value=value,
            low=low,
            high=high,
            unit=self.unit,
            n=n,
            better=self.better,
            bar=self.bar,
            holds=None if value is None else self._holds(value, low, high),
            reason=reason,
            date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            hardware=hardware_name(),
            versions=library_versions(),
            commit=commit(),
        )

    def _holds(self, value: float, low: float | None, high: float | None) -> bool | None:
        """Whether the interval's unfavourable end (or the value alone) reaches the bar."""
        if self.bar is None:
            return None
        if self.floor is not None and (value if low is None else low) < self.floor:
            return False
        if self.better == "higher":
            return (value if low is None else low) >= self.bar
        return (value if high is None else high) <= self.bar


def exit_code(records: Sequence[BenchmarkRecord]) -> int:
    """0 when all that was measured holds, 1 when something falls short, 2 when nothing ran."""
    if all(record.value is None for record in records):
        return EXIT_NOTHING_RAN
    return EXIT_FALLS_SHORT if any(r.holds is False for r in records) else EXIT_HOLDS


def json_line(records: Sequence[BenchmarkRecord]) -> str:
    """One line: the list of records."""
    return json.dumps([record.model_dump(mode="json") for record in records], ensure_ascii=False)
