"""Starts of the program, in this version or in another's checkout: each answers a workload once.

Each version keeps its runs in a data folder of its own, which this version reads at the end: by
then the other has no more business with it, so that its database may be migrated.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bench.experiments.plan import LENGTHS, Plan, PlannedSetup, plan_toml
from app.bench.experiments.samples import RunSample
from app.bench.experiments.workload_files import Asked, as_json_lines
from app.bench.experiments.workloads import Workload
from app.bench.store import Store
from backends.errors import DynoError
from backends.settings import ROOT, Settings

_ENTRY = Path("app") / "bench" / "__main__.py"
_LEAVE_SECONDS = 30.0
_TOLD_LINES = 3
# Its runs lie in its own folder, and its code is that of the folder that it is started in.
_NOT_PASSED_ON = ("DYNO_DATABASE_URL", "PYTHONPATH", "PYTHONSAFEPATH")


class StartFailed(DynoError):
    """A version could not be started, or made nothing."""


@dataclass(frozen=True, slots=True)
class Version:
    """A checkout of the program, the Python that runs it, and a data folder that is its alone."""

    folder: Path
    python: Path
    data: Path


@dataclass(frozen=True, slots=True)
class Start:
    """What one start has left: its experiment, and setups that failed with what they said."""

    experiment_id: str
    left_out: dict[str, str]


def this_version(data: Path) -> Version:
    return Version(ROOT, Path(sys.executable), data)


def other_version(folder: Path, python: Path | None, data: Path) -> Version:
    """The version that is checked out in a folder; by default with the Python of its `.venv`, else
    with this one. Raises `StartFailed` where there is none."""
    folder = folder.expanduser().resolve()
    if not (folder / _ENTRY).is_file():
        raise StartFailed(
            f"{folder} holds no version of LLM Dyno.",
            "Name a checkout, such as: git worktree add ../baseline COMMIT",
        )
    own = folder / ".venv" / "bin" / "python"
    chosen = python.expanduser() if python else own if own.is_file() else Path(sys.executable)
    if not chosen.is_file():
        raise StartFailed(f"There is no Python at {chosen}.", "Name it with --python.")
    return Version(folder, chosen, data)


def one_start(version: Version, plan: Plan, workload: Workload, number: int) -> Start:
    """Start it anew, let each setup answer the workload once, and wait for its end.

    The same number makes the same prompts in the same order in every version. Raises `StartFailed`
    with what it said; Ctrl-C is passed on to it, and waits until it has ended.
    """
    version.data.mkdir(parents=True, exist_ok=True)
    prompts = version.data / "workload.jsonl"
    asked = [Asked(messages) for messages in workload.conversations]
    prompts.write_text(as_json_lines(asked), encoding="utf-8")
    file = version.data / "plan.toml"
    file.write_text(plan_toml(_of_one_start(plan, prompts, number)), encoding="utf-8")
    ended = _finished(version, ["run", str(file), "--json"])
    told = _last_json(ended.stdout)
    if "experiment" in told:
        return Start(told["experiment"]["id"], told["experiment"]["left_out"])
    lines = [*ended.stdout.splitlines(), *ended.stderr.splitlines()][-_TOLD_LINES:]
    said = told.get("error") or " ".join(line.strip() for line in lines) or "nothing"
    raise StartFailed(
        f"The version in {version.folder} ended with {ended.returncode} and said: {said}",
        "Try it there: python -m app.bench doctor",
    )


def samples_of(version: Version, starts: list[Start], settings: Settings) -> list[list[RunSample]]:
    """The runs of each start."""
    its = settings.model_copy(update={"data_dir": version.data, "database_url": None})
    store = Store.open(its)
    try:
        return [list(store.samples(start.experiment_id)) for start in starts]
    finally:
        store.close()


def _of_one_start(plan: Plan, prompts: Path, number: int) -> Plan:
    """Each number has other salts. A fresh engine's first answer never counts, hence a warm-up."""
    named = zip(plan.labels, plan.setups, strict=True)
    return plan.model_copy(
        update={
            "name": f"{plan.name[:80]}, start {number}",
            "setups": tuple(PlannedSetup(label=label, setup=one.setup) for label, one in named),
            "workload": LENGTHS if plan.workload == LENGTHS else str(prompts),
            "repeats": 1,
            "warm_ups": max(1, plan.warm_ups),
            "seed": (plan.seed + number) % 2**31,
            "quality": False,
            "quality_reference": "",
            "quality_text": "",
            "energy": False,
            "time_budget_seconds": None,
            "money_budget_dollars": None,
            "stop_within_percent": None,
        }
    )


def _last_json(output: str) -> dict[str, Any]:
    last = output.rstrip("\n").rpartition("\n")[2]  # splitlines would split inside of texts, too
    try:
        told = json.loads(last)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _finished(version: Version, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """In a session of its own a Ctrl-C in the terminal does not reach it, so that it gets exactly
    one: ours."""
    environment = os.environ | {"DYNO_DATA_DIR": str(version.data)}
    for name in _NOT_PASSED_ON:
        environment.pop(name, None)
    process = subprocess.Popen(
        [str(version.python), "-m", "app.bench", *arguments],
        cwd=version.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate()
    except BaseException:
        _stop(process)
        raise
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
