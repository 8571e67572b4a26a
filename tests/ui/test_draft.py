"""The draft of an experiment: the same plan comes out that a file holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.bench.experiments.plan import Plan, parse_plan, plan_toml
from app.bench.experiments.workloads import pasted
from app.ui.compare.draft import (
    Draft,
    added,
    draft_of,
    draft_of_setups,
    moved,
    removed,
    with_entry,
    with_reference,
)
from backends.setup import Setup

FP32, BF16, OFF = Setup(), Setup(weights="bf16"), Setup(kv_cache="off")


@pytest.fixture
def three() -> Draft:
    return draft_of_setups([(FP32, "one"), (BF16, "two"), (OFF, "three")], "Three")


def order(draft: Draft) -> list[str]:
    return [one.label for one in draft.entries]


def test_what_is_not_chosen_has_the_plan_s_defaults(three: Draft) -> None:
    plan = three.plan()
    assert [one.setup for one in plan.setups] == [FP32, BF16, OFF]
    assert (plan.repeats, plan.output, plan.workload) == (8, "fixed", "short-chat")
    assert three.value("repeats") == 8


def test_a_plan_a_draft_and_a_file_are_the_same_plan(three: Draft) -> None:
    draft = three.with_value("repeats", 3).with_value("time_budget_seconds", 90.0)
    plan = draft.plan()
    assert parse_plan(plan_toml(plan)) == plan
    assert draft_of(plan).plan() == plan
    assert plan.repeats == 3


def test_own_prompts_give_the_plan_its_workload(three: Draft) -> None:
    own = pasted("One?\nTwo?")
    plan = Plan.model_validate(three.plan().model_dump() | {"workload": own.name})
    draft = draft_of(plan, own)
    assert (draft.own, draft.workload_name) == (own, "pasted prompts")
    assert draft.plan() == plan


def test_the_first_setup_is_the_reference(three: Draft) -> None:
    third = three.entries[2].key
    assert order(with_reference(three, third)) == ["three", "one", "two"]
    assert order(moved(three, third, -1)) == ["one", "three", "two"]
    assert order(moved(three, third, 1)) == ["one", "two", "three"]


def test_setups_are_added_behind_another_and_the_last_one_stays(three: Draft) -> None:
    more = added(three, BF16, after=three.entries[0].key, label="new")
    assert order(more) == ["one", "new", "two", "three"]
    left = three
    for entry in three.entries:
        left = removed(left, entry.key)
    assert order(left) == ["three"]


def test_each_problem_stands_at_its_field(three: Draft) -> None:
    assert three.problems() == {}
    wrong = three.with_value("repeats", 0).with_value("output_tokens", 10**6)
    assert wrong.problems().keys() == {"repeats", "output_tokens"}
    key = three.entries[1].key
    twice = with_entry(three, key, lambda one: replace(one, label="one"))
    assert twice.problems() == {"setups": "Two setups have the label “one”."}
    salted = with_entry(
        three, key, lambda one: replace(one, setup=Setup(reuse_prefix=True))
    ).with_value("salt", True)
    assert "no prefix to reuse" in salted.problems()["setups"]


def test_the_quality_reference_follows_its_setup_and_not_its_name(three: Draft) -> None:
    chosen = replace(three.with_value("quality", True), quality_reference=three.entries[2].key)
    renamed = with_entry(chosen, three.entries[2].key, lambda one: replace(one, label="off"))
    plan = renamed.plan()
    assert plan.quality_reference == "off"
    assert draft_of(plan).plan() == plan == parse_plan(plan_toml(plan))
    assert renamed.with_value("quality", False).plan().quality_reference == ""
    gone = removed(renamed, three.entries[2].key).plan()
    assert (gone.quality, gone.quality_reference) == (True, "")


def test_a_text_to_score_is_left_out_with_its_pass(three: Draft) -> None:
    without = three.with_value("quality_text", "text.txt")
    assert without.plan().quality_text == ""
    assert without.with_value("quality", True).plan().quality_text == "text.txt"
