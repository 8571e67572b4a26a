"""Beside each other, a hosted and a local answer are summed up, with what cannot be known."""

from __future__ import annotations

from app.bench.record import Environment
from app.ui.here_or_there import here_or_there
from backends.engine import REMOTE_DEVICE
from tests.bench.samples import make_run, stamps

THERE = Environment(hardware="server at http://there/v1", device=REMOTE_DEVICE)


def test_both_sides_are_told_with_what_is_not_known() -> None:
    there = make_run(environment=THERE, served={"provider": "novita"})
    told = here_or_there([make_run(), there])
    assert "Here: first token after 20" in told
    assert "There (novita)" in told
    assert "no price" in told
    assert "Network and queue" in told
    assert "not told" in told


def test_what_is_estimated_is_told_as_such() -> None:
    shared = stamps((30, 1), (40, 1), (50, 1))
    assert "then about 100" in here_or_there([make_run(), make_run(environment=THERE)])
    told = tuple(chunk.model_copy(update={"tokens_told": True}) for chunk in shared)
    counted = here_or_there([make_run(chunks=told), make_run(environment=THERE, chunks=told)])
    assert "about" not in counted


def test_without_a_finished_run_on_either_side_nothing_is_said() -> None:
    there = make_run(environment=THERE)
    assert here_or_there([make_run()]) == ""
    assert here_or_there([there, there]) == ""
    assert here_or_there([make_run(status="failed"), there]) == ""
    assert here_or_there([make_run(contended=True), there]) == ""
    assert "server at http://there/v1" in here_or_there([there, make_run()])
