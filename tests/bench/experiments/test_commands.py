"""The command line: runs, lists and compares, tells errors in a sentence, and exits as it ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from app.bench.__main__ import app
from app.bench.experiments import report, running, sitting
from app.bench.experiments.commands import following
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.plan import read_plan
from app.bench.experiments.progress import Status
from app.bench.experiments.workloads import load_workload
from app.bench.store import RunFilter, Store
from app.ui.compare import reading
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
    monkeypatch.setattr(following, "warn_if_busy", lambda console: None)
    monkeypatch.setattr(OtherLoad, "end", lambda self: "")
    fake.scripts = {"a": Script(gap_ns=10 * MS), "b": Script(gap_ns=5 * MS)}
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def invoked(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def last_json(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def test_figures_of_passes_are_shown_and_told(plan: Path, fake: FakeBackend) -> None:
    fake.scripts = {"a": Script(blur=0.0), "b": Script(blur=0.2)}
    text = plan.with_name("text.txt")
    text.write_text("\n\n".join(f"{n} and some words more. " * 10 for n in range(6)))
    wanted = f'quality = true\nquality_text = "{text.name}"\nenergy = true\n'
    plan.with_name("asked.txt").write_text("One?\nTwo?\n")
    plan.write_text(wanted + PLAN.replace('"list"', '"asked.txt"'))
    result = invoked("run", plan, "--json")
    assert result.exit_code == 0, result.output
    reference, other = last_json(result)["figures"]
    assert other["kl_per_token"]["value"] > 0
    assert "p log(p / q)" in other["kl_per_token"]["formula"]
    assert reference["joules_per_token"]["value"] is None
    assert "What other passes found" in result.stdout
    assert "not measured: no energy counter is known" in result.stdout
    again = invoked("compare", last_json(result)["experiment"]["id"], "--json")
    assert last_json(again)["figures"] == last_json(result)["figures"]


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
    assert "0.500× [0.500, 0.500]" in result.stdout
    assert "no difference shown" in result.stdout


def test_what_it_will_take_is_told_before_once_its_setups_have_run(plan: Path) -> None:
    assert "not known: no undisturbed run of" in invoked("run", plan).stdout
    assert "Expected of all runs: about 1 s" in invoked("run", plan).stdout


def test_what_was_run_is_listed_and_compared_the_same_later(plan: Path) -> None:
    told = last_json(invoked("run", plan, "--json"))
    id_ = told["experiment"]["id"]
    assert [one["id"] for one in last_json(invoked("experiments", "--json"))] == [id_]
    assert "Fakes" in invoked("experiments").stdout
    assert last_json(invoked("compare", id_, "--json"))["conclusion"] == told["conclusion"]


def test_the_page_shows_the_conclusion_that_the_command_line_shows(plan: Path) -> None:
    told = last_json(invoked("run", plan, "--json"))
    store = Store.open(get_settings())
    try:
        experiment = store.experiment(told["experiment"]["id"], None)
        assert experiment is not None
        on_the_page = reading.findings(experiment, store)
    finally:
        store.close()
    assert json.loads(json.dumps(asdict(on_the_page.conclusion))) == told["conclusion"]
    setups = on_the_page.setups
    shown = [{name: asdict(one) for name, one in setup.figures.items()} for setup in setups]
    assert json.loads(json.dumps(shown)) == told["figures"]


def test_an_experiment_is_written_as_a_report_and_never_over_another_file(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plan.parent)
    monkeypatch.setattr(report, "panels", lambda findings: [])
    id_ = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    result = invoked("report", id_, "--limit", "tpot<=8ms", "--wish", "fastest", "--json")
    assert result.exit_code == 0, result.output
    file = Path(last_json(result)["file"])
    assert file == plan.parent / f"experiment-{id_}.html"
    assert "Use “fast”" in file.read_text()
    again = invoked("report", id_)
    assert again.exit_code == 2
    assert "--force" in again.stdout
    assert invoked("report", id_, "--force").exit_code == 0
    assert invoked("report", id_, "--html", "nowhere/r.html").exit_code == 2
    assert invoked("report", id_, "--html", "r.html", "--limit", "fast").exit_code == 2
    assert not Path("r.html").exists()
    assert invoked("report", "lost").exit_code == 2


def test_an_experiment_goes_to_another_machine_as_a_file(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = last_json(invoked("run", plan, "--json"))
    id_, file = told["experiment"]["id"], tmp_path / "experiment.json"
    assert invoked("export", id_, "--json", file).exit_code == 0
    assert invoked("export", id_, "--json", file).exit_code == 2  # it is there
    here = invoked("import", file)
    assert here.exit_code == 0
    assert "is here already" in here.stdout
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "another machine"))
    get_settings.cache_clear()
    assert last_json(invoked("experiments", "--json")) == []
    there = last_json(invoked("import", file, "--json"))["experiment"]
    again = last_json(invoked("compare", there["id"], "--json"))
    assert again["conclusion"] == told["conclusion"]
    assert invoked("import", tmp_path / "lost.json").exit_code == 2


def test_runs_are_exported_as_tables(plan: Path, tmp_path: Path) -> None:
    id_ = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    for name in ("runs.csv", "runs.parquet"):
        assert invoked("export", id_, tmp_path / name).exit_code == 0
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert len(lines) == 1 + 26
    assert parquet.read_table(tmp_path / "runs.parquet").num_rows == 26
    assert "Which format?" in invoked("export", id_, tmp_path / "runs.txt").stdout
    assert invoked("export", id_, "--csv", "--json", tmp_path / "other.csv").exit_code == 2
    assert invoked("export", "lost", tmp_path / "lost.csv").exit_code == 2
    assert sorted(path.name for path in tmp_path.glob("*.*")) == sorted(
        ["plan.toml", "runs.csv", "runs.parquet"]
    )


def test_runs_are_listed_newest_first_and_filtered(plan: Path) -> None:
    id_ = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    listed = last_json(invoked("runs", "--limit", 3, "--json"))
    assert len(listed) == 3
    assert listed == sorted(listed, key=lambda run: run["created_at"], reverse=True)
    assert "visitor" not in listed[0]
    assert "3 of 26: --limit shows more." in invoked("runs", "--limit", 3).stdout
    of_a = last_json(invoked("runs", "--model", "a", "--experiment", id_, "--json"))
    assert {run["label"] for run in of_a} == {"slow"}
    assert last_json(invoked("runs", "--since", "2100-01-01", "--json")) == []
    assert "no such run" in invoked("runs", "--status", "failed").stdout
    assert invoked("runs", "--status", "lost").exit_code == 2
    assert invoked("runs", "--experiment", "lost").exit_code == 2


def test_two_experiments_tell_what_moved(plan: Path, fake: FakeBackend) -> None:
    first = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    fake.scripts["b"] = Script(gap_ns=8 * MS)
    second = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    result = invoked("compare", first, second, "--json")
    assert result.exit_code == 0
    moved = {(one["setup"], one["metric"]) for one in last_json(result)["moves"] if one["moved"]}
    assert moved == {("fast", "tpot_ns"), ("fast", "e2e_ns")}
    assert last_json(result)["changes"] == []
    assert "one start differs from the next" in " ".join(result.stdout.split())


def test_experiments_that_ask_other_things_are_not_compared(plan: Path) -> None:
    first = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    plan.write_text(PLAN.replace("output_tokens = 4", "output_tokens = 5"))
    second = last_json(invoked("run", plan, "--json"))["experiment"]["id"]
    result = invoked("compare", first, second)
    assert result.exit_code == 2
    assert "its answers have other lengths" in result.stdout


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
    told = invoked("compare", "nothing", "--json")
    assert told.exit_code == 2
    assert last_json(told)["error"] == "There is no experiment nothing."
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

    monkeypatch.setattr(following, "conduct", interrupted)
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
