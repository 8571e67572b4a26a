"""`transformers serve` with one model in a process of our own: a real server to ask on loopback."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from app.bench.benchmarks.server_process import ASKED_DIRECTLY, free_port
from backends.engine import ClosedOnExit
from backends.errors import DynoError, MissingDependency
from backends.remote.servers import KINDS, ServerKind
from backends.settings import ROOT
from backends.setup import Setup

_START_SECONDS = 120.0
_END_SECONDS = 10.0
_LOG_TAIL_CHARS = 2_000
# It ends with whoever started it, also when that one is killed.
_ENTRY = """
import runpy, sys
from backends.host.server import die_with_parent
die_with_parent(int(sys.argv.pop(1)))
runpy.run_module("transformers.cli.transformers", run_name="__main__", alter_sys=True)
"""


class ModelServer(ClosedOnExit):
    """Serves the model in a folder, in the type of its weights, on the CPU.

    One thread: two make torch wait for each other as soon as anything else runs. Its log goes to
    `log`, which must not be in use.
    """

    def __init__(self, folder: Path, log: Path, threads: int = 1) -> None:
        self.folder = folder
        self.port = free_port()
        self._log = log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-c", _ENTRY, str(os.getpid()), "serve", str(folder)),
                    *("--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu"),
                ],
                cwd=ROOT,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads)},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def kind(self) -> ServerKind:
        return KINDS["transformers"]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def setup(self, **toggles: object) -> Setup:
        """The endpoint backend's setup that asks this server."""
        options = {
            "address": self.address,
            "server": self.kind.id,
            "served_model": str(self.folder),
        }
        return Setup.model_validate({"backend": "endpoint", "options": options} | toggles)

    def wait_answering(self) -> None:
        """Return once its model is loaded. Raises `DynoError` with the end of its log if it ends
        or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        health = f"http://127.0.0.1:{self.port}/health"
        while time.monotonic() < deadline and self.is_alive:
            with contextlib.suppress(OSError), ASKED_DIRECTLY.open(health, timeout=5):
                return
            time.sleep(0.05)
        tail = self.log_tail()
        if "No module named" in tail or "transformers[serving]" in tail:
            raise MissingDependency(
                "transformers serve needs more than the app does.",
                "Install requirements-dev.txt.",
                tail,
            )
        raise DynoError("transformers serve did not start.", "Read its log.", tail)

    def log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return self._log.read_text(errors="replace")[-_LOG_TAIL_CHARS:]
        return ""

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        if not self.is_alive:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
