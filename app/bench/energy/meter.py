"""Reads a counter at the beginning and at the end of one generation."""

from __future__ import annotations

from typing import Any

from app.bench.energy.counters import EnergyCounter, NoCounter


class EnergyMeter:
    """`joules` of the run that ended last, None where it has none; `problem` says why there are no
    more to come. Reading takes microseconds, but in runs whose times count nothing is read."""

    def __init__(self, counter: EnergyCounter) -> None:
        self._counter = counter
        self._begun: Any = None
        self.joules: float | None = None
        self.problem = ""

    def begin(self) -> None:
        """The engine is asked now."""
        self.joules, self._begun = None, self._read()

    def end(self) -> None:
        """It has answered."""
        begun, self._begun = self._begun, None
        ended = None if begun is None else self._read()
        self.joules = None if ended is None else self._counter.joules_between(begun, ended)

    def _read(self) -> Any:
        try:
            return self._counter.read()
        except NoCounter as error:
            self.problem = error.message.rstrip(".")
            return None
