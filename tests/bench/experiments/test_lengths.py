"""The workload of lengths: a grid of prompts and answers."""

from __future__ import annotations

import pytest

from app.bench.experiments.lengths import workload_of
from app.bench.experiments.plan import Plan, PlannedSetup, parse_plan, plan_toml
from app.bench.experiments.running import Laboratory, begin, conduct, records_of
from app.bench.experiments.workloads import WorkloadInvalid
from backends.engine import CancelToken
from tests.fakes import FakeBackend
from tests.fakes.workshop import Workshop, setup_of


def grid(prompts: tuple[int, ...], outputs: tuple[int, ...], **fields: object) -> Plan:
    lengths = {"prompt_tokens_grid": prompts, "output_tokens_grid": outputs}
    setups = (PlannedSetup(setup=setup_of("a")),)
    base = {"name": "grid", "workload": "lengths", "setups": setups, "repeats": 1}
    return Plan.model_validate(base | lengths | fields)


def test_each_prompt_is_asked_for_each_length_of_answer() -> None:
    plan = grid((32, 128), (4, 8, 16))
    workload = workload_of(plan)
    sizes = [len(messages[0].content) for messages in workload.conversations]
    assert len(sizes) == 6
    assert sizes[:3] == [sizes[0]] * 3
    assert abs(sizes[0] - 32 * 4) < 8
    assert abs(sizes[3] - 128 * 4) < 8
    asked = [plan.sampling_of(index) for index in range(6)]
    assert [one.max_new_tokens for one in asked] == [4, 8, 16, 4, 8, 16]
    assert all(one.fixed_length for one in asked)


def test_every_answer_is_as_long_as_its_place_in_the_grid(
    workshop: Workshop, fake: FakeBackend
) -> None:
    plan = grid((8, 64), (3, 7))
    workload = workload_of(plan)
    experiment = begin(workshop.store, plan, workload)
    conduct(Laboratory(workshop.bench, workshop.store), experiment, workload, CancelToken())
    made = {
        run.experiment.conversation: run.usage.output_tokens
        for run in records_of(workshop.store, experiment)
        if run.experiment and run.experiment.round and run.usage
    }
    assert made == {0: 3, 1: 7, 2: 3, 3: 7}


def test_a_plan_of_lengths_is_written_and_read_back() -> None:
    plan = grid((32, 128), (4, 8), stop_within_percent=None)
    assert parse_plan(plan_toml(plan)) == plan


@pytest.mark.parametrize(
    "fields",
    [
        {"workload": "short-chat"},
        {"output_tokens_grid": ()},
        {"prompt_tokens_grid": ()},
        {"output": "natural"},
        {"output_tokens": 32},
        {"output_tokens_grid": (0,)},
    ],
)
def test_a_grid_that_would_be_ignored_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"grid|length|greater"):
        grid((32,), (4,), **fields)


def test_a_prompt_longer_than_allowed_is_refused() -> None:
    with pytest.raises(WorkloadInvalid, match="4,000 characters"):
        workload_of(grid((1_000,), (4,)), 3_999)
