"""Counts of guesses: how many were made in each cycle, how many were kept, how long they took."""

from __future__ import annotations

from typing import Any

from backends.request import SpeculationReport


class Tally:
    """Guesses of one generation, cycle by cycle."""

    def __init__(self) -> None:
        self.drafted_in_cycle = 0
        self._drafted = self._accepted = self._cycles = self._draft_ns = 0
        # Who guesses, set when the generation begins.
        self.candidates: Any | None = None

    def guessed(self, tokens: int, took_ns: int) -> None:
        self.drafted_in_cycle = tokens
        self._drafted += tokens
        if self._cycles:
            self._draft_ns += took_ns

    def verified(self, tokens: int) -> tuple[int, int]:
        """A cycle gave `tokens`, the last of them the target's own: guesses made and kept."""
        accepted = min(tokens - 1, self.drafted_in_cycle)
        self._accepted += accepted
        self._cycles += 1
        return self.drafted_in_cycle, accepted

    def report(self) -> SpeculationReport:
        return SpeculationReport(self._drafted, self._accepted, self._cycles, self._draft_ns)
