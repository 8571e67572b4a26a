"""What a model thought first is folded under a line that tells how long, and is not the answer."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app.bench.conversation import Column
from app.bench.lane import Lane
from app.bench.record import ChunkStamp, RunRecord, TokenUsage
from app.ui.answer import reasoning_title
from app.ui.live import status_line
from backends.request import Chunk
from backends.setup import Setup
from tests.ui.records import MS, make_record


def thinking(*, answer: str = "Yes.", told: int | None = 30) -> RunRecord:
    """Thoughts at 20 and 40 ms, and the answer, if there is one, at 140 ms."""
    stamps = [
        ChunkStamp(t_ns=20 * MS, tokens=12, text="Hm. ", kind="reasoning"),
        ChunkStamp(t_ns=40 * MS, tokens=13, text="**Well.**", kind="reasoning"),
    ]
    if answer:
        stamps.append(ChunkStamp(t_ns=140 * MS, tokens=5, text=answer))
    usage = TokenUsage(
        prompt_tokens=7, prompt_tokens_computed=7, output_tokens=30, reasoning_tokens=told
    )
    return make_record(answer=answer, chunks=tuple(stamps), usage=usage)


@pytest.mark.parametrize(
    ("run", "title"),
    [
        (thinking(), "Reasoning, 120\u202fms, 30 tokens"),
        (thinking(told=None), "Reasoning, 120\u202fms, about 25 tokens"),
        (thinking(answer=""), "Reasoning, 30 tokens"),
    ],
    ids=["told", "not told", "no answer"],
)
def test_the_line_tells_how_long_and_how_many(run: RunRecord, title: str) -> None:
    assert reasoning_title(run) == title


def _page() -> None:
    from app.bench.conversation import Turn
    from app.ui.answer import draw_answer
    from tests.ui.test_reasoning import thinking

    for name, answer in (("a", "Yes."), ("b", "")):
        run = thinking(answer=answer).model_copy(update={"id": name * 32})
        turn = Turn(index=0, prompt="Is it?", created_at=run.created_at, runs={"x": run})
        draw_answer(run, turn, label="x", best=set(), agreement="", slower="", is_last=False)


def test_thoughts_are_folded_above_the_answer() -> None:
    page = AppTest.from_function(_page, default_timeout=30).run()
    assert not page.exception
    folded = [one for one in page.expander if one.label.startswith("Reasoning")]
    assert len(folded) == 2
    assert all(not one.proto.expanded for one in folded)
    assert "Well." in folded[0].markdown[0].value
    assert "It thought, and did not come to an answer." in [one.value for one in page.caption]


def test_the_line_under_a_running_answer_tells_thinking_from_waiting_and_answering() -> None:
    lane = Lane(Column(setup=Setup()), "x")
    lane.state, lane.running_since_ns = "running", 1
    assert status_line(lane, 50 * MS) == "Prefill 50\u202fms"
    lane.take(Chunk(None, "Hm.", 60 * MS, kind="reasoning"))
    assert status_line(lane, 80 * MS) == "Thinking, after 80\u202fms"
    lane.take(Chunk(None, "Yes", 100 * MS))
    assert status_line(lane, 130 * MS) == "Answering for 30\u202fms"
    assert (lane.text, lane.reasoning) == ("Yes", "Hm.")
