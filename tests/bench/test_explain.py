"""What is slower says why, and only where it plainly is."""

from __future__ import annotations

import pytest

from app.bench.explain import why_slower
from app.bench.record import RunRecord, Speculation
from backends.setup import Setup
from tests.ui.records import make_record

REFERENCE = make_record(id="r", setup=Setup(), tpot_ms=5)


def slower(tpot_ms: float = 15, **toggles: object) -> RunRecord:
    return make_record(id="s", setup=Setup.model_validate(toggles), tpot_ms=tpot_ms)


@pytest.mark.parametrize(
    ("toggles", "word"),
    [
        ({"kv_cache": "off"}, "whole text again"),
        ({"weights": "int8"}, "made for GPUs"),
        ({"weights": "gptq-int4"}, "unpacked"),
        ({"weights": "bf16"}, "16 bits"),
        ({"kv_cache": "quantized"}, "unpacked whole"),
        ({"attention": "eager"}, "fused"),
        ({"kv_cache": "static"}, "room"),
    ],
)
def test_each_cause_has_its_sentence(toggles: dict[str, object], word: str) -> None:
    told = why_slower(slower(**toggles), REFERENCE)
    assert told.startswith("3.0× slower")
    assert word in told


def test_bad_guesses_are_the_reason_before_anything_else() -> None:
    bad = Speculation(drafted=40, accepted=4, cycles=36, draft_ns=1)
    good = bad.model_copy(update={"accepted": 36})
    run = slower(speculation="draft")
    assert "Few guesses" in why_slower(run.model_copy(update={"speculation": bad}), REFERENCE)
    assert "cycle" in why_slower(run.model_copy(update={"speculation": good}), REFERENCE)


def test_what_is_hardly_slower_or_has_no_known_cause_is_not_explained() -> None:
    assert why_slower(slower(5.5, weights="bf16"), REFERENCE) == ""
    assert why_slower(slower(15, history="none"), REFERENCE) == ""
    assert why_slower(REFERENCE, REFERENCE) == ""


def test_a_stopped_or_contended_run_says_nothing() -> None:
    run = slower(weights="int8")
    for change in ({"status": "stopped"}, {"contended": True}):
        assert why_slower(run.model_copy(update=change), REFERENCE) == ""
