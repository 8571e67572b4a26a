"""The line under an answer that is being written says where it stands."""

from __future__ import annotations

import pytest

from app.bench.conversation import Column
from app.bench.lane import Lane
from app.ui.live import status_line
from backends.request import Chunk, Wait
from backends.setup import Setup

SECOND = 1_000_000_000


@pytest.fixture
def lane() -> Lane:
    made = Lane(Column(key="a", setup=Setup()), "there")
    made.is_remote = True
    made.start_running()
    made.running_since_ns = 1
    return made


def test_a_cold_start_counts_down(lane: Lane) -> None:
    lane.take(Chunk(None, "", 0, wait=Wait("The server starts the model", 20 * SECOND)))
    assert status_line(lane, 0) == "The server starts the model: about 21 s"
    assert status_line(lane, 12 * SECOND + 1) == "The server starts the model: about 8 s"
    assert status_line(lane, 30 * SECOND) == "The server starts the model: about 1 s"
    lane.take(Chunk(None, "Paris", 30 * SECOND))
    assert "starts" not in status_line(lane, 31 * SECOND)


def test_a_server_that_has_said_nothing_yet_is_not_said_to_prefill(lane: Lane) -> None:
    assert status_line(lane, 2 * SECOND).startswith("Network, queue and prefill 2")
    lane.is_remote = False
    assert status_line(lane, 2 * SECOND).startswith("Prefill 2")


def test_tokens_of_a_server_are_not_counted_by_its_chunks(lane: Lane) -> None:
    lane.take(Chunk(None, "Paris", SECOND))
    assert status_line(lane, 2 * SECOND) == "Streaming: its tokens are counted at the end"


def test_one_token_is_not_tokens(lane: Lane) -> None:
    lane.is_remote = False
    lane.take(Chunk((1,), "The", SECOND))
    assert status_line(lane, 2 * SECOND).startswith("1 token")
    assert not status_line(lane, 2 * SECOND).startswith("1 tokens")
