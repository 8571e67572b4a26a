"""Registers the fake backend in every process of a test's Ray; Ray calls `register` there.

A setup of the model "dies" ends the process that opens it, once: the file that `DYING_FILE` names
says that it is to happen.
"""

from __future__ import annotations

import os
from pathlib import Path

from backends import registry
from backends.engine import CancelToken, OnProgress
from backends.setup import Setup
from tests.fakes import FakeBackend
from tests.fakes.engine import FakeEngine

DYING_FILE = "TEST_DYING_FILE"


class DyingBackend(FakeBackend):
    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> FakeEngine:
        file = Path(os.environ[DYING_FILE])
        if setup.model == "dies" and file.exists():
            file.unlink()
            os._exit(1)
        return super().open(setup, on_progress, cancel)


def register() -> None:
    registry._BUILT_IN["fake"] = "tests.bench.experiments.ray_hook:DyingBackend"
