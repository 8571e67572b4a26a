"""A plan says the same in a file, in the store and in code; what makes no experiment is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.bench.experiments.lengths import workload_of
from app.bench.experiments.plan import Plan, PlanInvalid, parse_plan, plan_toml, read_plan
from backends.settings import ROOT
from backends.setup import Setup

GRID = (
    'workload = "lengths"\nprompt_tokens_grid = [100, 400]\noutput_tokens_grid = [8, 16]\n'
    'name = "Lengths"\n[[setups]]\n'
)
MINIMAL = 'name = "Widths"\n[[setups]]\n[[setups]]\nweights = "bf16"\n'


def test_a_plan_names_its_setups_and_leaves_the_rest_to_defaults() -> None:
    plan = parse_plan(MINIMAL)
    assert [one.setup for one in plan.setups] == [Setup(), Setup(weights="bf16")]
    assert (plan.workload, plan.repeats, plan.warm_ups) == ("short-chat", 8, 1)
    assert plan.sampling_of(3).fixed_length
    assert plan.sampling_of(3).max_new_tokens == 64


def test_natural_output_lets_the_model_end_within_the_limit() -> None:
    sampling = parse_plan('output = "natural"\noutput_tokens = 200\n' + MINIMAL).sampling_of(0)
    assert not sampling.fixed_length
    assert sampling.max_new_tokens == 200


def test_a_plan_written_out_is_read_back_the_same() -> None:
    plan = parse_plan(
        'name = "Quoted \\"name\\" · \\\\ \\u007f"\nworkload = "list"\nrepeats = 3\nsalt = false\n'
        'output = "natural"\nseed = 5\ntime_budget_seconds = 2.5\nmoney_budget_dollars = "0.10"\n'
        '[[setups]]\nlabel = "a"\nbackend = "endpoint"\nthreads = 2\n'
        'options = {"base url" = "http://x", n = 1, on = true}\n[[setups]]\nreuse_prefix = true\n'
    )
    assert parse_plan(plan_toml(plan)) == plan
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.money_budget_dollars == Decimal("0.10")


def test_a_plan_with_all_its_optional_fields_is_read_back_the_same() -> None:
    plan = parse_plan("quality = true\nstop_within_percent = 2.5\n" + GRID + "[[setups]]\n")
    assert parse_plan(plan_toml(plan)) == plan
    assert plan.output_tokens_grid == (8, 16)


def test_the_example_is_a_plan_whose_comments_name_the_defaults() -> None:
    plan = read_plan(ROOT / "examples" / "experiment.toml")
    for name in ("workload", "repeats", "warm_ups", "output", "output_tokens", "seed"):
        assert getattr(plan, name) == Plan.model_fields[name].default


def test_the_example_of_lengths_is_a_plan() -> None:
    plan = read_plan(ROOT / "examples" / "lengths.toml")
    assert sum(workload_of(plan).turns) == 6


def test_labels_are_told_apart_also_for_equal_setups() -> None:
    plan = parse_plan('name = "A A"\n[[setups]]\n[[setups]]\n[[setups]]\nlabel = "mine"\n')
    assert len(set(plan.labels)) == 3
    assert plan.labels[2] == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("repeat = 3\n" + MINIMAL, "there is no field “repeat”"),
        (MINIMAL + 'wieghts = "bf16"\n', "there is no field “setups.1.wieghts”"),
        ("repeats = 0\n" + MINIMAL, "repeats"),
        ('name = "x"\nsetups = []\n', "setups"),
        ('name = "x"\n', "“setups” is missing"),
        ('name = "x"\nsetups = 3\n', "setups"),
        (MINIMAL + 'weights = "bf17"\n', "not TOML"),
        ('name = "x"\n[[setups]]\nweights = "bf17"\n', "setups.0.weights"),
        ('name = "x"\n[[setups]]\nlabel="a"\n[[setups]]\nlabel="a"\n', "two setups have the label"),
        ('salt = true\nname = "x"\n[[setups]]\nreuse_prefix = true\n', "reuse_prefix does nothing"),
        ('stop_within_percent = 3\nname = "x"\n[[setups]]\n', "needs a second setup"),
        (GRID.replace("[8, 16]", "[]"), "prompt_tokens_grid and output_tokens_grid"),
        (GRID.replace('"lengths"', '"list"'), 'need workload = "lengths"'),
        (GRID.replace("[8, 16]", "[8, 8]"), "names one twice"),
        (GRID.replace("[8, 16]", "[0]"), "output_tokens_grid.0"),
        ("output_tokens = 9\n" + GRID, "output_tokens do nothing"),
        ('output = "natural"\n' + GRID, "output_tokens do nothing"),
        ("time_budget_seconds = 0\n" + MINIMAL, "time_budget_seconds"),
        ("money_budget_dollars = nan\n" + MINIMAL, "money_budget_dollars"),
    ],
)
def test_what_makes_no_experiment_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(PlanInvalid) as caught:
        parse_plan(text)
    assert said in caught.value.message
    assert caught.value.remedy


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="cannot be read"):
        read_plan(tmp_path / "none.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes('name = "Größe"\n'.encode("latin-1"))
    with pytest.raises(PlanInvalid, match="not UTF-8"):
        read_plan(path)


def test_prompts_beside_the_plan_are_found_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("Hello\n")
    (tmp_path / "plan.toml").write_text('workload = "mine.txt"\n' + MINIMAL)
    assert read_plan(tmp_path / "plan.toml").workload == str(tmp_path / "mine.txt")


def test_prompts_are_salted_unless_prefix_reuse_is_measured() -> None:
    assert parse_plan(MINIMAL).salted
    assert not parse_plan("salt = false\n" + MINIMAL).salted
    assert not parse_plan(MINIMAL + "reuse_prefix = true\n").salted


def test_a_raised_budget_asks_for_the_same_runs_and_a_longer_answer_does_not() -> None:
    plan = parse_plan(MINIMAL)
    assert plan.asks_the_same_as(parse_plan("time_budget_seconds = 9\n" + MINIMAL))
    assert not plan.asks_the_same_as(parse_plan("output_tokens = 9\n" + MINIMAL))
