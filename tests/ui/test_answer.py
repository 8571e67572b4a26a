"""What the model thought stands folded above its answer."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from app.bench.conversation import Turn
from app.bench.record import ChunkStamp, RunRecord, TokenUsage
from tests.bench.samples import MS, NOON, make_run

THOUGHT = (
    ChunkStamp(t_ns=30 * MS, tokens=6, text="Paris is *it*.", kind="reasoning"),
    ChunkStamp(t_ns=2_030 * MS, tokens=2, text="Paris", kind="answer"),
)


def draw(run: RunRecord) -> AppTest:
    def page(run, turn) -> None:  # type: ignore[no-untyped-def]
        from app.ui.answer import draw_answer

        draw_answer(run, turn, label="there", best=set(), agreement="", slower="", is_last=False)

    turn = Turn(index=0, prompt="?", created_at=NOON, runs={"a": run})
    shown = AppTest.from_function(page, args=(run, turn)).run()
    assert not shown.exception
    return shown


def test_thoughts_are_folded_with_their_time_and_tokens() -> None:
    usage = TokenUsage(
        prompt_tokens=8, prompt_tokens_computed=8, output_tokens=8, reasoning_tokens=6
    )
    shown = draw(make_run(answer="Paris", chunks=THOUGHT, usage=usage))
    (expander,) = [e for e in shown.expander if e.label.startswith("Thought")]
    assert expander.label.split() == ["Thought", "for", "2.00", "s,", "6", "tokens"]
    assert not expander.proto.expanded
    assert "Paris is" in expander.markdown[0].value


def test_an_answer_that_was_not_thought_over_has_nothing_folded() -> None:
    assert not [e for e in draw(make_run()).expander if e.label.startswith("Thought")]
