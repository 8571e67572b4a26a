"""What an experiment will take is told before it starts, from earlier runs of its setups."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from app.bench.environment import hardware_name
from app.bench.experiments.disturbance import OtherLoad, Reading
from app.bench.experiments.expectation import earlier_runs, expected
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.running import Laboratory, begin, conduct
from app.bench.experiments.workloads import pasted
from app.bench.record import ExperimentPlace, Price, RunRecord
from backends.engine import CancelToken
from backends.setup import Setup
from tests.bench.samples import ENVIRONMENT, NOON, make_run
from tests.fakes import FakeBackend, Script
from tests.fakes.engine import MS
from tests.fakes.workshop import Workshop, setup_of

# Two prompts as long as the one of `make_run`: 16 characters, 8 tokens.
ASKED = pasted("What is prefill?\nWhat is prefill!")
HOURLY = Price(dollars_per_hour=Decimal(3600), source="set", date=NOON.date())


def plan_of(*setups: Setup, **fields: Any) -> Plan:
    planned = tuple(PlannedSetup(setup=one) for one in setups)
    small = {"name": "p", "setups": planned, "repeats": 5, "warm_ups": 0, "salt": False}
    return Plan.model_validate(small | {"output_tokens": 11} | fields)


def earlier(**fields: Any) -> dict[str, list[RunRecord]]:
    """20 ms to the first token of 8, 10 ms for each further one, 16 ms besides."""
    return {Setup().id: [make_run(**fields), make_run(**fields)]}


def test_every_run_is_expected_at_the_medians_of_earlier_ones() -> None:
    found = expected(plan_of(Setup()), ASKED, earlier(price=HOURLY))
    a_run, first = 0.020 + 10 * 0.010, 0.020 + 7 * 0.010
    assert found.seconds == pytest.approx(10 * (a_run + 0.016) + first)
    assert float(found.dollars or 0) == pytest.approx(10 * a_run)
    assert found.reason == ""


def test_longer_prompts_more_setups_and_warm_ups_take_longer() -> None:
    runs = earlier()
    short = expected(plan_of(Setup()), ASKED, runs).seconds
    long = expected(plan_of(Setup()), pasted("x" * 1_600 + "\n" + "y" * 1_600), runs).seconds
    warmed = expected(plan_of(Setup(), warm_ups=3), ASKED, runs).seconds
    salted = expected(plan_of(Setup(), salt=True), ASKED, runs).seconds
    assert None not in (short, long, warmed, salted)
    assert short < salted < long  # type: ignore[operator]
    assert short < warmed  # type: ignore[operator]


def test_a_setup_that_never_ran_makes_it_unknown_with_the_reason() -> None:
    found = expected(plan_of(Setup(), Setup(weights="bf16")), ASKED, earlier())
    assert (found.seconds, found.dollars) == (None, None)
    assert "no undisturbed run of bf16 · KV on" in found.reason


def test_without_a_price_only_the_time_is_known() -> None:
    found = expected(plan_of(Setup()), ASKED, earlier())
    assert found.seconds is not None
    assert found.dollars is None
    assert "no price is set" in found.reason


def test_only_runs_of_this_machine_tell_and_a_load_is_found_among_older_ones(
    workshop: Workshop,
) -> None:
    here = ENVIRONMENT.model_copy(update={"hardware": hardware_name()})
    place = ExperimentPlace(id="e", round=0, conversation=0, turn=0, setup=0, attempt=1)
    workshop.store.save_run(make_run(environment=here, experiment=place, load_seconds=7.0))
    later = [NOON + dt.timedelta(minutes=n) for n in range(1, 25)]
    workshop.store.save_runs([make_run(environment=here, created_at=at) for at in later])
    elsewhere = make_run(created_at=later[-1] + dt.timedelta(days=1))
    workshop.store.save_run(elsewhere)
    plan = plan_of(Setup())
    found = earlier_runs(workshop.store, plan, None)[Setup().id]
    assert {run.environment.hardware for run in found} == {hardware_name()}
    assert found[0].created_at == later[-1]
    told, without = expected(plan, ASKED, {Setup().id: found}), expected(plan, ASKED, earlier())
    assert told.seconds == pytest.approx((without.seconds or 0) + 7)


def test_it_comes_near_to_what_the_experiment_then_takes(
    workshop: Workshop, fake: FakeBackend
) -> None:
    fake.scripts = {"a": Script(ttft_ns=50 * MS, gap_ns=20 * MS, tail_ns=0)}
    plan = plan_of(setup_of("a"))
    unwatched = OtherLoad(lambda: Reading(0, 0, 0))
    laboratory = Laboratory(workshop.bench, workshop.store, fake.clock.now_ns, unwatched)
    assert expected(plan, ASKED, earlier_runs(workshop.store, plan, "ada")).seconds is None
    took = []
    for _ in range(2):
        before = begin(workshop.store, plan, ASKED, "ada")
        told = expected(plan, ASKED, earlier_runs(workshop.store, plan, "ada"))
        took.append(conduct(laboratory, before, ASKED, CancelToken()).seconds)
    # The engine was loaded already, and had answered its 8 tokens before the first run.
    assert told.seconds == pytest.approx(took[1] + 0.25 + 0.19, rel=0.05)
    assert earlier_runs(workshop.store, plan, "bob") == {plan.setups[0].setup.id: []}
