"""Drawing fewer points than there are, and saying so. What is computed is computed from all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

# A browser draws each as a shape of its own: 2,000 take it a second on two slow cores.
MOST_POINTS = 400
T = TypeVar("T")


def thinned(items: Sequence[T], most: int = MOST_POINTS) -> tuple[Sequence[T], int]:
    """At most so many, each `step`-th from the first on, and that step."""
    step = max(1, -(-len(items) // most))
    return items[::step], step


def thinning_words(step: int) -> str:
    """To be added to a subtitle; empty where all are drawn."""
    return "" if step == 1 else f"; every {_ordinal(step)} run is drawn, all are counted"


def _ordinal(number: int) -> str:
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
