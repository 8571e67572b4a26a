"""What of an experiment was made and what is missing. Usable from several threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from app.bench.experiments.order import Cell, set_aside
from app.bench.experiments.samples import RunSample, sample_of
from app.bench.record import RunRecord

ATTEMPTS = 2
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
        self._failures: Counter[tuple[str, int]] = Counter()
        self._left_out: dict[int, str] = {}

    def note(self, record: RunRecord) -> None:
        """Take a run into account, also of another pass."""
        place = record.experiment
        assert place is not None
        cell = Cell(place.round, place.conversation, place.turn, place.setup)
        with self._lock:
            samples = self._made.setdefault(cell, [])
            samples.append(sample_of(record))
            finished = sum(one.status == "finished" for one in samples)
            is_done = record.is_undisturbed or finished >= ATTEMPTS
            if is_done and cell in self._missing:
                self._missing.remove(cell)
                self._missing_of[cell.setup] -= 1

    def count_failures(self, record: RunRecord, place: str, setup: int) -> None:
        """A setup that fails twice in a row in one place is left out of the rest, with what it
        said: what another worker can do does not help this one."""
        key = place, setup
        with self._lock:
            self._failures[key] = self._failures[key] + 1 if record.status == "failed" else 0
            if self._failures[key] >= _FAILURES_IN_A_ROW:
                error = record.error
                said = f"{error.message} {error.remedy}".strip() if error else "It failed."
                self._left_out[setup] = f"{place}: {said}" if place else said

    def set_aside(self, cells: Sequence[Cell]) -> list[RunSample]:
        """Have the pairs of these cells that are not whole made again from their beginning. Returns
        the runs that there are of them, under a round that no comparison looks at."""
        aside: list[RunSample] = []
        with self._lock:
            half_made = {cell.pair for cell in cells if cell in self._missing}
            for cell in cells:
                if cell.pair not in half_made:
                    continue
                there = replace(cell, round=set_aside(cell.round))
                for sample in self._made.pop(cell, ()):
                    place = sample.place.model_copy(update={"round": there.round})
                    aside.append(replace(sample, place=place))
                    self._made.setdefault(there, []).append(aside[-1])
                self._missing_of[cell.setup] += cell not in self._missing
                self._missing.add(cell)
        return aside

    def is_wanted(self, cell: Cell) -> bool:
        with self._lock:
            return cell in self._missing and cell.setup not in self._left_out

    def attempts(self, cell: Cell) -> int:
        """How often it was tried so far, also what was set aside."""
        with self._lock:
            aside = replace(cell, round=set_aside(cell.round))
            return sum(len(self._made.get(one, ())) for one in (cell, aside))

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
    def left_out(self) -> Mapping[int, str]:
        """Why a setup makes no more runs, by its index; it may grow while it is looked at."""
        return MappingProxyType(self._left_out)

    def samples(self) -> list[RunSample]:
        """Every run, warm-ups and what was made again, too."""
        with self._lock:
            return [one for runs in self._made.values() for one in runs]
