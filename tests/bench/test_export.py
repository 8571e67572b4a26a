"""Exports hold all that was recorded, in units that are named, and nothing that could bite."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from app.bench.export import (
    conversation_json,
    conversation_markdown,
    defused,
    runs_csv,
    runs_json,
)
from app.bench.metric import Figure
from app.bench.record import ErrorNote, RunRecord
from tests.bench.samples import make_conversation, make_run


def as_text(figure: Figure) -> str:
    return f"{figure.value} {figure.unit}" if figure.value is not None else figure.reason


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def answered(**changes: Any) -> Any:
    conversation = make_conversation("What is prefill?", title="Prefill", visitor="ann-secret")
    turn = conversation.turns[0]
    runs = {"a": make_run(visitor="ann-secret", **changes), "b": make_run(answer="Second.")}
    return conversation.model_copy(update={"turns": (turn.model_copy(update={"runs": runs}),)})


def test_csv_has_a_line_a_run_with_base_units_in_the_names() -> None:
    (row,) = rows_of(runs_csv([make_run(answer='two\nlines, and "quotes"')]))
    assert row["ttft_ns"] == "20000000"
    assert row["tpot_ns"] == "10000000.0"
    assert row["peak_memory_bytes"] == "1500"
    assert row["output_tokens"] == "3"
    assert row["weights"] == "fp32"
    assert row["warm"] == "true"
    assert row["answer"] == 'two\nlines, and "quotes"'


def test_csv_leaves_empty_what_was_not_measured() -> None:
    (row,) = rows_of(runs_csv([make_run(chunks=(), usage=None, status="failed")]))
    assert row["ttft_ns"] == row["cost_dollars"] == row["output_tokens"] == ""


def test_csv_of_no_runs_is_empty() -> None:
    assert runs_csv([]) == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", " =", "＝"])
def test_text_that_a_spreadsheet_would_run_is_defused(start: str) -> None:
    attack = start + 'HYPERLINK("http://example.org","x")'
    run = make_run(prompt=attack, answer=attack, setup_label=attack)
    (row,) = rows_of(runs_csv([run]))
    for name in ("prompt", "answer", "setup_label"):
        assert row[name].startswith("'")


def test_numbers_are_never_defused() -> None:
    assert defused(-1) == -1
    assert defused("plain") == "plain"


def test_json_holds_full_records_that_can_be_read_back() -> None:
    run = make_run()
    exported = json.loads(runs_json([run]))
    assert exported["format"] == "llm-dyno-runs"
    assert RunRecord.model_validate(exported["runs"][0]) == run


def test_no_export_tells_the_visitor() -> None:
    conversation = answered()
    runs = list(conversation.turns[0].runs.values())
    exports = [
        runs_csv(runs),
        runs_json(runs),
        conversation_json(conversation),
        conversation_markdown(conversation, as_text),
    ]
    assert all("ann-secret" not in text for text in exports)


def test_conversation_json_holds_every_answer_in_full() -> None:
    exported = json.loads(conversation_json(answered()))["conversation"]
    (turn,) = exported["turns"]
    assert turn["prompt"] == "What is prefill?"
    assert list(turn["runs"]) == ["a", "b"]
    assert turn["runs"]["b"]["answer"] == "Second."
    assert len(turn["runs"]["b"]["chunks"]) == 3


def test_markdown_has_a_section_a_column_with_figures_under_the_answer() -> None:
    text = conversation_markdown(answered(), as_text)
    order = [
        "# Prefill",
        "## Turn 1",
        "What is prefill?",
        "### KV on",
        "The first pass.",
        "Time to first token (TTFT): 20000000 ns",
        "### KV off",
        "Second.",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "Cost: no price set" in text


def test_markdown_says_what_failed_and_what_is_not_comparable() -> None:
    failed = {
        "status": "failed",
        "answer": "",
        "error": ErrorNote(type="EngineCrashed", message="It died.", remedy="Try again."),
        "contended": True,
        "warm": False,
    }
    text = conversation_markdown(answered(**failed), as_text)
    assert "It died. Try again." in text
    assert "failed · shared the device · first answer of its engine" in text


def test_an_answer_cannot_leave_its_block_or_become_markup() -> None:
    answer = "```\n# Heading\n<script>x</script> ![i](http://example.org/i.png)\n````"
    conversation = answered(answer=answer)
    conversation = conversation.model_copy(update={"title": "<b>a</b>\n# b"})
    text = conversation_markdown(conversation, as_text)
    assert f"`````text\n{answer}\n`````" in text
    assert text.startswith("# \\<b\\>a\\</b\\> \\# b\n")
