"""The order of runs: complete, recorded by its seed, and balanced against drift."""

from __future__ import annotations

from collections import Counter

import pytest

from app.bench.experiments.order import sequence


def test_two_setups_alternate_a_b_b_a() -> None:
    setups = [cell.setup for cell in sequence(2, [1], 4, seed=0)]
    assert setups[:2] == setups[3:1:-1]
    assert setups[4:6] == setups[7:5:-1]


def test_neighbouring_conversations_alternate_too() -> None:
    setups = [cell.setup for cell in sequence(2, [1, 1], 1, seed=0)]
    assert setups[:2] == setups[3:1:-1]


@pytest.mark.parametrize("setups", [1, 2, 3, 6])
def test_every_run_is_planned_once(setups: int) -> None:
    cells = sequence(setups, [1, 3], 4, seed=1)
    assert len(cells) == len(set(cells)) == setups * 4 * 4
    assert {cell.round for cell in cells} == {1, 2, 3, 4}


@pytest.mark.parametrize("setups", [2, 3, 5])
def test_a_steady_drift_hits_all_setups_alike(setups: int) -> None:
    cells = sequence(setups, [1, 2, 1], 6, seed=2)
    places: Counter[tuple[int, int]] = Counter()
    for conversation in range(3):
        for round_ in range(1, 7):
            asked = [c for c in cells if (c.round, c.conversation) == (round_, conversation)]
            for place, setup in enumerate(dict.fromkeys(cell.setup for cell in asked)):
                places[conversation, setup] += place
    assert len(set(places.values())) == 1


def test_turns_of_a_conversation_follow_one_another_within_a_setup() -> None:
    cells = sequence(2, [3], 1, seed=0)
    assert [cell.turn for cell in cells] == [0, 1, 2, 0, 1, 2]
    assert len({cell.setup for cell in cells[:3]}) == 1


def test_the_seed_decides_the_order() -> None:
    orders = {tuple(sequence(4, [1], 4, seed)) for seed in range(5)}
    assert len(orders) > 1
    assert sequence(4, [1], 4, 3) == sequence(4, [1], 4, 3)
