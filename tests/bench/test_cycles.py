"""What a cycle of speculation cost and gave is computed from the stamps of two runs."""

from __future__ import annotations

import pytest

from app.bench.cycles import cycle_of, plain_twin
from app.bench.record import ChunkStamp, RunRecord, Speculation
from backends.setup import Setup
from tests.ui.records import MS, make_record

PLAIN = make_record(id="p", setup=Setup(), tpot_ms=6)
# Ten cycles of 12 ms after the first, each of 4 tokens, a third of the time spent guessing.
GUESSED = make_record(
    id="g",
    setup=Setup(speculation="draft"),
    chunks=tuple(
        ChunkStamp(t_ns=(20 + 12 * n) * MS, tokens=4, text="abcd", drafted=3, accepted=3)
        for n in range(11)
    ),
    speculation=Speculation(drafted=33, accepted=33, cycles=11, draft_ns=40 * MS),
)


def test_a_cycle_is_told_in_plain_steps_with_the_speed_up_it_should_and_did_give() -> None:
    cycle = cycle_of(GUESSED, PLAIN)
    assert cycle is not None
    assert cycle.tokens == 4
    assert cycle.plain_steps == pytest.approx(2)
    assert cycle.measured == pytest.approx(2)
    assert cycle.predicted == pytest.approx(4 * 2 / 3)


def test_the_plain_twin_differs_in_nothing_but_speculation() -> None:
    other = make_record(id="o", setup=Setup(weights="bf16"))
    assert plain_twin(GUESSED, [other, PLAIN]) is PLAIN
    assert plain_twin(GUESSED, [other]) is None


@pytest.mark.parametrize("change", [{"status": "stopped"}, {"contended": True}, {"chunks": ()}])
def test_nothing_is_told_of_runs_that_cannot_be_compared(change: dict[str, object]) -> None:
    changed: RunRecord = GUESSED.model_copy(update=change)
    assert cycle_of(changed, PLAIN) is None
