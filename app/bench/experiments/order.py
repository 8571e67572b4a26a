"""The sequence of runs: interleaved, so that a machine that drifts hits all setups alike. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

WARM_UP_ROUND = 0
# Runs of other passes: no comparison of times looks at them.
QUALITY_ROUND = -1
ENERGY_ROUND = -2
# Below this lie the rounds of runs whose pair was made again elsewhere, see `set_aside`.
_SET_ASIDE = -10

_NAMES = {WARM_UP_ROUND: "warm-up", QUALITY_ROUND: "quality", ENERGY_ROUND: "energy"}


def round_name(number: int) -> str:
    """A round for people."""
    if number < _SET_ASIDE:
        return f"round {set_aside(number)}, set aside"
    return _NAMES.get(number, f"round {number}")


def set_aside(number: int) -> int:
    """The round under which runs of a round are kept that no comparison is to look at, since the
    rest of their pair was made by another worker; and back."""
    return _SET_ASIDE - number


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One run that is planned: a turn of a conversation, in a round, with a setup (its index).

    Rounds count from 1; round 0 are the warm-ups, whose `turn` counts them; below it are other
    passes.
    """

    round: int
    conversation: int
    turn: int
    setup: int

    @property
    def pair(self) -> tuple[int, int, int]:
        """What the runs of one pair share: everything but the setup."""
        return self.round, self.conversation, self.turn

    @property
    def couple(self) -> int:
        """Which two rounds it belongs to: those that have an order of setups and its reverse."""
        return (self.round - 1) // 2


def sequence(setups: int, turns: Sequence[int], rounds: int, seed: int) -> list[Cell]:
    """Every run of an experiment, in order. `turns`: how many each conversation has.

    A conversation is asked of all setups before the next one is begun, its turns one after the
    other. Two rounds make a couple with an order of setups drawn from `seed`: A B in the one, B A
    in the other, and neighbouring conversations the other way round too. So over a couple each
    setup has the same mean place for each conversation, and a steady drift cancels out.
    """
    rng = random.Random(seed)
    cells: list[Cell] = []
    drawn: list[int] = []
    for index in range(rounds):
        if index % 2 == 0:
            drawn = rng.sample(range(setups), setups)
        for conversation, count in enumerate(turns):
            forwards = (index + conversation) % 2 == 0
            for setup in drawn if forwards else reversed(drawn):
                cells += [Cell(index + 1, conversation, turn, setup) for turn in range(count)]
    return cells
