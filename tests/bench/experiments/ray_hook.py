"""The fake backend as a plugin of a test's Ray workers, with some bad luck by the model's name.

"dies" ends the process that opens it, once: the file that `DYING_FILE` names says that it is to
happen. "one-node" is there on the first node alone, "tells" says which token its process has.
"""

from __future__ import annotations

import os
from pathlib import Path

from backends.capabilities import Availability
from backends.engine import CancelToken, OnProgress
from backends.errors import LoadFailed
from backends.setup import Setup
from tests.fakes import FakeBackend
from tests.fakes.engine import FakeEngine

DYING_FILE, NODE = "TEST_DYING_FILE", "TEST_NODE"


class DyingBackend(FakeBackend):
    def check(self, setup: Setup) -> Availability:
        if setup.model == "one-node" and os.environ[NODE] == "2":
            return Availability(False, "There is no folder one-node.", "Copy it there.")
        return super().check(setup)

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> FakeEngine:
        file = Path(os.environ[DYING_FILE])
        if setup.model == "dies" and file.exists():
            file.unlink()
            os._exit(1)
        if setup.model == "tells":
            raise LoadFailed(f"The token is {os.environ.get('HF_TOKEN', 'not here')}.")
        return super().open(setup, on_progress, cancel)
