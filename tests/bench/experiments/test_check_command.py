"""`check`: what a slow-down, a pass, and a check that cannot be made look like to a CI."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from app.bench.experiments.check import Moved
from app.bench.experiments.commands import checking
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.samples import RunSample, sample_of
from app.bench.experiments.starts import Start, Version, other_version, this_version
from app.bench.experiments.workloads import Workload
from app.bench.record import RunRecord
from backends.request import Message
from backends.settings import ROOT
from backends.setup import Setup
from tests.bench.experiments.test_commands import invoked, last_json
from tests.bench.experiments.test_statistics import run_of

Checks = Callable[..., Result]
THEN_MS = {0: 10.0, 1: 5.0}
SETUPS = (
    PlannedSetup(label="slow", setup=Setup(kv_cache="off")),
    PlannedSetup(label="fast", setup=Setup()),
)
WORKLOAD = Workload("one", ((Message(role="user", content="Hello"),),))
NOISE = (1.0, 1.01, 0.99, 1.005, 0.995, 1.0)


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    """`check` of a baseline whose setup "fast" made a token in 5 ms. No start is really made: those
    of this version have made one in `now_ms`, those of the other as many as then."""
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(exported()))
    monkeypatch.setattr(checking, "warn_if_busy", lambda console: None)
    monkeypatch.setattr(checking, "other_version", beside)
    monkeypatch.setattr(checking, "hardware_name", lambda: run_of(0, 1, 1).environment.hardware)

    def checked(
        *arguments: object,
        now_ms: float = 5.0,
        left_out: str = "",
        which: str = "now",
        unread: str = "",
    ) -> Result:
        def start(version: Version, plan: Plan, workload: Workload, number: int) -> Start:
            assert workload == WORKLOAD
            fails = left_out and version.data.name == which
            return Start(str(number), {"slow": left_out} if fails else {})

        def samples(
            version: Version, starts: list[Start], settings: object
        ) -> list[list[RunSample]]:
            fast = now_ms if version.data.name == "now" else THEN_MS[1]
            runs = [made(int(one.experiment_id), {**THEN_MS, 1: fast}) for one in starts]
            return [[without(unread, run) for run in start] for start in runs]

        monkeypatch.setattr(checking, "one_start", start)
        monkeypatch.setattr(checking, "samples_of", samples)
        return invoked("check", baseline, *arguments)

    yield checked
    left = list(tmp_path.glob("data/check-*"))
    assert not left


def exported(*setups: Setup) -> dict[str, object]:
    """An exported experiment; of these setups, it has no runs."""
    now = dt.datetime.now(dt.UTC)
    planned = tuple(PlannedSetup(setup=setup) for setup in setups)
    experiment = Experiment(
        id="e",
        created_at=now,
        updated_at=now,
        plan=Plan(name="Two", setups=planned or SETUPS, repeats=6, output_tokens=16),
        workload_digest=WORKLOAD.digest,
        state="finished",
    )
    spoken = [[one.model_dump(mode="json") for one in all_] for all_ in WORKLOAD.conversations]
    return {
        "format": "llm-dyno-experiment",
        "version": 1,
        "experiment": experiment.model_dump(mode="json"),
        "workload": {"name": WORKLOAD.name, "conversations": spoken},
        "runs": [one.model_dump(mode="json") for one in records({} if setups else THEN_MS)],
    }


def records(gaps: dict[int, float]) -> list[RunRecord]:
    return [
        run_of(setup, round_, gap * noise)
        for setup, gap in gaps.items()
        for round_, noise in enumerate(NOISE, 1)
    ]


def made(number: int, gaps: dict[int, float]) -> list[RunSample]:
    return [sample_of(run_of(setup, 1, gap * NOISE[number])) for setup, gap in gaps.items()]


def without(metric: str, run: RunSample) -> RunSample:
    values = {name: value for name, value in run.values.items() if name != metric}
    return replace(run, values=values, reasons={metric: "not read"})


def beside(folder: Path, python: Path | None, data: Path) -> Version:
    """This version stands in for the one in the folder where the tests run."""
    return this_version(data) if folder == Path() else other_version(folder, python, data)


def verdicts(result: Result) -> dict[tuple[str, str], str]:
    return {(one["setup"], one["metric"]): one["verdict"] for one in last_json(result)["lines"]}


BESIDE = ("--fail-if-slower", "10%", "--against", ".", "--json")


def test_what_did_not_change_passes(checks: Checks) -> None:
    result = checks(*BESIDE, "--fail-if-more-memory", "5%")
    assert result.exit_code == 0, result.output
    assert last_json(result)["verdict"] == "passed"
    assert set(verdicts(result).values()) == {"within"}
    assert len(verdicts(result)) == 8  # TTFT, TPOT, E2E and memory of two setups


def test_what_became_slower_fails_and_is_named(checks: Checks) -> None:
    result = checks(*BESIDE, now_ms=6)
    assert result.exit_code == 1
    over = {key for key, verdict in verdicts(result).items() if verdict == "over"}
    assert ("fast", "tpot_ns") in over
    assert all(setup == "fast" for setup, _ in over)
    assert "slower by 20 %, proven to be more than 10 %" in result.stdout


def test_the_file_alone_is_enough_on_the_same_machine(checks: Checks) -> None:
    result = checks("--fail-if-slower", "10%", "--json", now_ms=6)
    assert result.exit_code == 1
    assert last_json(result)["paired"] is False


def test_another_machine_is_refused_unless_it_is_said(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "hardware_name", lambda: "another machine")
    refused = checks("--fail-if-slower", "10%")
    assert refused.exit_code == 2
    assert "another machine" in refused.stdout
    assert "--against" in refused.stdout
    assert checks("--fail-if-slower", "10%", "--other-machine").exit_code == 0


def test_only_the_chosen_setup_is_run(checks: Checks) -> None:
    result = checks(*BESIDE, "--setup", "fast")
    assert {setup for setup, _ in verdicts(result)} == {"fast"}
    unknown = checks(*BESIDE, "--setup", "lost")
    assert unknown.exit_code == 2
    assert "“slow”, “fast”" in unknown.stdout


def test_a_setup_that_fails_now_is_no_pass(checks: Checks) -> None:
    result = checks(*BESIDE, left_out="The weights are broken.")
    assert result.exit_code == 2
    assert "slow failed: The weights are broken." in result.stdout


def test_a_setup_that_fails_in_the_baselines_version_is_named(checks: Checks) -> None:
    result = checks(*BESIDE, left_out="The weights are broken.", which="then")
    assert result.exit_code == 2
    assert "slow in the baseline's version failed: The weights are broken." in result.stdout


@pytest.mark.parametrize(
    ("metric", "bound", "code"),
    [
        ("peak_memory_bytes", ("--fail-if-more-memory", "5%"), 2),
        ("tpot_ns", (), 0),
        ("peak_memory_bytes", (), 0),
    ],
)
def test_what_was_asked_and_nothing_tells_is_no_pass(
    metric: str, bound: tuple[str, ...], code: int, checks: Checks
) -> None:
    result = checks(*BESIDE, *bound, unread=metric)
    assert result.exit_code == code, result.output


def test_noise_that_hides_the_bound_cannot_tell(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure = [Moved("fast", "tpot_ns", (0.0, 0.3, -0.2, 0.25, -0.3, 0.1))]
    monkeypatch.setattr(checking, "paired", lambda setup, then, now, metrics: unsure)
    result = checks(*BESIDE)
    assert result.exit_code == 3
    assert last_json(result)["verdict"] == "cannot tell"
    assert "starts would tell" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "What is too much?"),
        (("--fail-if-slower", "10"), "Write 10%"),
        (("--fail-if-slower", "10%", "--against", "/nowhere"), "holds no version"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    checks: Checks, arguments: tuple[str, ...], said: str
) -> None:
    result = checks(*arguments)
    assert result.exit_code == 2
    assert said in result.stdout
    assert "Traceback" not in result.output


def test_a_file_that_is_no_baseline_is_a_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"format": "something else"}')
    result = invoked("check", other, "--fail-if-slower", "10%")
    assert result.exit_code == 2
    assert "no exported experiment" in result.stdout
    assert invoked("check", tmp_path / "lost.json", "--fail-if-slower", "10%").exit_code == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_slow_down_planted_in_a_copy_of_the_program_is_found(
    tmp_path: Path, bundled_model: Path
) -> None:
    copy = tmp_path / "slower"
    for package in ("app", "backends"):
        shutil.copytree(ROOT / package, copy / package)
    for other in ("models", "examples"):
        (copy / other).symlink_to(ROOT / other)
    tap = copy / "backends" / "local" / "worker" / "streaming.py"
    before = "        now_ns = time.monotonic_ns()\n"
    assert before in tap.read_text()
    tap.write_text(tap.read_text().replace(before, f"        time.sleep(0.1)\n{before}"))
    told = exported(Setup(model=str(bundled_model)))
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(told))
    arguments = ["check", baseline, "--fail-if-slower", "10%", "--against", ROOT, "--json"]
    checked = subprocess.run(
        [sys.executable, "-m", "app.bench", *map(str, arguments)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1, checked.stdout + checked.stderr
    lines = json.loads(checked.stdout.splitlines()[-1])["lines"]
    tpot = next(one for one in lines if one["metric"] == "tpot_ns")
    assert (tpot["verdict"], tpot["starts"]) == ("over", 6)
