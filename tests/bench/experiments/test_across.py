"""Only experiments that asked the same are held against each other."""

from __future__ import annotations

import pytest

from app.bench.experiments.across import spread_over, why_not_across
from app.bench.experiments.plan import PlannedSetup
from app.bench.experiments.sample_table import SampleTable
from backends.setup import Setup
from tests.bench.experiments.made_up import an_experiment, sample

HERE = an_experiment(2)


def test_the_same_questions_and_lengths_are_comparable() -> None:
    assert why_not_across(HERE, an_experiment(3, id="other", plan={"repeats": 3})) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"workload_digest": "other"}, "it asks something else"),
        ({"plan": {"output_tokens": 7}}, "its answers have other lengths"),
        ({"plan": {"salt": False}}, "only one of the two salts its prompts"),
        (
            {"plan": {"setups": (PlannedSetup(setup=Setup(threads=7)),)}},
            "it has none of these setups",
        ),
    ],
)
def test_it_says_why_not(changes: dict[str, object], why: str) -> None:
    assert why_not_across(HERE, an_experiment(2, **changes)) == why


def test_environments_are_read_from_the_whole_length_of_an_experiment() -> None:
    samples = [sample(setup, index, {}) for index in range(1, 101) for setup in (0, 1)]
    assert spread_over(SampleTable.of(samples), 3) == [
        "0-1-0",
        "0-51-0",
        "0-100-0",
        "1-1-0",
        "1-51-0",
        "1-100-0",
    ]
    some = [sample(0, 1, {}), sample(0, 2, {}, status="failed")]
    assert spread_over(SampleTable.of(some), 3) == ["0-1-0"]
