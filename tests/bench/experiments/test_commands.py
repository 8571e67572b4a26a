"""The command line: runs, lists and compares, tells errors in a sentence, and exits as it ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner, Result

from app.bench.__main__ import app
from app.bench.experiments import commands, running, sitting
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.plan import read_plan
from app.bench.experiments.progress import Status
from app.bench.experiments.workloads import load_workload
from app.bench.store import RunFilter, Store
from backends.engine import CancelToken
from backends.errors import LoadFailed
from backends.settings import ROOT, get_settings
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import Opening
from tests.fakes.engine import MS

PLAN = """
name = "Fakes"
workload = "list"
repeats = 2
output_tokens = 4
[[setups]]
label = "slow"
model = "a"
backend = "fake"
[[setups]]
label = "fast"
model = "b"
backend = "fake"
"""


@pytest.fixture
def plan(fake: FakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(commands, "_warn_if_busy", lambda console: None)
    monkeypatch.setattr(OtherLoad, "end", lambda self: "")
    fake.scripts = {"a": Script(gap_ns=10 * MS), "b": Script(gap_ns=5 * MS)}
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def invoked(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def last_json(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def ratio_of(conclusion: Any, metric: str) -> Any:
    return next(one for one in conclusion["setups"][1]["ratios"] if one["metric"] == metric)


def test_a_plan_is_run_to_its_conclusion(plan: Path) -> None:
    result = invoked("run", plan, "--json")
    assert result.exit_code == 0, result.output
    told = last_json(result)
    assert told["experiment"]["state"] == "finished"
    assert ratio_of(told["conclusion"], "tpot_ns")["ratio"] == pytest.approx(0.5)
    assert ratio_of(told["conclusion"], "tpot_ns")["verdict"] == "better"
    assert ratio_of(told["conclusion"], "ttft_ns")["verdict"] == "no difference shown"
    assert "0.5× [0.5, 0.5]" in result.stdout
    assert "no difference shown" in result.stdout


def test_what_it_will_take_is_told_before_once_its_setups_have_run(plan: Path) -> None:
    assert "has no undisturbed run here yet" in invoked("run", plan).stdout
    assert "Expected of all runs: about 0 min" in invoked("run", plan).stdout


def test_what_was_run_is_listed_and_compared_the_same_later(plan: Path) -> None:
    told = last_json(invoked("run", plan, "--json"))
    id_ = told["experiment"]["id"]
    assert [one["id"] for one in last_json(invoked("experiments", "--json"))] == [id_]
    assert "Fakes" in invoked("experiments").stdout
    assert last_json(invoked("compare", id_, "--json"))["conclusion"] == told["conclusion"]


def test_two_experiments_tell_what_moved(plan: Path, fake: FakeBackend) -> None:
    first = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    fake.scripts["b"] = Script(gap_ns=8 * MS)
    second = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    result = invoked("compare", first, second, "--json")
    assert result.exit_code == 0
    moved = {(one["setup"], one["metric"]) for one in last_json(result)["moves"] if one["moved"]}
    assert moved == {("fast", "tpot_ns"), ("fast", "e2e_ns")}
    assert last_json(result)["changes"] == []


def test_experiments_that_ask_other_things_are_not_compared(plan: Path) -> None:
    first = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    plan.write_text(PLAN.replace("output_tokens = 4", "output_tokens = 5"))
    second = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    result = invoked("compare", first, second)
    assert result.exit_code == 2
    assert "different lengths" in result.stdout


def test_a_setup_that_was_left_out_is_told_and_not_success(plan: Path, fake: FakeBackend) -> None:
    fake.openings["b"] = Opening(error=LoadFailed("The weights are broken.", "Fetch them."))
    result = invoked("run", plan)
    assert result.exit_code == 1
    assert "fast was left out: The weights are broken. Fetch them." in result.stdout


def test_nothing_that_works_is_nothing_done(plan: Path, fake: FakeBackend) -> None:
    for model in ("a", "b"):
        fake.openings[model] = Opening(error=LoadFailed("Broken."))
    assert invoked("run", plan).exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAN.replace("repeats = 2", "repeats = 0"), "repeats"),
        (PLAN.replace("list", "lost"), "There is no workload"),
        ("colour = 3\n" + PLAN, "no field “colour”"),
    ],
)
def test_a_bad_plan_is_a_sentence_and_begins_nothing(plan: Path, text: str, said: str) -> None:
    plan.write_text(text)
    result = invoked("run", plan)
    assert result.exit_code == 2
    assert said in result.stdout
    assert "Traceback" not in result.output
    assert last_json(invoked("experiments", "--json")) == []


def test_unknown_experiments_are_told(plan: Path) -> None:
    assert invoked("compare", "nothing").exit_code == 2
    assert invoked("run", plan, "--resume", "nothing").exit_code == 2


def test_a_spent_budget_is_told_and_resumed_with_a_larger_one(
    plan: Path, fake: FakeBackend
) -> None:
    plan.write_text("time_budget_seconds = 0.000001\n" + PLAN)
    result = invoked("run", plan, "--json")
    assert result.exit_code == 1
    assert "time budget" in result.stdout
    id_ = last_json(result)["experiment"]["id"]
    assert f"--resume {id_}" in result.stdout
    plan.write_text(PLAN)
    again = invoked("run", plan, "--resume", id_, "--json")
    assert again.exit_code == 0
    assert last_json(again)["experiment"]["id"] == id_
    assert last_json(again)["conclusion"]["setups"][0]["finished"] == 12


def test_ctrl_c_keeps_what_is_done(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(laboratory: Any, begun: Any, workload: Any, cancel: CancelToken, tell: Any):  # type: ignore[no-untyped-def]
        def stop_at_five(status: Status) -> None:
            tell(status)
            if status.made == 5:
                cancel.cancel()

        return running.conduct(laboratory, begun, workload, cancel, stop_at_five)

    monkeypatch.setattr(commands, "conduct", interrupted)
    result = invoked("run", plan, "--json")
    assert result.exit_code == 130
    told = last_json(result)
    assert told["experiment"]["reason"] == sitting.STOPPED
    assert sum(one["finished"] for one in told["conclusion"]["setups"]) == 5


@pytest.mark.slow
def test_the_bundled_model_is_measured_from_a_plan(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    toml = 'name = "Cache"\nrepeats = 1\noutput_tokens = 24\nworkload = "long-context"\n'
    plan.write_text(toml + '[[setups]]\n[[setups]]\nlabel = "off"\nkv_cache = "off"\n')
    result = invoked("run", plan, "--json")
    assert result.exit_code == 0, result.output
    tpot = ratio_of(last_json(result)["conclusion"], "tpot_ns")
    assert tpot["n"] == 4
    assert tpot["ratio"] > 2
    assert tpot["verdict"] == "not compared"  # four pairs are too few


@pytest.mark.parametrize(
    "where",
    [
        pytest.param((), marks=pytest.mark.slow),
        pytest.param(("--on", "ray", "--workers", "2"), marks=pytest.mark.ray),
    ],
)
def test_ctrl_c_in_a_terminal_leaves_runs_to_go_on_from_and_no_process(
    tmp_path: Path, where: tuple[str, ...]
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('name = "Long"\nrepeats = 500\n[[setups]]\n')
    # As a terminal starts it: what a shell puts in the background ignores Ctrl-C.
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program = heeded + "import runpy; runpy.run_module('app.bench', run_name='__main__')"
    command = [sys.executable, "-c", program, "run", str(plan), *where]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    try:
        while _runs_made() < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.2)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "--resume" in told
    assert "It was stopped." in told
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert children
    assert not alive, gone


def _runs_made() -> int:
    store = Store.open(get_settings())
    try:
        return store.count(RunFilter(visitor=None, status="finished"))
    finally:
        store.close()


def test_the_example_plan_asks_what_is_there() -> None:
    assert load_workload(read_plan(ROOT / "examples" / "experiment.toml").workload).turns


def test_a_store_that_cannot_be_written_runs_nothing(plan: Path) -> None:
    get_settings().data_dir.write_text("a file in the place of the folder")
    result = invoked("run", plan)
    assert result.exit_code == 2
    assert "Not recorded" in result.stdout
    assert Store.open(get_settings()).problem is not None
