"""Guesses that were kept are tinted in the answer; nothing a model writes is markup."""

from __future__ import annotations

from app.bench.record import ChunkStamp, Speculation
from app.ui.guesses import cycle_line, guesses_html
from backends.setup import Setup
from tests.ui.records import make_record
from tests.ui.test_agreement import turn_of

GUESSES = Speculation(drafted=4, accepted=2, cycles=2, draft_ns=1)
RUN = make_record(
    column_key="a",
    setup=Setup(speculation="draft"),
    chunks=(
        ChunkStamp(t_ns=1, tokens=3, text="It is <b>", drafted=2, accepted=2, accepted_chars=5),
        ChunkStamp(t_ns=2, tokens=1, text=" Oslo", drafted=2),
    ),
    speculation=GUESSES,
)


def test_the_part_that_was_guessed_is_tinted_and_the_rest_is_not() -> None:
    html = guesses_html(RUN)
    assert '<span class="dyno-guessed">It is</span> &lt;b&gt; Oslo' in html
    assert "by the draft" in html


def test_the_cost_of_a_cycle_is_told_where_the_plain_setup_answered_too() -> None:
    plain = make_record(id="p", column_key="b", setup=Setup())
    assert "plain steps" in cycle_line(RUN, turn_of(RUN, plain))
    assert cycle_line(RUN, turn_of(RUN)) == ""
    assert cycle_line(plain, turn_of(RUN, plain)) == ""
