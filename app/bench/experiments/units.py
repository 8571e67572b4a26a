"""Pieces of an experiment for several makers: each takes one, and what it could not end returns."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from app.bench.experiments.order import Cell

Unit = tuple[Cell, ...]


def units_of(cells: Sequence[Cell], *, salted: bool = True) -> list[Unit]:
    """What is made by one maker, one run after the other, in the order of the cells.

    A unit is a conversation in a couple of rounds: all setups of its pairs, in both orders. Where
    prompts are not `salted` it is the couple with all conversations, as on one machine: a
    conversation twice in a row would find its whole prompt in an engine's cache.
    """
    found: dict[tuple[int, int], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.couple, cell.conversation if salted else 0), []).append(cell)
    return [tuple(cells) for cells in found.values()]


class Units:
    """What is left to take. Usable from several threads."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._left = deque(units)
        self._taken = 0
        self._changed = threading.Condition()

    def take(self) -> Unit | None:
        """The next one; waits while another maker might give its own back. None: none is left."""
        with self._changed:
            while not self._left and self._taken:
                self._changed.wait()
            if not self._left:
                return None
            self._taken += 1
            return self._left.popleft()

    def end(self, unit: Unit, *, is_done: bool) -> None:
        """It was worked through, or goes back to be taken first."""
        with self._changed:
            self._taken -= 1
            if not is_done:
                self._left.appendleft(unit)
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._left) + self._taken
