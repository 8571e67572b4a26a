"""The example plugin, truly installed: found by its entry point alone, drawn, measured, contracted.

It is seen by processes that have its folder on their path, so that no other test meets it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from backends.settings import ROOT

EXAMPLE = ROOT / "examples" / "llm-dyno-echo"
Run = Callable[..., str]

_LISTED = """
import json
from backends.engine import Backend
from backends.registry import get_backend, registrations, usable_backends
print(json.dumps({
    "origin": registrations()["echo"].origin,
    "usable": [backend.id for backend in usable_backends()],
    "is_backend": isinstance(get_backend("echo"), Backend),
    "toggles": {toggle.name: toggle.title for toggle in get_backend("echo").capabilities().toggles},
}))
"""

_DRAWN = '''
import json
from streamlit.testing.v1 import AppTest
page = """
from app.bench.conversation import Column
from app.ui.builder import setup_editor
from backends.setup import Setup
setup_editor(Column(setup=Setup(backend="echo")), print, busy=False)
"""
shown = AppTest.from_string(page, default_timeout=60).run()
print(json.dumps({
    "failed": [error.message for error in shown.exception],
    "backends": shown.selectbox[0].options,
    "numbers": {number.label: [number.min, number.max] for number in shown.number_input},
}))
'''

_ASKED = """
import json
from backends.engine import CancelToken
from backends.registry import get_backend
from backends.setup import Setup
from tests.backends.asking import ask, request
def answer_of(options, **sampling):
    setup = Setup(backend="echo", options=options)
    with get_backend("echo").open(setup, lambda progress: None, CancelToken()) as engine:
        return ask(engine, request("one two three", **sampling))
def timed(**options):
    answer = answer_of(options)
    stamps = [answer.report.accepted_ns, *(chunk.t_ns for chunk in answer.chunks[:-1])]
    return answer.text, [after - before for before, after in zip(stamps, stamps[1:])]
print(json.dumps({
    "plain": timed(),
    "paused": timed(pause_ms=40),
    "stopped": [chunk.text for chunk in answer_of({}, stop=("o thr",)).chunks],
    "not stopped": [chunk.text for chunk in answer_of({}, stop=("e !",)).chunks],
}))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python with these arguments where the plugin is installed; returns what it printed."""
    source, installed = (tmp_path_factory.mktemp(name) / "echo" for name in ("source", "installed"))
    shutil.copytree(EXAMPLE, source)  # a build leaves files beside what it builds
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation"]  # needs no network
    subprocess.run([*pip, *alone, "--target", installed, source], check=True, timeout=120)
    # What an outer pytest leaves for its children is not for this one.
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment["PYTHONPATH"] = str(installed)

    def run_(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-3_000:]
        return done.stdout

    return run_


def _told(run: Run, script: str) -> Any:
    return json.loads(run("-c", script).splitlines()[-1])


def test_it_is_written_in_under_60_lines() -> None:
    (module,) = EXAMPLE.glob("*.py")
    assert len(module.read_text(encoding="utf-8").splitlines()) < 60


def test_its_entry_point_alone_puts_it_beside_the_local_backend(run: Run) -> None:
    listed = _told(run, _LISTED)
    assert listed["origin"] == "llm-dyno-echo"
    assert {"local", "echo"} <= set(listed["usable"])
    assert listed["is_backend"]


def test_it_offers_a_toggle_of_its_own(run: Run) -> None:
    assert _told(run, _LISTED)["toggles"] == {"pause_ms": "Pause", "history": "History"}


def test_the_setup_builder_draws_the_toggle_that_it_has_never_seen(run: Run) -> None:
    drawn = _told(run, _DRAWN)
    assert drawn["failed"] == []
    assert "Echo (no model)" in drawn["backends"]
    assert drawn["numbers"] == {"Pause": [0, 1_000]}


def test_the_toggle_does_what_it_says(run: Run) -> None:
    told = _told(run, _ASKED)
    (plain_text, _), (paused_text, pauses_ns) = told["plain"], told["paused"]
    assert plain_text == paused_text == "one two three "
    assert len(pauses_ns) == 3
    assert all(pause_ns >= 40_000_000 for pause_ns in pauses_ns)


def test_what_may_begin_a_stop_string_is_held_back_until_that_is_known(run: Run) -> None:
    told = _told(run, _ASKED)
    assert told["stopped"] == ["one ", "tw", "", ""]
    assert told["not stopped"] == ["on", "e two ", "thre", "e "]


def test_it_keeps_the_contract_and_is_spared_only_toggles_that_it_does_not_offer(run: Run) -> None:
    contract = ["tests/backends/test_contract.py", "-k", "echo"]
    told = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *contract)
    counted = re.search(r"(\d+) passed", told)
    assert counted is not None
    assert int(counted[1]) >= 30, told
    spared = set(re.findall(r"echo does not offer (\w+)", told))
    assert spared == {"weights", "kv_cache", "device", "threads"}
