"""What of an experiment was made and what is missing. Usable from several threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from app.bench.experiments.order import WARM_UP_ROUND, Cell
from app.bench.experiments.samples import RunSample, sample_of
from app.bench.record import RunRecord

ATTEMPTS = 2
SPOILT = "the others of its pair were made by another worker"
_FAILURES_IN_A_ROW = 2


class Ledger:
    """Every cell of a plan with the runs that were made for it, and the setups that were left out.

    A cell is missing until it has an undisturbed run, or two that finished.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = cells
        self._lock = threading.RLock()
        self._made: dict[Cell, list[RunSample]] = {}
        self._missing = set(cells)
        self._missing_of = Counter(cell.setup for cell in cells)
        self._failures: Counter[int] = Counter()
        self._left_out: dict[int, str] = {}

    def note(self, record: RunRecord) -> None:
        """Take a run into account; those of other passes are none of ours."""
        place = record.experiment
        if place is None or place.round < WARM_UP_ROUND:
            return
        cell = Cell(place.round, place.conversation, place.turn, place.setup)
        with self._lock:
            samples = self._made.setdefault(cell, [])
            samples.append(sample_of(record))
            counting = [one for one in samples if one.disturbed != SPOILT]
            finished = sum(one.status == "finished" for one in counting)
            is_done = record.is_undisturbed or finished >= ATTEMPTS
            if is_done and cell in self._missing:
                self._missing.remove(cell)
                self._missing_of[cell.setup] -= 1

    def count_failures(self, record: RunRecord, setup: int) -> None:
        """A setup that fails twice in a row is left out of the rest, with what it said."""
        with self._lock:
            self._failures[setup] = self._failures[setup] + 1 if record.status == "failed" else 0
            if self._failures[setup] >= _FAILURES_IN_A_ROW:
                error = record.error
                said = f"{error.message} {error.remedy}".strip() if error else "It failed."
                self._left_out[setup] = said

    def spoil(self, cells: Sequence[Cell]) -> list[str]:
        """Have the pairs of these cells that are not whole made again from their beginning; returns
        the ids of their runs."""
        with self._lock:
            half_made = {cell.pair for cell in cells if cell in self._missing}
            lost = [cell for cell in cells if cell.pair in half_made and self._made.get(cell)]
            ids = [sample.run_id for cell in lost for sample in self._made[cell]]
            self._missing_of.update(cell.setup for cell in lost if cell not in self._missing)
            for cell in lost:
                self._made[cell] = [replace(one, disturbed=SPOILT) for one in self._made[cell]]
            self._missing.update(lost)
        return ids

    def is_wanted(self, cell: Cell) -> bool:
        with self._lock:
            return cell in self._missing and cell.setup not in self._left_out

    def attempts(self, cell: Cell) -> int:
        """How often it was tried so far."""
        with self._lock:
            return len(self._made.get(cell, ()))

    def missing(self) -> Counter[int]:
        """How many runs are still to be made of each setup that is not left out."""
        with self._lock:
            return +Counter({i: n for i, n in self._missing_of.items() if i not in self._left_out})

    @property
    def made(self) -> int:
        """How many cells have what counts."""
        with self._lock:
            return len(self._cells) - len(self._missing)

    @property
    def left_out(self) -> dict[int, str]:
        with self._lock:
            return dict(self._left_out)

    def samples(self) -> list[RunSample]:
        """Every run, warm-ups and what was made again, too."""
        with self._lock:
            return [one for runs in self._made.values() for one in runs]
