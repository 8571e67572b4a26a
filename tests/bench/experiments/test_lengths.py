"""A grid of lengths asks every prompt length for every answer length."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from app.bench.experiments.lengths import workload_of
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.workloads import WorkloadInvalid
from backends.settings import ROOT
from backends.setup import Setup


def plan_of(prompts: tuple[int, ...], outputs: tuple[int, ...]) -> Plan:
    return Plan(
        name="Lengths",
        setups=(PlannedSetup(setup=Setup()),),
        workload="lengths",
        prompt_tokens_grid=prompts,
        output_tokens_grid=outputs,
    )


def test_each_prompt_is_asked_for_an_answer_of_each_length() -> None:
    plan = plan_of((50, 400), (8, 16, 32))
    workload = workload_of(plan)
    texts = [messages[0].content for messages in workload.conversations]
    asked = [(len(text) > 800, plan.sampling_of(i)) for i, text in enumerate(texts)]
    lengths = [(is_long, one.max_new_tokens, one.fixed_length) for is_long, one in asked]
    assert lengths == [(is_long, n, True) for is_long in (False, True) for n in (8, 16, 32)]
    assert len(set(texts)) == 6


@pytest.mark.parametrize("tokens", [64, 512, 4096])
def test_a_prompt_has_about_as_many_tokens_as_were_asked_for(tokens: int) -> None:
    bundled = Tokenizer.from_file(str(ROOT / "models" / "bundled" / "target" / "tokenizer.json"))
    for (message,) in workload_of(plan_of((tokens,), (1, 2, 3))).conversations:
        assert len(bundled.encode(message.content).ids) == pytest.approx(tokens, rel=0.15)


def test_a_prompt_that_is_too_long_for_the_settings_is_refused() -> None:
    with pytest.raises(WorkloadInvalid, match="prompt of 4,000 tokens"):
        workload_of(plan_of((8, 4_000), (1,)), max_prompt_chars=1_000)


def test_other_plans_ask_what_they_name() -> None:
    named = plan_of((8,), (1,)).model_copy(update={"workload": "list"})
    assert workload_of(named).name == "list"
