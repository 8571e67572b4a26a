"""A server of our own to measure: started as a user would, ended, and looked for afterwards.

It gets a free port and a data folder of its own. Its benchmark entry also takes orders over HTTP
(`app/ui/bench_entry.py`), so that a turn can be started with nobody watching.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from app.bench.conversation import Comparison
from app.bench.record import RunRecord
from app.bench.scheduler import default_lock_dir
from backends.engine import ClosedOnExit
from backends.errors import DynoError
from backends.settings import ROOT
from backends.setup import Setup

SHIPPED_ENTRY = ROOT / "streamlit_app.py"
BENCH_ENTRY = ROOT / "app" / "ui" / "bench_entry.py"

_START_SECONDS = 60.0
_END_SECONDS = 20.0
_RUN_SECONDS = 600.0
_LOG_TAIL_CHARS = 2_000
# One each for a user, whatever runs: the devices' locks, and the cache that torch makes.
_KEPT = ("llm-dyno-locks", "torchinductor")
# Whatever proxy the environment names, this machine's own server is asked directly.
ASKED_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerProcess(ClosedOnExit):
    """`streamlit run` as a child. Use it in a `with`; `end` tells what it left behind."""

    def __init__(self, data_dir: Path, entry: Path = BENCH_ENTRY) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.data_dir = data_dir
        self._log_path = data_dir / "server.log"
        self._scratch = _scratch_folder(data_dir)
        self._seen: dict[int, psutil.Process] = {}
        data_dir.mkdir(parents=True, exist_ok=True)
        environment = {name: v for name, v in os.environ.items() if not name.startswith("DYNO_")}
        with self._log_path.open("ab") as log:
            self.started_ns = time.monotonic_ns()
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", str(entry)),
                    *("--server.port", str(self.port), "--server.headless", "true"),
                ],
                cwd=ROOT,
                env={
                    **environment,
                    "DYNO_DATA_DIR": str(data_dir),
                    "PYTHONPATH": str(ROOT),
                    "TMPDIR": str(self._scratch),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_answering(self) -> None:
        """Return once it answers. Raises `DynoError` with the end of its log if it does not."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), ASKED_DIRECTLY.open(f"{self.url}/_stcore/health"):
                return
            time.sleep(0.02)
        raise DynoError("The server did not start.", "Read its log.", self.log_tail())

    def log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return self._log_path.read_text(errors="replace")[-_LOG_TAIL_CHARS:]
        return ""

    def processes(self) -> list[psutil.Process]:
        """The server, its engine host and the workers that live now; remembered for `end`."""
        with contextlib.suppress(psutil.Error):
            server = psutil.Process(self.pid)
            for process in (server, *server.children(recursive=True)):
                self._seen[process.pid] = process
        return [process for process in self._seen.values() if process.is_running()]

    def _ask(self, what: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_dyno/bench/{what}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with ASKED_DIRECTLY.open(request, timeout=_RUN_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            reason = error.read().decode(errors="replace")[:500]
            raise DynoError(f"The server refused “{what}”: {reason}") from error
        except OSError as error:
            raise DynoError(f"The server is gone: {error}", detail=self.log_tail()) from error

    def start_conversation(self, comparison: Comparison) -> str:
        """Its id; a page shows it at `?c=ID`."""
        return str(self._ask("conversation", comparison=comparison.model_dump(mode="json")))

    def start_turn(self, conversation: str, prompt: str) -> None:
        """Ask all columns, as the chat input does, and return at once."""
        self._ask("turn", conversation=conversation, prompt=prompt)

    def finished_turn(self, conversation: str, turn: int) -> dict[str, RunRecord]:
        """Wait for a turn to be answered. The runs by column key; raises if one did not finish."""
        found = self._ask("wait", conversation=conversation, turn=turn)
        runs = {key: RunRecord.model_validate(run) for key, run in found.items()}
        for run in runs.values():
            if run.status != "finished":
                message = run.error.message if run.error else f"A run ended as {run.status}."
                raise DynoError(message, run.error.remedy if run.error else "")
        return runs

    def wait_preloaded(self) -> None:
        """Return once the engine host has imported what workers need."""
        self._ask("preloaded")

    def load(self, setup: Setup) -> float:
        """Have an engine loaded; seconds from asking the pool until it is ready."""
        return float(self._ask("load", setup=setup.model_dump(mode="json")))

    def unload(self) -> None:
        """Close every idle engine."""
        self._ask("unload")

    def state(self) -> dict[str, Any]:
        """`host` (its process id) and `runs` (how many the store holds)."""
        found: dict[str, Any] = self._ask("state")
        return found

    def modules(self) -> list[str]:
        """The packages that are imported in the server."""
        return [str(name) for name in self._ask("modules")]

    def end(self) -> list[str]:
        """End the server as Ctrl-C does. What it left: processes, its port, temporary files."""
        self.processes()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        left = []
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            left.append("the server itself, which had to be killed")
            self._process.kill()
            self._process.wait()
        _, alive = psutil.wait_procs(list(self._seen.values()), timeout=2.0)
        for process in alive:
            left.append(f"process {process.pid}")
            with contextlib.suppress(psutil.Error):
                process.kill()
        if answers(self.port):
            left.append(f"port {self.port}")
        left += sorted(
            path.name for path in self._scratch.iterdir() if not path.name.startswith(_KEPT)
        )
        return left

    def close(self) -> None:
        self.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=0.5).close()
    except OSError:
        return False
    return True


def _scratch_folder(data_dir: Path) -> Path:
    """A folder for temporary files, to see what stays. The devices' locks are this machine's."""
    folder = data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    locks = default_lock_dir()
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    link = folder / locks.name
    if not link.is_symlink():
        link.symlink_to(locks)
    return folder
