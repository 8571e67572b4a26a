"""A plan says the same in a file, in the store and in code; what makes no experiment is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.bench.experiments.plan import Plan, PlanInvalid, parse_plan, plan_toml, read_plan
from backends.settings import ROOT
from backends.setup import Setup

LABELLED = 'name = "Widths"\n[[setups]]\n[[setups]]\nlabel = "bf16"\nweights = "bf16"\n'
MINIMAL = 'name = "Widths"\n[[setups]]\n[[setups]]\nweights = "bf16"\n'


def test_a_plan_names_its_setups_and_leaves_the_rest_to_defaults() -> None:
    plan = parse_plan(MINIMAL)
    assert [one.setup for one in plan.setups] == [Setup(), Setup(weights="bf16")]
    assert (plan.workload, plan.repeats, plan.warm_ups) == ("short-chat", 8, 1)
    assert plan.sampling.fixed_length
    assert plan.sampling.max_new_tokens == 64


def test_natural_output_lets_the_model_end_within_the_limit() -> None:
    sampling = parse_plan('output = "natural"\noutput_tokens = 200\n' + MINIMAL).sampling
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


def test_passes_can_be_added_to_an_experiment_but_not_held_against_something_else() -> None:
    plain = parse_plan(MINIMAL)
    more = parse_plan("quality = true\nenergy = true\n" + MINIMAL)
    assert more.asks_the_same_as(plain)
    other = parse_plan('quality = true\nquality_reference = "bf16"\n' + LABELLED)
    assert not other.asks_the_same_as(parse_plan("quality = true\n" + LABELLED))
    assert parse_plan(plan_toml(other)) == other


def test_a_text_is_looked_for_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("Text.")
    (tmp_path / "plan.toml").write_text('quality = true\nquality_text = "mine.txt"\n' + MINIMAL)
    assert read_plan(tmp_path / "plan.toml").quality_text == str(tmp_path / "mine.txt")


def test_the_example_is_a_plan_whose_comments_name_the_defaults() -> None:
    plan = read_plan(ROOT / "examples" / "experiment.toml")
    named = ("workload", "repeats", "warm_ups", "output", "output_tokens", "seed")
    for name in (*named, "quality", "energy"):
        assert getattr(plan, name) == Plan.model_fields[name].default


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
        (
            'quality = true\nquality_reference = "8 bits"\n' + MINIMAL,
            "no setup has the label “8 bits”",
        ),
        ('quality_text = "mine.txt"\n' + MINIMAL, "need quality = true"),
        ('name = "x"\nsetups = []\n', "setups"),
        ('name = "x"\n', "“setups” is missing"),
        ('name = "x"\nsetups = 3\n', "setups"),
        (MINIMAL + 'weights = "bf17"\n', "not TOML"),
        ('name = "x"\n[[setups]]\nweights = "bf17"\n', "setups.0.weights"),
        ('name = "x"\n[[setups]]\nlabel="a"\n[[setups]]\nlabel="a"\n', "two setups have the label"),
        ('salt = true\nname = "x"\n[[setups]]\nreuse_prefix = true\n', "reuse_prefix does nothing"),
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
