"""Another version is started in its own folder with its own data, and stopped with us."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.experiments.lengths import workload_of
from app.bench.experiments.plan import Plan, PlannedSetup, parse_plan
from app.bench.experiments.starts import StartFailed, Version, one_start, other_version
from app.bench.experiments.workloads import load_workload
from backends.setup import Setup

PLAN = Plan(
    name="Two",
    setups=(PlannedSetup(label="A", setup=Setup()), PlannedSetup(setup=Setup(kv_cache="off"))),
    repeats=8,
    warm_ups=0,
    seed=5,
    quality=True,
    time_budget_seconds=60,
)
WORKLOAD = load_workload("conversations")
# Tells what it was given, as `run --json` tells what it made.
TELLS = """
import json, os, sys
print("begins")
told = {"argv": sys.argv[1:], "cwd": os.getcwd(), "data": os.environ["DYNO_DATA_DIR"],
        "url": os.environ.get("DYNO_DATABASE_URL")}
print(json.dumps({"experiment": {"id": json.dumps(told), "left_out": {}}}))
"""


def version(tmp_path: Path, program: str) -> Version:
    folder = tmp_path / "checkout"
    entry = folder / "app" / "bench" / "__main__.py"
    entry.parent.mkdir(parents=True)
    entry.write_text(program)
    return other_version(folder, None, tmp_path / "its data")


def test_a_start_is_one_round_in_the_versions_own_folder_and_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNO_DATABASE_URL", "sqlite:////nowhere")
    its = version(tmp_path, TELLS)
    told = json.loads(one_start(its, PLAN, WORKLOAD, 3).experiment_id)
    assert (told["cwd"], told["data"], told["url"]) == (str(its.folder), str(its.data), None)
    assert told["argv"][0] == "run"
    text = Path(told["argv"][1]).read_text()
    planned = parse_plan(text)
    assert (planned.repeats, planned.warm_ups, planned.seed) == (1, 1, 8)
    assert planned.labels == PLAN.labels
    assert planned.time_budget_seconds is None
    assert "quality" not in text  # an earlier version knows no such field
    assert load_workload(planned.workload).digest == WORKLOAD.digest


def test_a_grid_of_lengths_stays_one_and_no_start_ends_early(tmp_path: Path) -> None:
    grid = {"workload": "lengths", "prompt_tokens_grid": (8, 16), "output_tokens_grid": (4,)}
    plan = Plan.model_validate(PLAN.model_dump() | grid | {"stop_within_percent": 3})
    its = version(tmp_path, TELLS)
    told = json.loads(one_start(its, plan, workload_of(plan), 0).experiment_id)
    planned = parse_plan(Path(told["argv"][1]).read_text())
    assert workload_of(planned) == workload_of(plan)
    assert planned.sampling_of(0).max_new_tokens == 4
    assert planned.stop_within_percent is None


def test_what_a_version_said_is_told_where_it_made_nothing(tmp_path: Path) -> None:
    its = version(tmp_path, "import sys; print('No model here.'); sys.exit(2)")
    with pytest.raises(StartFailed, match=r"ended with 2 and said: No model here\."):
        one_start(its, PLAN, WORKLOAD, 0)


def test_a_folder_without_a_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="holds no version"):
        other_version(tmp_path, None, tmp_path)


@pytest.fixture
def heeded() -> Iterator[None]:
    """What is started in the background of a shell ignores Ctrl-C, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_reaches_the_version_once_and_is_waited_for(tmp_path: Path) -> None:
    its = version(
        tmp_path,
        """
import pathlib, time
try:
    pathlib.Path("began").touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.2)
    pathlib.Path("ended").touch()
""",
    )
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        while not (its.folder / "began").exists():
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        one_start(its, PLAN, WORKLOAD, 0)
    assert (its.folder / "ended").exists()
