"""A server tells how many tokens there were, not which chunk held them."""

from __future__ import annotations

import pytest

from app.bench.chunk_tokens import are_told, chunk_tokens
from backends.request import Chunk


def shares(texts: list[str], tokens: int | None) -> list[int]:
    return chunk_tokens([Chunk(None, text, 0) for text in texts], tokens)


def test_ids_are_counted_where_they_are_known() -> None:
    chunks = [Chunk((1, 2), "ab", 0), Chunk((3,), "", 0), Chunk((), "held", 0)]
    assert chunk_tokens(chunks, 99) == [2, 1, 0]


def test_what_a_server_tells_of_each_chunk_is_believed() -> None:
    told = [Chunk(None, "ab", 0, tokens=2), Chunk(None, "", 0), Chunk(None, "c", 0, tokens=5)]
    assert chunk_tokens(told, 8) == [2, 0, 5]
    assert are_told(told)
    assert not are_told([*told, Chunk(None, "d", 0)])
    assert chunk_tokens([*told, Chunk(None, "d", 0)], 3) == [1, 0, 1, 1]


def test_as_many_chunks_as_tokens_are_one_each() -> None:
    assert shares(["a", "long word", "c"], 3) == [1, 1, 1]


def test_the_end_of_the_turn_has_no_text_and_belongs_to_the_last() -> None:
    assert shares(["a", "long word", "c"], 4) == [1, 1, 2]


def test_other_counts_are_shared_by_length() -> None:
    assert shares(["abcd", "ab", "ab"], 16) == [8, 4, 4]


@pytest.mark.parametrize("tokens", [1, 5, 12, 100])
def test_shares_sum_to_what_the_server_counted_and_the_first_text_has_some(tokens: int) -> None:
    made = shares(["a", "a much longer piece", "", "of text", "x"], tokens)
    assert sum(made) == tokens
    assert made[0] >= 1
    assert made[2] == 0
    assert min(made) >= 0


@pytest.mark.parametrize(("texts", "tokens"), [([], 4), (["", ""], 4), (["a"], None)])
def test_nothing_is_made_up(texts: list[str], tokens: int | None) -> None:
    assert sum(shares(texts, tokens)) == 0
