"""Where two answers part is marked, whatever the tokens are made of."""

from __future__ import annotations

from app.bench.conversation import Turn
from app.bench.record import ChunkStamp, RunRecord
from app.ui.agreement import agreement_html, first_difference
from tests.ui.records import WHEN, make_record


def answered(key: str, *texts: str) -> RunRecord:
    """An answer of one token a text; equal texts are equal tokens."""
    chunks = tuple(
        ChunkStamp(t_ns=index, tokens=1, text=text, token_ids=(sum(map(ord, text)),))
        for index, text in enumerate(texts, 1)
    )
    return make_record(id=key, column_key=key, chunks=chunks, answer="".join(texts))


def turn_of(*runs: RunRecord) -> Turn:
    return Turn(
        index=0, prompt="?", created_at=WHEN, runs={run.column_key or "": run for run in runs}
    )


def test_the_same_answer_is_called_so_in_every_column() -> None:
    turn = turn_of(answered("a", "Oslo", "."), answered("b", "Oslo", "."))
    lines = {agreement_html(run, turn, "a", "fp32") for run in turn.runs.values()}
    assert lines == {"= same answer"}


def test_the_first_token_that_differs_is_marked_with_the_share_before_it() -> None:
    turn = turn_of(
        answered("a", "It", " is", " Oslo", "."), answered("b", "It", " is", " Bergen", ".")
    )
    line = agreement_html(turn.runs["b"], turn, "a", "fp32 & more")
    assert "fp32 &amp; more after 2 tokens (50 %)" in line
    assert "It is<mark> Bergen</mark>." in line
    assert "compared with" in agreement_html(turn.runs["a"], turn, "a", "fp32")


def test_what_a_model_writes_is_no_markup() -> None:
    turn = turn_of(answered("a", "x", "y"), answered("b", "x", "<img src=q>"))
    assert "<img" not in agreement_html(turn.runs["b"], turn, "a", "fp32")


def test_an_answer_that_only_ends_earlier_marks_nothing() -> None:
    turn = turn_of(answered("a", "x", "y"), answered("b", "x"))
    line = agreement_html(turn.runs["b"], turn, "a", "fp32")
    assert line.endswith("after 1 tokens (50 %)")


def test_a_chunk_of_several_tokens_is_marked_whole() -> None:
    run = answered("a", "one", " two three")
    chunks = (run.chunks[0], run.chunks[1].model_copy(update={"tokens": 2}))
    assert first_difference(run.model_copy(update={"chunks": chunks}), 2) == (
        "one<mark> two three</mark>"
    )


def test_answers_without_token_ids_part_at_a_character_and_say_so() -> None:
    served = answered("b", "It", " is", " Bergen", ".").model_copy(
        update={"chunks": (ChunkStamp(t_ns=1, tokens=4, text="It is Bergen."),)}
    )
    turn = turn_of(answered("a", "It", " is", " Oslo", "."), served)
    line = agreement_html(served, turn, "a", "fp32")
    assert "after 6 characters (55 %)" in line
    assert "It is <mark>B</mark>ergen." in line
